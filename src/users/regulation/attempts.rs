//! The counts of all users and addresses, in the memory that all workers share.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::{
    Attempt, Banned, Mark, Reservation, Settings, Stage, Subject, Whom,
    listed::{ADDRESS, LABEL, name_label, network, network_label},
    tally::{TALLY_LENGTH, Tally},
};
use crate::slots::{Entry, Key, Memory, Opened, Shape, Stats, Table, TooSmall, Victim};

// A ban outlasts the failures that led to it, so who expires first is missed least.
const USERS: Shape = Shape {
    format: 0x5e9_0002,
    payload: TALLY_LENGTH + LABEL,
    victim: Victim::FirstToExpire,
};
const ADDRESSES: Shape = Shape {
    format: 0x5e9_1002,
    payload: TALLY_LENGTH + ADDRESS,
    victim: Victim::FirstToExpire,
};

/// The failed logins in a piece of shared memory whose lock the caller holds.
#[derive(Debug)]
pub struct Attempts<'a, M = &'a mut [u8]> {
    pub(super) users: Table<M>,
    pub(super) addresses: Table<M>,
    key: &'a [u8; 32],
}

impl<'a> Attempts<'a> {
    /// Opens what `memory` holds, whatever that is. `key` makes it unpredictable from outside where
    /// in it somebody is kept; see [`crate::session::Keys::regulation`]. The states are those of
    /// users and of addresses.
    ///
    /// # Errors
    /// There is no room for one user and one address.
    pub fn open(
        memory: &'a mut [u8],
        key: &'a [u8; 32],
    ) -> Result<(Attempts<'a>, [Opened; 2]), TooSmall> {
        let users = (memory.len() / 8 * 5) & !63;
        let (users, addresses) = memory.split_at_mut(users);
        Self::open_both(users, addresses, key)
    }
}

impl<'a, M: Memory> Attempts<'a, M> {
    pub(super) fn open_both(
        users: M,
        addresses: M,
        key: &'a [u8; 32],
    ) -> Result<(Self, [Opened; 2]), TooSmall> {
        let (users, first) = Table::open(users, USERS)?;
        let (addresses, second) = Table::open(addresses, ADDRESSES)?;
        Ok((
            Attempts {
                users,
                addresses,
                key,
            },
            [first, second],
        ))
    }

    /// Counts the attempt as a failure and lets it go on to the password, unless somebody is banned
    /// whom it concerns; then nothing is counted. What checks passwords must have taken the attempt
    /// on before: one that is turned away later stays a failure.
    ///
    /// # Errors
    /// The ban that holds. To the visitor it must look like a wrong password.
    pub fn reserve(
        &mut self,
        attempt: &Attempt<'_>,
        settings: &Settings,
        now: u64,
    ) -> Result<Reservation, Banned> {
        let mut reservation = Reservation {
            stage: Stage::Password,
            marks: [None; 2],
        };
        if let Some(banned) = self.banned(attempt, settings, now) {
            return Err(banned);
        }
        for (mark, who) in reservation.marks.iter_mut().zip(self.concerned(attempt)) {
            let who = who.filter(|who| settings.counts(who.whom));
            *mark = who.map(|who| self.count(who, settings, now)).transpose()?;
        }
        Ok(reservation)
    }

    /// Says how a reserved attempt ended. A success forgets the failures reserved before it and
    /// undoes a ban that rests on it or on them; a failure changes nothing, as it was one already.
    pub fn settle(&mut self, reservation: &Reservation, success: bool) {
        for mark in reservation.marks.iter().flatten().filter(|_| success) {
            let table = self.table(mark.whom);
            change(table, &mark.key, |tally| tally.succeed(mark.number));
        }
    }

    /// Takes back a reserved attempt of which nothing was checked, as when the store was out of
    /// reach: it counts no more, and a ban that it brought about is none.
    pub fn withdraw(&mut self, reservation: &Reservation) {
        for mark in reservation.marks.iter().flatten() {
            let table = self.table(mark.whom);
            change(table, &mark.key, |tally| tally.withdraw(mark.number));
        }
    }

    /// The ban that holds an attempt, the address's before the user's. One that was said holds
    /// whatever the settings are.
    pub fn banned(
        &mut self,
        attempt: &Attempt<'_>,
        settings: &Settings,
        now: u64,
    ) -> Option<Banned> {
        let who = self.concerned(attempt);
        let mut held = who.into_iter().flatten().filter_map(|who| {
            let Counted { whom, key, .. } = who;
            let table = self.table(whom);
            let (mut tally, _) = load(&table.lookup(&key)?)?;
            if !tally.is_said() && !settings.counts(whom) {
                return None;
            }
            if tally.shorten(settings, now) {
                change(table, &key, |tally| _ = tally.shorten(settings, now));
            }
            tally.banned_until(now).map(|until| Banned { whom, until })
        });
        held.next()
    }

    /// Bans a user until `until`, whatever has been counted and whatever the settings are; `false`
    /// if the memory is broken.
    pub fn ban_user(&mut self, name: &str, until: u64, now: u64) -> bool {
        let who = self.user(name);
        self.ban(who, until, now)
    }

    /// Bans an address, or the /64 network of an IPv6 address, until `until`; as
    /// [`Attempts::ban_user`].
    pub fn ban_address(&mut self, address: IpAddr, until: u64, now: u64) -> bool {
        let who = self.address(address);
        self.ban(who, until, now)
    }

    /// Forgets failures and ban of a user; `false` if there was nothing to forget.
    pub fn revoke_user(&mut self, name: &str) -> bool {
        let Counted { key, .. } = self.user(name);
        self.users.remove(&key)
    }

    /// Forgets failures and ban of an address; `false` if there was nothing to forget.
    pub fn revoke_address(&mut self, address: IpAddr) -> bool {
        let Counted { key, .. } = self.address(address);
        self.addresses.remove(&key)
    }

    /// Figures of the tables of users and of addresses.
    pub fn stats(&self) -> [Stats; 2] {
        [self.users.stats(), self.addresses.stats()]
    }

    fn count(&mut self, who: Counted, settings: &Settings, now: u64) -> Result<Mark, Banned> {
        let Counted { whom, key, .. } = who;
        let mut tally = self.tally(&who, now);
        let (number, ban) = tally.fail(settings, now);
        // What cannot be counted must not be tried.
        if !self.keep(&who, &tally, tally.ends(settings), now) {
            let until = now.saturating_add(1);
            return Err(Banned { whom, until });
        }
        Ok(Mark {
            whom,
            who: who.subject,
            key,
            number,
            ban,
        })
    }

    fn ban(&mut self, who: Counted, until: u64, now: u64) -> bool {
        let known = self.table(who.whom).lookup(&who.key);
        let expires = known.map_or(0, |entry| entry.expires);
        let mut tally = self.tally(&who, now);
        tally.ban(until);
        self.keep(&who, &tally, expires.max(until), now)
    }

    /// The tally of somebody, a new one if there is none.
    pub(super) fn tally(&mut self, who: &Counted, now: u64) -> Tally {
        let known = self.table(who.whom).lookup(&who.key);
        let known = known.and_then(|entry| load(&entry));
        known.map_or_else(|| Tally::new(now), |(tally, _)| tally)
    }

    pub(super) fn keep(&mut self, who: &Counted, tally: &Tally, expires: u64, now: u64) -> bool {
        let mut payload = [0; PAYLOAD];
        payload[..TALLY_LENGTH].copy_from_slice(&tally.encode());
        payload[TALLY_LENGTH..].copy_from_slice(&who.label);
        let table = self.table(who.whom);
        table
            .insert(&who.key, &payload, expires, now, now)
            .is_some()
    }

    pub(super) fn table(&mut self, whom: Whom) -> &mut Table<M> {
        match whom {
            Whom::User => &mut self.users,
            Whom::Address => &mut self.addresses,
        }
    }

    /// Whom an attempt concerns, the address before the user.
    fn concerned(&self, attempt: &Attempt<'_>) -> [Option<Counted>; 2] {
        let user = attempt.user.map(|name| self.user(name));
        [Some(self.address(attempt.address)), user]
    }

    pub(super) fn user(&self, name: &str) -> Counted {
        Counted {
            whom: Whom::User,
            key: self.hash(Whom::User, name.as_bytes()),
            label: name_label(name),
            subject: Subject::user(name),
        }
    }

    pub(super) fn address(&self, address: IpAddr) -> Counted {
        let network = network(address);
        Counted {
            whom: Whom::Address,
            key: self.hash(Whom::Address, &network.octets()),
            label: network_label(network),
            subject: Subject::address(address),
        }
    }

    fn hash(&self, whom: Whom, bytes: &[u8]) -> Key {
        let kind = match whom {
            Whom::User => [0],
            Whom::Address => [1],
        };
        Sha256::new()
            .chain_update(self.key)
            .chain_update(kind)
            .chain_update(bytes)
            .finalize()
            .into()
    }
}

const PAYLOAD: usize = TALLY_LENGTH + LABEL;

/// Who an attempt is counted for.
pub(super) struct Counted {
    pub whom: Whom,
    pub key: Key,
    label: [u8; LABEL],
    subject: Subject,
}

/// The tally of an entry, and its payload as far as there is one.
pub(super) fn load(entry: &Entry<'_>) -> Option<(Tally, [u8; PAYLOAD])> {
    let mut payload = [0; PAYLOAD];
    payload
        .get_mut(..entry.payload.len())?
        .copy_from_slice(entry.payload);
    Some((Tally::decode(&payload[..TALLY_LENGTH])?, payload))
}

/// Changes the tally under `key`, if there is one, or removes it if that leaves nothing.
pub(super) fn change<M: Memory>(table: &mut Table<M>, key: &Key, change: impl FnOnce(&mut Tally)) {
    let Some(entry) = table.lookup(key) else {
        return;
    };
    let (expires, touched) = (entry.expires, entry.touched);
    let Some((mut tally, mut payload)) = load(&entry) else {
        return;
    };
    change(&mut tally);
    if tally.is_blank() {
        table.remove(key);
        return;
    }
    payload[..TALLY_LENGTH].copy_from_slice(&tally.encode());
    table.update(key, &payload, expires, touched);
}
