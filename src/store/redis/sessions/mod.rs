//! Sessions: how they begin, go on, are found and listed.

mod cell;
mod end;

pub(super) use cell::Cell;

use std::collections::{HashMap, HashSet};

use super::cells::{CHUNK, CellName, Change, enter, members};
use super::link::{Call, Visit, all_bytes, number};
use super::{Outcome, Redis, keys};
use crate::store::{LedgerSession, SessionKey};
use cell::{Epochs, Lasting, Stamps};

/// Sessions of one user, and in one of the 256 parts of all, that are listed.
const MOST: usize = 16_384;

/// What is told of a session.
#[derive(Clone, Copy)]
pub(super) struct News<'n> {
    pub(super) session: &'n LedgerSession,
    pub(super) told: Told,
}

/// How a session came about.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// It began.
    Started,
    /// It was used.
    Used,
    /// It comes in the place of one with these stamps.
    Heir(Stamps),
}

impl Redis {
    fn session_cell(key: &SessionKey) -> CellName {
        CellName {
            key: keys::session(key),
            table: "redis sessions",
            id: *key,
        }
    }

    pub(super) fn fetch_session(
        &self,
        key: &SessionKey,
        now: u64,
    ) -> Outcome<Option<LedgerSession>> {
        Ok(self.lasting(self.visit(), &[*key], now)?.pop())
    }

    /// The sessions that last, of one user or of all, newest first.
    pub(super) fn list_sessions(
        &self,
        user: Option<&str>,
        now: u64,
    ) -> Outcome<Vec<LedgerSession>> {
        let visit = self.visit();
        let mut found = Vec::new();
        for part in self.listed(visit, user, now)?.chunks(CHUNK) {
            let part = self.lasting(visit, part, now)?.into_iter();
            found.extend(part.filter(|found| user.is_none_or(|user| found.user == user)));
        }
        found.sort_by(|a, b| (b.created, a.key).cmp(&(a.created, b.key)));
        Ok(found)
    }

    /// Tells of sessions, all different. Gives the keys of those that are over.
    pub(super) fn keep_sessions(
        &self,
        visit: Visit<'_>,
        news: &[News<'_>],
        now: u64,
    ) -> Outcome<Vec<SessionKey>> {
        // Read before anything is written: an end that comes between the two counts.
        let epochs = self.epochs(visit, news.iter().map(|news| news.session.user.as_str()))?;
        let cells: Vec<_> = news
            .iter()
            .map(|news| Self::session_cell(&news.session.key))
            .collect();
        let ends = self.change_cells(visit, &cells, |n, value| {
            let News { session, told } = news[n];
            let there = value.and_then(|value| Cell::read(value, session.key));
            let next = match there {
                Some(Cell::Over(_)) => None,
                Some(Cell::Lasting(there)) => there.valid(&epochs).then(|| there.with(session)),
                Some(Cell::Pardoned(stamps)) => begin(session, Told::Heir(stamps), &epochs),
                None => begin(session, told, &epochs),
            };
            match next {
                Some(next) => {
                    let seconds = next.kept(now);
                    let ends = next.session.ends;
                    (
                        Change::Write(Cell::Lasting(next).write(), seconds),
                        Some(ends),
                    )
                }
                None => (Change::Keep, None),
            }
        })?;
        let mut over = Vec::new();
        let mut entries = Vec::new();
        for (news, ends) in news.iter().zip(ends) {
            let session = news.session;
            let Some(ends) = ends else {
                over.push(session.key);
                continue;
            };
            for index in [
                keys::user(&self.key, &session.user),
                keys::bucket(session.key[0]),
            ] {
                entries.push(enter(&index, &session.key, ends, now, MOST));
            }
        }
        for entries in entries.chunks(2 * CHUNK) {
            visit.ask_all(entries)?;
        }
        Ok(over)
    }

    /// The keys that the indexes list.
    fn listed(&self, visit: Visit<'_>, user: Option<&str>, now: u64) -> Outcome<Vec<SessionKey>> {
        let calls: Vec<Call> = match user {
            Some(user) => vec![members(&keys::user(&self.key, user), now, MOST)],
            None => (0..=u8::MAX)
                .map(|first| members(&keys::bucket(first), now, MOST))
                .collect(),
        };
        let mut listed = Vec::new();
        for answer in visit.ask_all(&calls)? {
            let members = all_bytes(answer).map_err(|wrong| self.link.error(wrong))?;
            // What is no key was not entered by us.
            let keys = members.into_iter();
            listed.extend(keys.filter_map(|key| SessionKey::try_from(key).ok()));
        }
        Ok(listed)
    }

    /// Those of the sessions that last.
    fn lasting(
        &self,
        visit: Visit<'_>,
        keys: &[SessionKey],
        now: u64,
    ) -> Outcome<Vec<LedgerSession>> {
        let cells: Vec<_> = keys.iter().map(Self::session_cell).collect();
        let values = self.read_cells(visit, &cells)?;
        let found =
            keys.iter()
                .zip(values)
                .filter_map(|(key, value)| match Cell::read(&value?, *key)? {
                    Cell::Lasting(found) => Some(found),
                    Cell::Over(_) | Cell::Pardoned(_) => None,
                });
        let found: Vec<Lasting> = found.collect();
        // Read after the sessions: an end that comes between the two counts.
        let epochs = self.epochs(visit, found.iter().map(|found| found.session.user.as_str()))?;
        let found = found.into_iter().filter(|found| found.lasts(&epochs, now));
        Ok(found.map(|found| found.session).collect())
    }

    /// When the sessions of all, and of each of these users, were ended last.
    fn epochs<'u>(
        &self,
        visit: Visit<'_>,
        users: impl IntoIterator<Item = &'u str>,
    ) -> Outcome<Epochs> {
        // Each once.
        let users: HashSet<&str> = users.into_iter().collect();
        let users: Vec<&str> = users.into_iter().collect();
        let mut calls = vec![Call::new("GET", keys::EPOCH)];
        let epochs = users.iter().map(|user| keys::user_epoch(&self.key, user));
        calls.extend(epochs.map(|key| Call::new("GET", &key)));
        let mut numbers = Vec::with_capacity(calls.len());
        for answer in visit.ask_all(&calls)? {
            numbers.push(number(&answer).map_err(|wrong| self.link.error(wrong))?);
        }
        let all = numbers.first().copied().unwrap_or_default();
        let users = users.into_iter().map(str::to_owned);
        Ok(Epochs {
            all,
            users: users
                .zip(numbers.into_iter().skip(1))
                .collect::<HashMap<_, _>>(),
        })
    }
}

/// A session of which nothing is known, unless it is over.
fn begin(session: &LedgerSession, told: Told, epochs: &Epochs) -> Option<Lasting> {
    let now = epochs.stamps(&session.user);
    let stamps = match told {
        Told::Started => now,
        Told::Heir(stamps) => stamps,
        // It was lost. Had it been there, the last end of all or of its user's would have been its.
        Told::Used if session.created <= now.newest_end() => return None,
        Told::Used => now,
    };
    let begun = Lasting {
        stamps,
        session: session.clone(),
    };
    begun.valid(epochs).then_some(begun)
}
