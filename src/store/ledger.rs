//! What is written down of sessions and bans, and the orders of the command line to the workers.
//!
//! The memory that the workers share is what counts while nginx runs; the ledger follows it a moment
//! later, so that the command line can show who is signed in and who is banned, and bans outlive a
//! restart. Orders go the other way: placed by the command line, carried out by every worker.

use std::net::IpAddr;

use super::StoreError;

/// The name of a session: the hash under which the workers keep it. It opens nothing.
pub type SessionKey = [u8; 32];

/// A session as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSession {
    /// Under what the workers keep it.
    pub key: SessionKey,
    /// Canonical name of its user.
    pub user: String,
    /// Its cookie domain.
    pub domain: String,
    /// From where it was made.
    pub address: IpAddr,
    /// With what it was made, in words.
    pub device: String,
    /// What its user has proven, in words.
    pub methods: Vec<String>,
    /// Whether the box "remember me" was ticked.
    pub remember: bool,
    /// When it was made.
    pub created: u64,
    /// When it was last used, at a grain of about a minute.
    pub last_used: u64,
    /// When it ends unless it is used again.
    pub ends: u64,
}

/// Whom a ban holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A user, by canonical name.
    User(String),
    /// An address, or the first address of a network that counts as one.
    Address(IpAddr),
}

/// A ban as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Whom it holds.
    pub target: Target,
    /// When it ends.
    pub until: u64,
    /// When it began.
    pub created: u64,
    /// Who has made it.
    pub by: BannedBy,
}

/// Who has made a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BannedBy {
    /// The regulation of failed logins.
    Regulation,
    /// The regulation of failed second factors.
    SecondFactors,
    /// An administrator: it holds whatever the regulation says.
    Administrator,
}

/// What a worker writes down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A session began.
    Started(LedgerSession),
    /// A session was used, and ends later now.
    Used {
        /// Its name.
        key: SessionKey,
        /// When it was used.
        at: u64,
        /// When it ends unless it is used again.
        ends: u64,
    },
    /// A session is over.
    Ended(SessionKey),
    /// Somebody was banned.
    Banned(Ban),
    /// The memory of the workers is new: sessions that began before are gone.
    Emptied {
        /// When it was made.
        at: u64,
    },
}

/// What the workers are to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// End one session.
    EndSession(SessionKey),
    /// End the sessions of a user that have begun by now.
    EndUser(String),
    /// End all sessions that have begun by now.
    EndAll,
    /// Ban somebody.
    Ban(Target, u64),
    /// Forget ban and failures of somebody.
    Revoke(Target),
}

/// An order that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Orders are numbered as they are placed.
    pub id: i64,
    /// When it was placed.
    pub at: u64,
    /// What is to be done.
    pub command: Command,
}

/// Sessions, bans and orders, shared by every process of this machine. All calls block.
///
/// # Errors
/// Every call fails when the store cannot be reached.
pub trait Ledger: Send + Sync {
    /// Writes down what happened, all or nothing. What several workers tell may come in any order:
    /// a session that has ended does not come back. Forgets what has long ended.
    fn record(&self, events: &[Event], now: u64) -> Result<(), StoreError>;

    /// The sessions that last, of one user or of all, newest first.
    fn sessions(&self, user: Option<&str>, now: u64) -> Result<Vec<LedgerSession>, StoreError>;

    /// The bans in force, those that end last first.
    fn bans(&self, now: u64) -> Result<Vec<Ban>, StoreError>;

    /// Places an order and changes what is written down accordingly, both or neither; says how many
    /// of the sessions and bans that are written down it concerns.
    fn place_order(&self, command: &Command, now: u64) -> Result<usize, StoreError>;

    /// Orders with greater numbers than `id`, in their order, so many of them.
    fn orders_after(&self, id: i64, most: usize) -> Result<Vec<Order>, StoreError>;

    /// The number of the last order that was placed before `at`; 0: there is none.
    fn last_order_before(&self, at: u64) -> Result<i64, StoreError>;
}

impl BannedBy {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            BannedBy::Regulation => "regulation",
            BannedBy::SecondFactors => "second factors",
            BannedBy::Administrator => "administrator",
        }
    }
}
