//! How often one address may ask for what sends mail or takes a guess: token buckets, in the memory
//! that all workers share.
//!
//! A bucket is full in the beginning, gives one token to each request, and fills up again within its
//! period. It is kept as the time at which it is full again, so that nothing has to be refilled.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::listed::network;
use crate::slots::{Key, Memory, Opened, Shape, Stats, Table, TooSmall, Victim};

/// Most buckets of one kind of request.
pub const MAX_BUCKETS: usize = 8;

const SHAPE: Shape = Shape {
    format: 0x5e9_2001,
    payload: 8 * MAX_BUCKETS,
    // The emptier a bucket, the longer it is kept.
    victim: Victim::FirstToExpire,
};

const MICROSECONDS: u64 = 1_000_000;

/// So many requests in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Seconds in which an empty bucket is full again.
    pub period: u64,
    /// Requests that a full bucket has tokens for.
    pub requests: u32,
}

/// The buckets of all addresses in a piece of shared memory whose lock the caller holds.
#[derive(Debug)]
pub struct Limits<'a, M = &'a mut [u8]> {
    table: Table<M>,
    key: &'a [u8; 32],
}

impl<'a, M: Memory> Limits<'a, M> {
    /// Opens what `memory` holds, whatever that is. `key` makes it unpredictable from outside where
    /// in it somebody is kept.
    ///
    /// # Errors
    /// There is no room for one address.
    pub fn open(memory: M, key: &'a [u8; 32]) -> Result<(Self, Opened), TooSmall> {
        let (table, opened) = Table::open(memory, SHAPE)?;
        Ok((Limits { table, key }, opened))
    }

    /// Takes one token out of each bucket that `address` (of IPv6 the /64 network) has for requests
    /// of this `kind`, or none at all. No more than [`MAX_BUCKETS`] are looked at.
    ///
    /// # Errors
    /// One of them is empty: the seconds until all of them have a token again.
    pub fn take(
        &mut self,
        kind: u8,
        address: IpAddr,
        buckets: &[Bucket],
        now: u64,
    ) -> Result<(), u64> {
        let buckets = &buckets[..buckets.len().min(MAX_BUCKETS)];
        if buckets.is_empty() {
            return Ok(());
        }
        let key = self.hash(kind, address);
        let mut full = self.load(&key);
        let instant = now.saturating_mul(MICROSECONDS);
        let waits = buckets.iter().zip(&mut full);
        let wait = waits.filter_map(|(bucket, full)| bucket.take(full, instant));
        if let Some(wait) = wait.max() {
            return Err(wait.div_ceil(MICROSECONDS).max(1));
        }
        let payload: Vec<u8> = full.iter().flat_map(|time| time.to_le_bytes()).collect();
        let expires = full[..buckets.len()].iter().max();
        let expires = expires.map_or(now, |last| last.div_ceil(MICROSECONDS));
        // What cannot be counted must not be done.
        let kept = self.table.insert(&key, &payload, expires, now, now);
        kept.map(|_| ()).ok_or(1)
    }

    /// Figures for log and metrics.
    pub fn stats(&self) -> Stats {
        self.table.stats()
    }

    fn load(&mut self, key: &Key) -> [u64; MAX_BUCKETS] {
        let mut full = [0; MAX_BUCKETS];
        if let Some(entry) = self.table.lookup(key) {
            for (time, bytes) in full.iter_mut().zip(entry.payload.as_chunks().0) {
                *time = u64::from_le_bytes(*bytes);
            }
        }
        full
    }

    fn hash(&self, kind: u8, address: IpAddr) -> Key {
        Sha256::new()
            .chain_update(self.key)
            .chain_update([2, kind])
            .chain_update(network(address).octets())
            .finalize()
            .into()
    }
}

impl Bucket {
    /// Takes a token out of a bucket that is full again at `full`, all in microseconds; if there is
    /// none, how long it is until there is one.
    fn take(self, full: &mut u64, now: u64) -> Option<u64> {
        let period = self.period.saturating_mul(MICROSECONDS);
        let Some(others) = self.requests.checked_sub(1) else {
            return Some(period);
        };
        let token = period / u64::from(self.requests);
        // A clock that was set back or another configuration leaves no bucket emptier than empty.
        let missing = full.saturating_sub(now).min(period);
        let most = token.saturating_mul(others.into());
        if missing > most {
            return Some(missing - most);
        }
        *full = now.saturating_add(missing).saturating_add(token);
        None
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [9; 32];
    const CODES: [Bucket; 3] = [bucket(60, 30), bucket(120, 40), bucket(600, 50)];

    const fn bucket(period: u64, requests: u32) -> Bucket {
        Bucket { period, requests }
    }

    fn open(memory: &mut [u8]) -> Limits<'_> {
        Limits::open(memory, &KEY).expect("room").0
    }

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from(number).into()
    }

    #[test]
    fn a_full_bucket_has_its_requests_and_fills_up_evenly() {
        let mut memory = vec![0; 8192];
        let mut limits = open(&mut memory);
        let mut take = |now| limits.take(1, address(1), &[bucket(60, 3)], now);
        assert_eq!([100; 4].map(&mut take), [Ok(()), Ok(()), Ok(()), Err(20)]);
        assert_eq!(take(119), Err(1));
        assert_eq!([120; 2].map(&mut take), [Ok(()), Err(20)]);
        assert_eq!([1000; 4].map(&mut take), [Ok(()), Ok(()), Ok(()), Err(20)]);
    }

    #[test]
    fn every_bucket_must_have_a_token_and_what_is_refused_costs_none() {
        let mut memory = vec![0; 8192];
        let mut limits = open(&mut memory);
        let mut taken = |now| {
            (0..1000)
                .take_while(|_| limits.take(0, address(1), &CODES, now).is_ok())
                .count()
        };
        assert_eq!([0, 60, 120, 180].map(&mut taken), [30, 25, 5, 5]);
    }

    #[test]
    fn kinds_and_addresses_have_their_own_buckets() {
        let mut memory = vec![0; 8192];
        let mut limits = open(&mut memory);
        let one = [bucket(60, 1)];
        let mut take = |kind, who: &str| {
            let address = who.parse().expect("an address");
            limits.take(kind, address, &one, 100).is_ok()
        };
        assert!(take(0, "192.0.2.1") && !take(0, "192.0.2.1") && !take(0, "::ffff:192.0.2.1"));
        assert!(take(1, "192.0.2.1") && take(0, "192.0.2.2"));
        assert!(take(0, "2001:db8::1") && !take(0, "2001:db8::ffff:1"));
        assert!(take(0, "2001:db8:0:1::1"));
    }

    #[test]
    fn no_buckets_limit_nothing_and_no_requests_everything() {
        let mut memory = vec![0; 8192];
        let mut limits = open(&mut memory);
        (0..100).for_each(|_| assert_eq!(limits.take(0, address(1), &[], 5), Ok(())));
        assert_eq!(limits.take(0, address(1), &[bucket(60, 0)], 5), Err(60));
        assert_eq!(limits.stats().used, 0);
    }

    #[test]
    fn a_clock_set_back_keeps_nobody_out_for_longer_than_a_period() {
        let mut memory = vec![0; 8192];
        let mut limits = open(&mut memory);
        let mut take = |now| limits.take(0, address(1), &[bucket(60, 2)], now);
        assert_eq!([1_000_000; 3].map(&mut take), [Ok(()), Ok(()), Err(30)]);
        assert_eq!(take(5), Err(30));
        let largest = bucket(u64::MAX, u32::MAX);
        // The largest numbers are harmless.
        let taken = [0, u64::MAX, 5].map(|now| limits.take(1, address(1), &[largest; 20], now));
        assert_eq!(taken[0], Ok(()));
    }

    /// A bucket as it is described: tokens that come with time, counted in parts of a token.
    struct Naive {
        bucket: Bucket,
        parts: u128,
        seen: u64,
    }

    impl Naive {
        fn token(&self) -> u128 {
            u128::from(self.bucket.period * MICROSECONDS / u64::from(self.bucket.requests))
        }

        fn fill(&mut self, now: u64) {
            let most = self.token() * u128::from(self.bucket.requests);
            let more = u128::from((now - self.seen) * MICROSECONDS);
            self.parts = (self.parts + more).min(most);
            self.seen = now;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn buckets_do_what_is_said_of_them(
            buckets in prop::collection::vec((1..700u64, 1..60u32), 1..5),
            pauses in prop::collection::vec(prop_oneof![Just(0), 0..5u64, 0..400u64], 1..200),
        ) {
            let buckets: Vec<Bucket> = buckets.into_iter().map(|(p, r)| bucket(p, r)).collect();
            let mut memory = vec![0; 8192];
            let mut limits = open(&mut memory);
            let mut now = 1_800_000_000;
            let mut naive: Vec<Naive> = buckets
                .iter()
                .map(|bucket| Naive { bucket: *bucket, parts: u128::MAX >> 1, seen: now })
                .collect();
            for pause in pauses {
                now += pause;
                naive.iter_mut().for_each(|naive| naive.fill(now));
                let lacking = |naive: &Naive| naive.token().saturating_sub(naive.parts);
                let lack = naive.iter().map(lacking).max().unwrap_or(0);
                let expected = match lack {
                    0 => Ok(()),
                    lack => Err(lack.div_ceil(MICROSECONDS.into()) as u64),
                };
                prop_assert_eq!(limits.take(3, address(7), &buckets, now), expected);
                if expected.is_ok() {
                    for naive in &mut naive {
                        naive.parts -= naive.token();
                    }
                }
            }
        }
    }
}
