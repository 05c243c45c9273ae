//! Where the Redis servers are, and how one speaks to them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// `session.redis`.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Which servers there are.
    pub layout: RedisLayout,
    /// The name to sign in with; without one only the password is sent.
    pub username: Option<String>,
    /// The password to sign in with; without one nobody signs in.
    pub password: Option<SecretString>,
    /// Number of the database; a cluster knows only 0.
    pub database: u32,
    /// How long one call may take, all told.
    pub timeout: Duration,
    /// How TLS is spoken; without it connections are plain.
    pub tls: Option<RedisTls>,
}

/// Which servers there are.
#[derive(Clone, Debug)]
pub enum RedisLayout {
    /// One server.
    Single(RedisServer),
    /// One primary with replicas, and sentinels who know which is which.
    Sentinel(RedisSentinels),
    /// A cluster, of which these nodes are asked first.
    Cluster(Vec<RedisServer>),
}

/// The sentinels.
#[derive(Clone, Debug)]
pub struct RedisSentinels {
    /// What they call the primary and its replicas.
    pub name: String,
    /// The name to sign in with at the sentinels.
    pub username: Option<String>,
    /// The password to sign in with at the sentinels; the servers' own is not sent to them.
    pub password: Option<SecretString>,
    /// Where they are.
    pub nodes: Vec<RedisServer>,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RedisServer {
    /// On the network.
    Tcp {
        /// Name or address, IPv6 without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// On a unix socket.
    Unix(PathBuf),
}

/// How TLS is spoken.
#[derive(Clone, Debug)]
pub struct RedisTls {
    /// The name in the certificate; that of the host where there is none.
    pub server_name: Option<String>,
    /// Whether the certificate has to be right.
    pub verify: bool,
    /// The oldest version that is spoken.
    pub oldest: RedisTlsVersion,
    /// The newest version that is spoken.
    pub newest: RedisTlsVersion,
    /// A certificate of our own, in PEM, with what leads to its authority.
    pub chain: Option<String>,
    /// The key of that certificate, in PEM.
    pub key: Option<SecretString>,
    /// A folder with certificates that are believed besides those of the system.
    pub certificates: Option<PathBuf>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RedisTlsVersion {
    /// TLS 1.2.
    V12,
    /// TLS 1.3.
    V13,
}

impl fmt::Display for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedisServer::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            RedisServer::Tcp { host, port } => write!(f, "{host}:{port}"),
            RedisServer::Unix(path) => path.display().fmt(f),
        }
    }
}
