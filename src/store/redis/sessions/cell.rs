//! What is kept of a session, and when it counts.
//!
//! Ending all sessions of a user must reach those, too, that are being written down at that moment.
//! So each bears stamps: the epochs of its user and of everybody when it began. An end of all begins
//! a new epoch, and only what bears its stamp, or was pardoned for just that one, goes on.

use std::collections::HashMap;

use super::super::cells::MARGIN;
use super::super::form::{Reader, Writer};
use crate::store::{LedgerSession, SessionKey};

const LASTING: u8 = b's';
const OVER: u8 = b'o';
const PARDONED: u8 = b'p';

/// Epochs in a second: the beginning of one is its second times so many, and something random.
pub(in crate::store::redis) const EPOCHS: u64 = 1_000_000;

/// Seconds that the end of a session is remembered at least.
pub(super) const REMEMBERED: u64 = 60 * 60;

/// What a session's cell holds.
pub(in crate::store::redis) enum Cell {
    /// A session that lasts, unless its epoch is over.
    Lasting(Lasting),
    /// One that is over.
    Over(Over),
    /// One of which nothing is known but that it survives an end of all of its user's.
    Pardoned(Stamps),
}

/// A session, and the epochs that it belongs to.
pub(in crate::store::redis) struct Lasting {
    pub(super) stamps: Stamps,
    pub(super) session: LedgerSession,
}

/// A session that is over, or in whose place another has come.
pub(in crate::store::redis) struct Over {
    pub(super) successor: Option<SessionKey>,
    pub(super) stamps: Stamps,
}

/// The epochs that a session belongs to.
#[derive(Clone, Copy, Default)]
pub(in crate::store::redis) struct Stamps {
    pub(super) user: u64,
    /// The later epoch of its user's that it survives.
    pub(super) pardon: u64,
    pub(super) all: u64,
}

/// The epochs that there are.
#[derive(Clone)]
pub(super) struct Epochs {
    pub(super) all: u64,
    pub(super) users: HashMap<String, u64>,
}

impl Epochs {
    /// The stamps of a session of this user that begins.
    pub(super) fn stamps(&self, user: &str) -> Stamps {
        Stamps {
            user: self.users.get(user).copied().unwrap_or_default(),
            pardon: 0,
            all: self.all,
        }
    }
}

impl Stamps {
    /// When, in seconds, the sessions with these stamps could begin.
    pub(super) fn newest_end(self) -> u64 {
        self.user.max(self.all) / EPOCHS
    }

    /// Whether what bears these goes on in the epochs of `now`.
    pub(super) fn hold(self, now: Stamps) -> bool {
        self.all >= now.all && (self.user >= now.user || self.pardon == now.user)
    }
}

impl Lasting {
    /// Whether no end of all sessions has come since.
    pub(super) fn valid(&self, epochs: &Epochs) -> bool {
        self.stamps.hold(epochs.stamps(&self.session.user))
    }

    pub(super) fn lasts(&self, epochs: &Epochs, now: u64) -> bool {
        self.session.ends > now && self.valid(epochs)
    }

    /// The same with what is told of it; news come in any order.
    pub(super) fn with(self, news: &LedgerSession) -> Lasting {
        let there = self.session;
        let newest = match news.last_used >= there.last_used {
            true => news,
            false => &there,
        };
        let session = LedgerSession {
            created: there.created,
            ends: there.ends.max(news.ends),
            ..newest.clone()
        };
        Lasting {
            stamps: self.stamps,
            session,
        }
    }

    /// Seconds that it is kept.
    pub(super) fn kept(&self, now: u64) -> u64 {
        self.session.ends.saturating_sub(now).saturating_add(MARGIN)
    }

    /// Its end, and seconds that it is remembered: as long as it would have lasted.
    pub(super) fn end(&self, successor: Option<SessionKey>, now: u64) -> (Vec<u8>, u64) {
        let over = Over {
            successor,
            stamps: self.stamps,
        };
        (Cell::Over(over).write(), self.kept(now).max(REMEMBERED))
    }
}

impl Over {
    /// The end of a session of which nothing is known, and seconds that it is remembered.
    pub(super) fn unknown(successor: Option<SessionKey>, stamps: Stamps) -> (Vec<u8>, u64) {
        let over = Over { successor, stamps };
        (Cell::Over(over).write(), REMEMBERED)
    }
}

impl Cell {
    pub(in crate::store::redis) fn read(bytes: &[u8], key: SessionKey) -> Option<Cell> {
        let (kind, mut reader) = Reader::new(bytes)?;
        let stamps = Stamps {
            user: reader.number()?,
            pardon: reader.number()?,
            all: reader.number()?,
        };
        let cell = match kind {
            LASTING => Cell::Lasting(Lasting {
                stamps,
                session: reader.session(key)?,
            }),
            OVER => Cell::Over(Over {
                successor: reader.maybe_key()?,
                stamps,
            }),
            PARDONED => Cell::Pardoned(stamps),
            _ => return None,
        };
        reader.end(cell)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let (kind, stamps) = match self {
            Cell::Lasting(found) => (LASTING, found.stamps),
            Cell::Over(over) => (OVER, over.stamps),
            Cell::Pardoned(stamps) => (PARDONED, *stamps),
        };
        let writer = Writer::new(kind)
            .number(stamps.user)
            .number(stamps.pardon)
            .number(stamps.all);
        match self {
            Cell::Lasting(found) => writer.session(&found.session).done(),
            Cell::Over(over) => writer.maybe_key(over.successor.as_ref()).done(),
            Cell::Pardoned(_) => writer.done(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> LedgerSession {
        LedgerSession {
            key: [7; 32],
            user: "zoë".into(),
            domain: "example.com".into(),
            address: "2001:db8::1".parse().unwrap(),
            device: "Firefox on Linux".into(),
            methods: vec!["password".into(), "totp".into()],
            remember: true,
            created: 10,
            last_used: 20,
            ends: 30,
            record: vec![3; 512],
        }
    }

    fn lasting(user: u64, pardon: u64, all: u64) -> Lasting {
        Lasting {
            stamps: Stamps { user, pardon, all },
            session: session(),
        }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else_is() {
        let written = Cell::Lasting(lasting(1, 2, 3)).write();
        let Some(Cell::Lasting(read)) = Cell::read(&written, [7; 32]) else {
            panic!("cannot be read")
        };
        assert_eq!(read.session, session());
        assert_eq!(
            (read.stamps.user, read.stamps.pardon, read.stamps.all),
            (1, 2, 3)
        );
        for length in 0..written.len() {
            assert!(
                Cell::read(&written[..length], [7; 32]).is_none(),
                "{length}"
            );
        }
        let more = [&written[..], b"x"].concat();
        assert!(Cell::read(&more, [7; 32]).is_none());
    }

    #[test]
    fn an_end_of_all_leaves_what_began_later_and_what_was_pardoned_for_it() {
        let epochs = |user, all| Epochs {
            all,
            users: [("zoë".to_owned(), user)].into(),
        };
        assert!(lasting(5, 0, 3).valid(&epochs(5, 3)));
        assert!(!lasting(5, 0, 3).valid(&epochs(6, 3)));
        assert!(!lasting(5, 0, 3).valid(&epochs(5, 4)));
        assert!(lasting(5, 6, 3).valid(&epochs(6, 3)));
        assert!(
            !lasting(5, 6, 3).valid(&epochs(7, 3)),
            "a pardon is for one end"
        );
        assert!(!lasting(5, 6, 3).valid(&epochs(6, 4)));
    }

    #[test]
    fn late_news_change_nothing() {
        let mut late = session();
        (late.last_used, late.ends, late.record) = (19, 29, vec![4]);
        assert_eq!(lasting(0, 0, 0).with(&late).session, session());
        (late.last_used, late.ends) = (20, 31);
        let with = lasting(0, 0, 0).with(&late).session;
        assert_eq!((with.ends, with.record), (31, vec![4]));
    }
}
