//! A ledger that is a few lists in memory, searched from end to end. It loses nothing, so what has
//! ended is over for good.

use std::collections::HashMap;

use ngx_http_auth_gate_module::store::{TriedAt, Try};

use super::*;

#[derive(Default)]
pub struct Model {
    pub sessions: Vec<LedgerSession>,
    over: Vec<SessionKey>,
    pub bans: Vec<Ban>,
    pub failures: Vec<Try>,
    passes: HashMap<(TriedAt, Target), u64>,
    /// What was ordered, and when.
    orders: Vec<(Command, u64)>,
}

impl Model {
    /// Gives the key of a session that is over.
    pub fn record(&mut self, event: &Event, now: u64) -> Option<SessionKey> {
        self.forget(now);
        match event {
            Event::Started {
                session,
                replaces: Some(old),
            } if self.over.contains(old) => {
                if self.lasts(&session.key) {
                    return self.keep(session);
                }
                self.end(&session.key);
                return Some(session.key);
            }
            Event::Started { session, replaces } => {
                replaces.iter().for_each(|old| self.end(old));
                return self.keep(session);
            }
            Event::Used(session) => {
                let lost = !self.lasts(&session.key) && !self.over.contains(&session.key);
                if lost && self.was_ended(session) {
                    return Some(session.key);
                }
                return self.keep(session);
            }
            Event::Ended(key) => self.end(key),
            Event::Banned(ban) if self.was_revoked(&ban.target, ban.created) => {}
            Event::Banned(ban) => self.ban(ban),
            Event::Tried(tried) => self.count(tried),
        }
        None
    }

    pub fn place_order(&mut self, command: &Command, now: u64) -> usize {
        self.forget(now);
        self.orders.push((command.clone(), now));
        let ended = self.sessions.len();
        match command {
            Command::EndSession(key) => self.end(key),
            Command::EndUser { user, except } => {
                let his =
                    |session: &LedgerSession| session.user == *user && Some(session.key) != *except;
                self.end_those(his);
            }
            Command::EndAll => self.end_those(|_| true),
            Command::Ban(ban) => {
                self.ban(ban);
                return 1;
            }
            Command::Revoke(target) => {
                let bans = self.bans.len();
                self.bans.retain(|ban| ban.target != *target);
                self.failures.retain(|tried| tried.target != *target);
                self.passes.retain(|(_, of), _| of != target);
                return bans - self.bans.len();
            }
            Command::Count(tried) => self.count(tried),
        }
        ended - self.sessions.len()
    }

    /// Forgets what has ended by itself.
    pub fn forget(&mut self, now: u64) {
        self.sessions.retain(|session| session.ends > now);
        self.bans.retain(|ban| ban.until > now);
    }

    pub fn lasts(&self, key: &SessionKey) -> bool {
        self.sessions.iter().any(|session| session.key == *key)
    }

    fn keep(&mut self, session: &LedgerSession) -> Option<SessionKey> {
        if self.over.contains(&session.key) {
            return Some(session.key);
        }
        let mut known = self.sessions.iter_mut();
        match known.find(|known| known.key == session.key) {
            Some(known) if known.last_used > session.last_used => {}
            Some(known) => *known = session.clone(),
            None => self.sessions.push(session.clone()),
        }
        None
    }

    fn end(&mut self, key: &SessionKey) {
        self.sessions.retain(|session| session.key != *key);
        self.over.push(*key);
    }

    fn end_those(&mut self, which: impl Fn(&LedgerSession) -> bool) {
        let those = self.sessions.iter().filter(|session| which(session));
        let keys: Vec<_> = those.map(|session| session.key).collect();
        keys.iter().for_each(|key| self.end(key));
    }

    fn was_ended(&self, session: &LedgerSession) -> bool {
        self.orders.iter().any(|(command, at)| {
            *at >= session.created
                && match command {
                    Command::EndAll => true,
                    Command::EndUser { user, except } => {
                        *user == session.user && *except != Some(session.key)
                    }
                    _ => false,
                }
        })
    }

    fn was_revoked(&self, target: &Target, when: u64) -> bool {
        let revoke = Command::Revoke(target.clone());
        let mut orders = self.orders.iter();
        orders.any(|(command, at)| *command == revoke && *at >= when)
    }

    fn ban(&mut self, ban: &Ban) {
        let same = |known: &&mut Ban| known.target == ban.target && known.by == ban.by;
        let Some(known) = self.bans.iter_mut().find(same) else {
            self.bans.push(ban.clone());
            return;
        };
        known.until = match ban.by {
            BannedBy::Administrator => ban.until,
            _ => known.until.max(ban.until),
        };
        known.created = known.created.max(ban.created);
    }

    fn count(&mut self, tried: &Try) {
        let of = (tried.at, tried.target.clone());
        let passed = self.passes.get(&of).copied().unwrap_or(0);
        if passed > tried.when || self.was_revoked(&tried.target, tried.when) {
            return;
        }
        if !tried.passed {
            self.failures.push(tried.clone());
            return;
        }
        self.passes.insert(of.clone(), tried.when);
        self.failures
            .retain(|known| (known.at, &known.target) != (of.0, &of.1) || known.when > tried.when);
    }
}
