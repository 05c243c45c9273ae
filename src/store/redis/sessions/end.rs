//! Sessions: how they end, one by one, in the place of another, or all of a user's at once.

use std::sync::LazyLock;

use redis::Script;

use super::super::cells::{CHUNK, Change};
use super::super::link::{Call, Visit, number};
use super::super::trouble::RedisTrouble;
use super::super::{Outcome, Redis, keys};
use super::cell::{EPOCHS, Epochs, Lasting, Over, REMEMBERED, Stamps};
use super::{Cell, News, Told};
use crate::store::{Command, LedgerSession, SessionKey};

/// How often a new epoch is begun while others begin one.
const TRIES: usize = 16;

/// Sessions of all that are looked at one by one to be counted; of more, the lists are believed.
const COUNTED: usize = 50_000;

/// Begins an epoch, if that of which one knows has not ended.
const RAISE: &str = "if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1";

static RAISE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(RAISE));

/// A session that has ended.
struct Ended {
    key: SessionKey,
    /// Who has it in his list.
    user: Option<String>,
    /// Whether it lasted.
    lasted: bool,
}

/// What the end of a session comes to.
pub(in super::super) struct End {
    /// Whether it was not known to be over.
    pub(in super::super) is_news: bool,
    /// Whether it lasted.
    pub(in super::super) lasted: bool,
}

impl Redis {
    /// Begins a session in the place of another, perhaps of another user's. Gives its key if it is over.
    pub(in super::super) fn replace_session(
        &self,
        visit: Visit<'_>,
        session: &LedgerSession,
        old: &SessionKey,
        (by, now): (u64, u64),
    ) -> Outcome<Option<SessionKey>> {
        let told = match self.hand_over(visit, session, old, now)? {
            Some(stamps) => Told::Heir(stamps),
            // Written down long ago, perhaps, and told once more.
            None if self.lasting(visit, &[session.key], now)?.is_empty() => {
                self.end_session(visit, &session.key, now)?;
                return Ok(Some(session.key));
            }
            None => Told::Used,
        };
        if let [over] = self.keep_sessions(visit, &[News { session, told }], now)?[..] {
            self.end_session(visit, &over, now)?;
            return Ok(Some(over));
        }
        self.unlist(visit, &[gone(*old, &session.user, true)])?;
        self.announce(visit, &Command::EndSession(*old), (by, now))?;
        Ok(None)
    }

    /// Ends a session in favour of another one, which must not begin before: then only one of two
    /// could, and an end that came first holds for both. Gives its stamps, unless it was over.
    fn hand_over(
        &self,
        visit: Visit<'_>,
        session: &LedgerSession,
        old: &SessionKey,
        now: u64,
    ) -> Outcome<Option<Stamps>> {
        // Who signs in as somebody else leaves a session of another user's.
        let there = self.read_cells(visit, &[Self::session_cell(old)])?.pop();
        let there = there.flatten().and_then(|value| Cell::read(&value, *old));
        let whose = match &there {
            Some(Cell::Lasting(there)) => &there.session.user,
            _ => &session.user,
        };
        let epochs = self.epochs(visit, [session.user.as_str(), whose])?;
        let heir = Some(session.key);
        let in_favour = |stamps| {
            let (value, seconds) = Over::unknown(heir, stamps);
            (Change::Write(value, seconds), Some(stamps))
        };
        self.change_cell(visit, Self::session_cell(old), |value| {
            match value.and_then(|value| Cell::read(value, *old)) {
                // Tried again after an error.
                Some(Cell::Over(over)) if over.successor == heir => {
                    (Change::Keep, Some(over.stamps))
                }
                Some(Cell::Over(_)) => (Change::Keep, None),
                // It has ended by itself, and what was ordered since says nothing of it.
                Some(Cell::Lasting(there)) if there.session.ends <= now => {
                    in_favour(epochs.stamps(&session.user))
                }
                Some(Cell::Lasting(there)) if !there.valid(&epochs) => (Change::Keep, None),
                Some(Cell::Lasting(mut there)) => {
                    if there.session.user != session.user {
                        let all = there.stamps.all;
                        there.stamps = Stamps {
                            all,
                            ..epochs.stamps(&session.user)
                        };
                    }
                    let (value, seconds) = there.end(heir, now);
                    (Change::Write(value, seconds), Some(there.stamps))
                }
                Some(Cell::Pardoned(stamps)) if stamps.hold(epochs.stamps(&session.user)) => {
                    in_favour(stamps)
                }
                Some(Cell::Pardoned(_)) | None => in_favour(epochs.stamps(&session.user)),
            }
        })
    }

    /// Ends one session; says whether that is news, and whether it lasted.
    pub(in super::super) fn end_session(
        &self,
        visit: Visit<'_>,
        key: &SessionKey,
        now: u64,
    ) -> Outcome<End> {
        let cell = Self::session_cell(key);
        // Whose answer is lost finds what he has written himself.
        let written = std::cell::Cell::new(false);
        let ended = self.change_cell(visit, cell, |value| {
            match value.and_then(|value| Cell::read(value, *key)) {
                Some(Cell::Over(_)) => (Change::Keep, written.get().then_some(None)),
                Some(Cell::Lasting(there)) => {
                    written.set(true);
                    let (value, seconds) = there.end(None, now);
                    (Change::Write(value, seconds), Some(Some(there)))
                }
                // Where the news of its beginning have not come yet, they find that it is over.
                Some(Cell::Pardoned(_)) | None => {
                    written.set(true);
                    let (value, seconds) = Over::unknown(None, Stamps::default());
                    (Change::Write(value, seconds), Some(None))
                }
            }
        })?;
        let is_news = ended.is_some();
        let Some(there) = ended.flatten() else {
            let lasted = false;
            return Ok(End { is_news, lasted });
        };
        let epochs = self.epochs(visit, [there.session.user.as_str()])?;
        let lasted = there.lasts(&epochs, now);
        let ended = Ended {
            key: *key,
            user: Some(there.session.user),
            lasted,
        };
        self.unlist(visit, &[ended])?;
        Ok(End { is_news, lasted })
    }

    /// Ends the sessions of a user but one, tells of it, and puts them away; says how many.
    pub(in super::super) fn end_user(
        &self,
        visit: Visit<'_>,
        user: &str,
        except: Option<&SessionKey>,
        now: u64,
        tell: impl FnOnce() -> Outcome<()>,
    ) -> Outcome<usize> {
        let (before, after) = self.begin_epoch(visit, Some(user), except, now)?;
        tell()?;
        let mut count = 0;
        for part in self.listed(visit, Some(user), now)?.chunks(CHUNK) {
            let cells: Vec<_> = part.iter().map(Self::session_cell).collect();
            let ended = self.change_cells(visit, &cells, |n, value| {
                let key = part[n];
                let there = value.and_then(|value| Cell::read(value, key));
                match there {
                    Some(Cell::Lasting(there)) if there.valid(&after) => (Change::Keep, None),
                    Some(Cell::Lasting(there)) => {
                        let (value, seconds) = there.end(None, now);
                        let lasted = there.lasts(&before, now);
                        (Change::Write(value, seconds), Some(gone(key, user, lasted)))
                    }
                    _ => (Change::Keep, Some(gone(key, user, false))),
                }
            })?;
            let ended: Vec<Ended> = ended.into_iter().flatten().collect();
            count += ended.iter().filter(|ended| ended.lasted).count();
            self.unlist(visit, &ended)?;
        }
        Ok(count)
    }

    /// Ends all sessions, tells of it, and takes them off the lists; says how many.
    pub(in super::super) fn end_everybody(
        &self,
        visit: Visit<'_>,
        now: u64,
        tell: impl FnOnce() -> Outcome<()>,
    ) -> Outcome<usize> {
        // Listed before the epoch begins: what comes into the lists later may have begun in it.
        let listed = self.listed(visit, None, now)?;
        let mut count = listed.len();
        if count <= COUNTED {
            // A session that was used while it ended may still be listed.
            count = 0;
            for part in listed.chunks(CHUNK) {
                count += self.lasting(visit, part, now)?.len();
            }
        }
        self.begin_epoch(visit, None, None, now)?;
        tell()?;
        let ended: Vec<Ended> = listed
            .into_iter()
            .map(|key| Ended {
                key,
                user: None,
                lasted: true,
            })
            .collect();
        // Lists forget by themselves what has ended.
        let _ = self.unlist(visit, &ended);
        Ok(count)
    }

    /// Begins a new epoch of a user or of all, which one session survives. Gives the epochs before
    /// and after.
    fn begin_epoch(
        &self,
        visit: Visit<'_>,
        user: Option<&str>,
        except: Option<&SessionKey>,
        now: u64,
    ) -> Outcome<(Epochs, Epochs)> {
        let key = match user {
            Some(user) => keys::user_epoch(&self.key, user),
            None => keys::EPOCH.to_vec(),
        };
        for _ in 0..TRIES {
            let before = self.epochs(visit, user)?;
            let mut after = before.clone();
            let last = match user {
                Some(user) => after.users.entry(user.to_owned()).or_default(),
                None => &mut after.all,
            };
            let known = *last;
            // By the clock, so that one that was lost with a server is later than all the same.
            let next = now.saturating_mul(EPOCHS).max(known.saturating_add(1));
            let new = next.saturating_add(self.unique() % EPOCHS);
            *last = new;
            if let Some(except) = except {
                self.pardon(visit, except, (&before, new), now)?;
            }
            let raise = Call::script(&RAISE_SCRIPT, RAISE, &key).arg(known).arg(new);
            let raised = number(&visit.ask(raise)?);
            if raised.map_err(|wrong| self.link.error(wrong))? == 1 {
                return Ok((before, after));
            }
        }
        Err(self.link.error(RedisTrouble::Busy))
    }

    /// Lets a session of the user's survive the epoch that is about to begin, and no other.
    fn pardon(
        &self,
        visit: Visit<'_>,
        key: &SessionKey,
        (before, epoch): (&Epochs, u64),
        now: u64,
    ) -> Outcome<()> {
        self.change_cell(visit, Self::session_cell(key), |value| {
            match value.and_then(|value| Cell::read(value, *key)) {
                Some(Cell::Lasting(there))
                    if before.users.contains_key(&there.session.user) && there.valid(before) =>
                {
                    let seconds = there.kept(now);
                    let stamps = Stamps {
                        pardon: epoch,
                        ..there.stamps
                    };
                    let session = there.session;
                    let pardoned = Cell::Lasting(Lasting { stamps, session });
                    (Change::Write(pardoned.write(), seconds), ())
                }
                // It was lost, perhaps, and is kept anew when it is used.
                Some(Cell::Pardoned(_)) | None => {
                    let stamps = Stamps {
                        user: 0,
                        pardon: epoch,
                        all: before.all,
                    };
                    let pardoned = Cell::Pardoned(stamps);
                    (Change::Write(pardoned.write(), REMEMBERED), ())
                }
                Some(Cell::Lasting(_) | Cell::Over(_)) => (Change::Keep, ()),
            }
        })
    }

    /// Takes sessions out of the lists.
    fn unlist(&self, visit: Visit<'_>, ended: &[Ended]) -> Outcome<()> {
        for ended in ended.chunks(CHUNK) {
            let mut calls = Vec::new();
            for Ended { key, user, .. } in ended {
                let remove = |index: &[u8]| Call::new("ZREM", index).arg(&key[..]);
                calls.push(remove(&keys::bucket(key[0])));
                let user = user.as_ref().map(|user| keys::user(&self.key, user));
                calls.extend(user.map(|index| remove(&index)));
            }
            visit.ask_all(&calls)?;
        }
        Ok(())
    }
}

fn gone(key: SessionKey, user: &str, lasted: bool) -> Ended {
    Ended {
        key,
        user: Some(user.to_owned()),
        lasted,
    }
}
