//! What can be wrong with a Redis server, in sentences that say what to do.

/// Why Redis cannot be used, or refused something. The server stands before the sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisTrouble {
    /// Nobody answers there.
    #[error("cannot be reached ({0}); start it, or write where it is under session.redis")]
    Unreachable(String),
    /// It has broken off the connection.
    #[error("has broken off the connection ({0}); see its log")]
    BrokenOff(String),
    /// It does not answer in time.
    #[error(
        "did not answer within {0} seconds; see whether it hangs, or write a longer session.redis.timeout"
    )]
    Late(u64),
    /// TLS does not come about.
    #[error("cannot be spoken to over TLS: {0}")]
    Tls(String),
    /// It does not take our password.
    #[error("does not let us in ({0}); write the right session.redis.username and password")]
    Password(String),
    /// Our user may not do something.
    #[error(
        "does not let our user do what is needed ({0}); allow it by ACL: ~auth-gate:* +@all -@admin -@dangerous +role +cluster|slots"
    )]
    Forbidden(String),
    /// It only reads: a replica, or a failover is under way.
    #[error(
        "takes no writes, as it is a replica; write where the primary is, or the sentinels, under session.redis"
    )]
    ReadOnly,
    /// It has no memory left.
    #[error("has no memory left; raise its maxmemory, and leave maxmemory-policy at noeviction")]
    Full,
    /// It cannot write to its disk.
    #[error("takes no writes, as it cannot save them ({0}); see its log")]
    Unsaved(String),
    /// It has too few replicas to write.
    #[error("takes no writes, as too few replicas are connected; see its min-replicas-to-write")]
    TooFewReplicas,
    /// It has just started and is reading its data.
    #[error("is still loading its data; try again")]
    Loading,
    /// The cluster lacks a part.
    #[error("belongs to a cluster that is down ({0}); see `redis-cli cluster info`")]
    ClusterDown(String),
    /// It belongs to a cluster, which was not said.
    #[error("belongs to a cluster; write its nodes under session.redis.cluster.nodes")]
    InCluster,
    /// It belongs to no cluster.
    #[error(
        "is no part of a cluster ({0}); write session.redis.host instead of session.redis.cluster"
    )]
    NoCluster(String),
    /// No sentinel knows of such a primary.
    #[error(
        "no sentinel knows a primary \"{0}\"; write the name from their `sentinel monitor` as session.redis.high_availability.sentinel_name"
    )]
    NoPrimary(String),
    /// It says what cannot be understood, or far too much.
    #[error("gives answers that cannot be understood ({0}); see whether it is a Redis server")]
    Babble(String),
    /// What lies in it does not open.
    #[error(
        "holds {0} that does not open with session.secret; write the same session.secret on all machines"
    )]
    Sealed(String),
    /// Others were changing the same thing all the time.
    #[error("others have been changing the same thing all the time; try again")]
    Busy,
    /// Anything else that it says.
    #[error("refuses a command: {0}")]
    Refused(String),
}

impl RedisTrouble {
    /// Whether the server could not be spoken to at all.
    pub(super) fn is_silence(&self) -> bool {
        use RedisTrouble::{BrokenOff, Late, Tls, Unreachable};
        matches!(self, Unreachable(_) | BrokenOff(_) | Late(_) | Tls(_))
    }
}
