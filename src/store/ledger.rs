//! Sessions, failed attempts and bans as they are kept, and the orders that every worker carries out.
//!
//! The ledger is the truth about sessions; the memory that the workers share is a cache before it. A
//! session begins in the ledger first and is over in it for good. What changes for others, such as
//! the end of a session, is an order: numbered, and carried out by every worker of every machine that
//! shares the ledger.

use std::net::IpAddr;
use std::time::Duration;

use super::StoreError;

/// The name of a session: the hash under which the workers keep it. It opens nothing.
pub type SessionKey = [u8; 32];

/// Longest [`LedgerSession::record`], in bytes.
pub const MAX_RECORD: usize = 512;

/// A session as it is written down. What is said of it in words is for lists; what counts is the
/// record.
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
    /// When it was last used, at the grain of whoever writes it down.
    pub last_used: u64,
    /// When it ends unless it is used again.
    pub ends: u64,
    /// The session in the workers' own form, which only they read; at most [`MAX_RECORD`] bytes. Kept
    /// sealed, bound to the key.
    pub record: Vec<u8>,
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

/// What attempts are counted at; each has a count of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TriedAt {
    /// A password.
    Password,
    /// A second factor.
    SecondFactor,
}

/// An attempt to sign in, held against somebody or in his favour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// What it was at.
    pub at: TriedAt,
    /// Against whom it counts; never a name that nobody has.
    pub target: Target,
    /// When.
    pub when: u64,
    /// Whether it succeeded: then those before it count no more.
    pub passed: bool,
}

/// What a worker writes down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A session began.
    Started {
        /// The session.
        session: LedgerSession,
        /// The session in whose place it comes, which is over with that. Is that one over already,
        /// so is the new one: an end that came meanwhile holds for it, too.
        replaces: Option<SessionKey>,
    },
    /// A session was used, and ends later now. One that was lost, as when another machine took over
    /// that had not heard of it, is kept anew; one that is over stays so, and so does one that began
    /// before all of its user's were ended. Older news than those that are known change nothing.
    Used(LedgerSession),
    /// A session is over. An order says so to everybody.
    Ended(SessionKey),
    /// Somebody was banned. An order says so to other machines.
    Banned(Ban),
    /// Somebody tried to sign in. An order says so to other machines. What failed before a success
    /// that is known, or before he was forgiven, does not count, however late it is told.
    Tried(Try),
}

/// What the workers are to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// End one session.
    EndSession(SessionKey),
    /// End the sessions of a user that have begun by now: all that are written down, whatever their
    /// clocks say.
    EndUser {
        /// Canonical name.
        user: String,
        /// The one that goes on.
        except: Option<SessionKey>,
    },
    /// End all sessions that have begun by now.
    EndAll,
    /// Ban somebody.
    Ban(Ban),
    /// Forget ban and failures of somebody.
    Revoke(Target),
    /// Count an attempt that was made on another machine.
    Count(Try),
}

/// The place of an order among all orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub u64, pub u64);

/// An order that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Later orders have greater marks.
    pub mark: Mark,
    /// When it was placed, Unix seconds by the clock of whoever placed it.
    pub at: u64,
    /// Which memory of workers told of it (see [`Ledger::record`]); 0: the command line.
    pub by: u64,
    /// What is to be done.
    pub command: Command,
}

/// Orders that came after a mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// In the order of their marks.
    pub orders: Vec<Order>,
    /// After which mark to go on.
    pub next: Mark,
    /// Whether orders may have been missed, because they were forgotten meanwhile or the store is
    /// another one: nothing that was fetched before counts any more.
    pub missed: bool,
}

/// Sessions, attempts, bans and orders, shared by every process that uses the same store. All calls
/// block, for as long as the store's own time-out at most.
///
/// # Errors
/// Every call fails when the store cannot be reached.
pub trait Ledger: Send + Sync {
    /// Writes down what happened, in its order; `by` names the memory of workers that tells it. What
    /// several workers tell may come in any order: a session that has ended does not come back.
    /// Gives the keys of those that began or were used and are over. Forgets what has long ended.
    ///
    /// After an error anything or nothing of it may have been written; writing it down once more
    /// does no harm.
    fn record(&self, events: &[Event], by: u64, now: u64) -> Result<Vec<SessionKey>, StoreError>;

    /// The session under `key` if it lasts. One that is damaged, or was changed by somebody without
    /// the key of the store, is none.
    fn fetch(&self, key: &SessionKey, now: u64) -> Result<Option<LedgerSession>, StoreError>;

    /// The sessions that last, of one user or of all, newest first. One that is damaged has an empty
    /// record, so that it can be seen and ended.
    fn sessions(&self, user: Option<&str>, now: u64) -> Result<Vec<LedgerSession>, StoreError>;

    /// The bans in force, those that end last first.
    fn bans(&self, now: u64) -> Result<Vec<Ban>, StoreError>;

    /// Failed attempts since `since` that no success has made up for, oldest first; the newest of
    /// them if there are very many.
    fn failures(&self, since: u64) -> Result<Vec<Try>, StoreError>;

    /// Places an order and changes what is written down accordingly; says how many of the sessions
    /// and bans that are written down it concerns.
    fn place_order(&self, command: &Command, by: u64, now: u64) -> Result<usize, StoreError>;

    /// Orders after a mark, at most `most` of them. Where the store can tell of an order when it
    /// comes, this waits for one, for as long as `wait`; otherwise it does not wait at all.
    fn orders_after(&self, mark: Mark, most: usize, wait: Duration) -> Result<Orders, StoreError>;

    /// The mark of the last order that was placed more than `seconds` ago.
    fn mark_before(&self, seconds: u64, now: u64) -> Result<Mark, StoreError>;

    /// Finds out whether something can be written.
    fn probe(&self, now: u64) -> Result<(), StoreError>;

    /// The secret that all who use the store share: `proposal`, or what somebody proposed before.
    fn secret(&self, proposal: &[u8; 32]) -> Result<[u8; 32], StoreError>;

    /// Whether other machines may use the same store.
    fn is_shared(&self) -> bool;
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

    /// Who is called so.
    pub fn of_word(word: &str) -> Option<BannedBy> {
        let all = [
            BannedBy::Regulation,
            BannedBy::SecondFactors,
            BannedBy::Administrator,
        ];
        all.into_iter().find(|by| by.word() == word)
    }
}

impl TriedAt {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            TriedAt::Password => "password",
            TriedAt::SecondFactor => "second factor",
        }
    }

    /// What is called so.
    pub fn of_word(word: &str) -> Option<TriedAt> {
        [TriedAt::Password, TriedAt::SecondFactor]
            .into_iter()
            .find(|at| at.word() == word)
    }
}
