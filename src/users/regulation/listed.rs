//! Who is counted, as the tables keep it and as lists show it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attempts::{Attempts, load};
use super::tally::TALLY_LENGTH;
use super::{Reservation, Whom};
use crate::slots::{Entry, Memory, Table, Text};
use crate::users::MAX_NAME;

/// Room for the name of every user; with its length it fills words of eight bytes.
const NAME: usize = 143;
const _: () = assert!(NAME >= MAX_NAME);

/// Length of an address as it is kept, in bytes.
pub(super) const ADDRESS: usize = 16;

/// Length of a name as it is kept, in bytes; an address needs less.
pub(super) const LABEL: usize = 1 + NAME;

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
    /// The canonical name of a user.
    User(Text<NAME>),
    /// An IPv4 address, or the first address of the /64 network of IPv6 addresses.
    Address(IpAddr),
}

/// A user or an address, in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The canonical name of a user; never one that nobody has.
    User(Text<MAX_NAME>),
    /// An IPv4 address, or the first address of the /64 network of IPv6 addresses.
    Address(IpAddr),
}

impl Subject {
    /// The user of a name, which must be somebody's. Nobody has a longer one than fits.
    pub fn user(name: &str) -> Self {
        Subject::User(Text::cut(name))
    }

    /// The address that `address` counts as.
    pub fn address(address: IpAddr) -> Self {
        Subject::Address(counted_as(address))
    }
}

impl<M: Memory> Attempts<'_, M> {
    /// Everybody who is counted or banned, in no order.
    pub fn list(&self, now: u64) -> impl Iterator<Item = Listed> {
        let listed = move |entry: Entry<'_>, who: fn(&[u8]) -> Option<Who>| {
            let (tally, _) = load(&entry).filter(|_| entry.expires > now)?;
            let who = who(entry.payload.get(TALLY_LENGTH..)?)?;
            Some(Listed {
                who,
                failures: tally.failures(),
                banned_until: tally.banned_until(now),
            })
        };
        let users = walk(&self.users).filter_map(move |entry| listed(entry, read_name));
        let addresses = walk(&self.addresses).filter_map(move |entry| listed(entry, read_network));
        users.chain(addresses)
    }

    /// Whom the bans hold that are in force if this attempt fails, for lists.
    pub fn banned_by(&mut self, reservation: &Reservation) -> Vec<(Who, u64)> {
        let bans = reservation.marks.iter().flatten();
        let bans = bans.filter_map(|mark| Some((mark.whom, &mark.key, mark.ban?)));
        bans.filter_map(|(whom, key, until)| {
            let entry = self.table(whom).lookup(key)?;
            let label = entry.payload.get(TALLY_LENGTH..)?;
            let who = match whom {
                Whom::User => read_name(label),
                Whom::Address => read_network(label),
            };
            Some((who?, until))
        })
        .collect()
    }
}

fn walk<M: Memory>(table: &Table<M>) -> impl Iterator<Item = Entry<'_>> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let (next, entry) = table.next(place)?;
        place = next;
        Some(entry)
    })
}

/// How a name is kept.
pub(super) fn name_label(name: &str) -> [u8; LABEL] {
    let text = Text::<NAME>::cut(name);
    let mut label = [0; LABEL];
    label[0] = text.length();
    label[1..].copy_from_slice(text.padded());
    label
}

/// How the octets of a [`network`] are kept.
pub(super) fn network_label(network: Ipv6Addr) -> [u8; LABEL] {
    let mut label = [0; LABEL];
    label[..ADDRESS].copy_from_slice(&network.octets());
    label
}

/// The name that [`name_label`] was given.
pub(super) fn read_name(label: &[u8]) -> Option<Who> {
    let (length, name) = label.split_first()?;
    Text::from_padded(*length, name).map(Who::User)
}

/// The address that [`network_label`] was given.
pub(super) fn read_network(label: &[u8]) -> Option<Who> {
    let octets: [u8; ADDRESS] = label.try_into().ok()?;
    Some(Who::Address(Ipv6Addr::from(octets).to_canonical()))
}

/// The address that stands for all that count as one with `address`.
pub fn counted_as(address: IpAddr) -> IpAddr {
    IpAddr::V6(network(address)).to_canonical()
}

/// What counts as one address: an IPv4 address by itself, of an IPv6 address the /64 network, as
/// whoever has one of its addresses has them all.
pub(super) fn network(address: IpAddr) -> Ipv6Addr {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::to_ipv6_mapped(&address),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64),
    }
}
