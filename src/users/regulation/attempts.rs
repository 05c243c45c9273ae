//! The counts of all users and addresses, in the memory that all workers share.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};

use super::{
    Attempt, Banned, Mark, Reservation, Settings, Whom,
    tally::{TALLY_LENGTH, Tally},
};
use crate::slots::{Entry, Key, Memory, Opened, Shape, Stats, Table, Text, TooSmall, Victim};

/// Longer names are cut in lists; they are counted by their hash and never mixed up.
const NAME: usize = 135;
const ADDRESS: usize = 16;

// A ban outlasts the failures that led to it, so who expires first is missed least.
const USERS: Shape = Shape {
    format: 0x5e9_0001,
    payload: TALLY_LENGTH + 1 + NAME,
    victim: Victim::FirstToExpire,
};
const ADDRESSES: Shape = Shape {
    format: 0x5e9_1001,
    payload: TALLY_LENGTH + ADDRESS,
    victim: Victim::FirstToExpire,
};

/// The failed logins in a piece of shared memory whose lock the caller holds.
#[derive(Debug)]
pub struct Attempts<'a, M = &'a mut [u8]> {
    users: Table<M>,
    addresses: Table<M>,
    key: &'a [u8; 32],
}

/// Somebody who has failed, or is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Who it is.
    pub who: Who,
    /// Failures since the last success or ban, some of which may be too old to count.
    pub failures: u64,
    /// The end of the ban in force, in Unix seconds.
    pub banned_until: Option<u64>,
}

/// A user or an address that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The canonical name of a user; a very long one is cut.
    User(Text<NAME>),
    /// An IPv4 address, or the first address of the /64 network of IPv6 addresses.
    Address(IpAddr),
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
        let users = memory.len() / 8 * 5 & !63;
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
        let mut reservation = Reservation { marks: [None; 2] };
        if settings.max_retries == 0 {
            return Ok(reservation);
        }
        if let Some(banned) = self.banned(attempt, settings, now) {
            return Err(banned);
        }
        let who = [
            self.address(attempt, settings),
            self.user(attempt, settings),
        ];
        for (mark, who) in reservation.marks.iter_mut().zip(who) {
            *mark = who.map(|who| self.count(who, settings, now)).transpose()?;
        }
        Ok(reservation)
    }

    /// Says how a reserved attempt ended. A success forgets the failures reserved before it and
    /// undoes a ban that rests on it or on them; a failure changes nothing, as it was one already.
    pub fn settle(&mut self, reservation: &Reservation, success: bool) {
        for mark in reservation.marks.iter().flatten().filter(|_| success) {
            let table = self.table(mark.whom);
            let Some(entry) = table.lookup(&mark.key) else {
                continue;
            };
            let (expires, touched) = (entry.expires, entry.touched);
            let Some((mut tally, mut payload)) = load(&entry) else {
                continue;
            };
            tally.succeed(mark.number);
            if tally.is_blank() {
                table.remove(&mark.key);
                continue;
            }
            payload[..TALLY_LENGTH].copy_from_slice(&tally.encode());
            table.update(&mark.key, &payload, expires, touched);
        }
    }

    /// The ban that holds an attempt, the address's before the user's.
    pub fn banned(
        &mut self,
        attempt: &Attempt<'_>,
        settings: &Settings,
        now: u64,
    ) -> Option<Banned> {
        let who = [
            self.address(attempt, settings),
            self.user(attempt, settings),
        ];
        let mut held = who.into_iter().flatten().filter_map(|who| {
            let (tally, _) = load(&self.table(who.whom).lookup(&who.key)?)?;
            let until = tally.banned_until(settings, now)?;
            Some(Banned {
                whom: who.whom,
                until,
            })
        });
        held.next()
    }

    /// Everybody who is counted or banned, in no order.
    pub fn list(&self, settings: &Settings, now: u64) -> impl Iterator<Item = Listed> {
        let settings = *settings;
        let listed = move |entry: Entry<'_>, who: fn(&[u8]) -> Option<Who>| {
            let (tally, _) = load(&entry).filter(|_| entry.expires > now)?;
            let who = who(entry.payload.get(TALLY_LENGTH..)?)?;
            let banned_until = tally.banned_until(&settings, now);
            Some(Listed {
                who,
                failures: tally.failures(),
                banned_until,
            })
        };
        let users = walk(&self.users).filter_map(move |entry| listed(entry, user_label));
        let addresses = walk(&self.addresses).filter_map(move |entry| listed(entry, address_label));
        users.chain(addresses)
    }

    /// Forgets failures and ban of a user; `false` if there was nothing to forget.
    pub fn revoke_user(&mut self, name: &str) -> bool {
        let key = self.hash(Whom::User, name.as_bytes());
        self.users.remove(&key)
    }

    /// Forgets failures and ban of an address; `false` if there was nothing to forget.
    pub fn revoke_address(&mut self, address: IpAddr) -> bool {
        let key = self.hash(Whom::Address, &network(address).octets());
        self.addresses.remove(&key)
    }

    /// Figures of the tables of users and of addresses.
    pub fn stats(&self) -> [Stats; 2] {
        [self.users.stats(), self.addresses.stats()]
    }

    fn count(&mut self, who: Counted, settings: &Settings, now: u64) -> Result<Mark, Banned> {
        let Counted { whom, key, label } = who;
        let table = self.table(whom);
        let known = table.lookup(&key).and_then(|entry| load(&entry));
        let (mut tally, mut payload) = known.unwrap_or_else(|| (Tally::new(now), [0; PAYLOAD]));
        let (number, ban) = tally.fail(settings, now);
        payload[..TALLY_LENGTH].copy_from_slice(&tally.encode());
        payload[TALLY_LENGTH..].copy_from_slice(&label);
        let kept = table.insert(&key, &payload, tally.ends(settings), now, now);
        // What cannot be counted must not be tried.
        kept.ok_or(Banned {
            whom,
            until: now.saturating_add(1),
        })?;
        Ok(Mark {
            whom,
            key,
            number,
            ban,
        })
    }

    fn table(&mut self, whom: Whom) -> &mut Table<M> {
        match whom {
            Whom::User => &mut self.users,
            Whom::Address => &mut self.addresses,
        }
    }

    fn user(&self, attempt: &Attempt<'_>, settings: &Settings) -> Option<Counted> {
        let name = attempt.user.filter(|_| settings.modes.user)?;
        let mut label = [0; LABEL];
        let text = Text::<NAME>::cut(name);
        label[0] = text.length();
        label[1..].copy_from_slice(text.padded());
        let key = self.hash(Whom::User, name.as_bytes());
        Some(Counted {
            whom: Whom::User,
            key,
            label,
        })
    }

    fn address(&self, attempt: &Attempt<'_>, settings: &Settings) -> Option<Counted> {
        let octets = settings
            .modes
            .ip
            .then(|| network(attempt.address).octets())?;
        let mut label = [0; LABEL];
        label[..ADDRESS].copy_from_slice(&octets);
        let key = self.hash(Whom::Address, &octets);
        Some(Counted {
            whom: Whom::Address,
            key,
            label,
        })
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

const LABEL: usize = 1 + NAME;
const PAYLOAD: usize = TALLY_LENGTH + LABEL;

/// Who an attempt is counted for.
struct Counted {
    whom: Whom,
    key: Key,
    label: [u8; LABEL],
}

/// The tally of an entry, and its payload as far as there is one.
fn load(entry: &Entry<'_>) -> Option<(Tally, [u8; PAYLOAD])> {
    let mut payload = [0; PAYLOAD];
    payload
        .get_mut(..entry.payload.len())?
        .copy_from_slice(entry.payload);
    Some((Tally::decode(&payload[..TALLY_LENGTH])?, payload))
}

fn walk<M: Memory>(table: &Table<M>) -> impl Iterator<Item = Entry<'_>> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let (next, entry) = table.next(place)?;
        place = next;
        Some(entry)
    })
}

fn user_label(label: &[u8]) -> Option<Who> {
    let (length, name) = label.split_first()?;
    Text::from_padded(*length, name).map(Who::User)
}

fn address_label(label: &[u8]) -> Option<Who> {
    let octets: [u8; ADDRESS] = label.try_into().ok()?;
    Some(Who::Address(Ipv6Addr::from(octets).to_canonical()))
}

/// What counts as one address: an IPv4 address by itself, of an IPv6 address the /64 network, as
/// whoever has one of its addresses has them all.
fn network(address: IpAddr) -> Ipv6Addr {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::to_ipv6_mapped(&address),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64),
    }
}
