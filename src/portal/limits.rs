//! How often an address may ask for what costs or guesses: `server.endpoints.rate_limits`. Counting
//! is the world's.

use super::world::Limited;
pub use crate::users::regulation::Bucket;

/// The limits of every kind. A request must fit into all buckets of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    second_factor: Vec<Bucket>,
    elevation_start: Vec<Bucket>,
    elevation_finish: Vec<Bucket>,
    reset_start: Vec<Bucket>,
    reset_finish: Vec<Bucket>,
}

const MINUTE: u64 = 60;

fn buckets(unit: u64, given: &[(u64, u32)]) -> Vec<Bucket> {
    let bucket = |(times, requests): &(u64, u32)| Bucket {
        period: unit.saturating_mul(*times),
        requests: *requests,
    };
    given.iter().map(bucket).collect()
}

impl RateLimits {
    /// Authelia's, where a mailed code is good for `code` seconds and what it allows for `elevation`.
    pub fn new(code: u64, elevation: u64) -> Self {
        RateLimits {
            second_factor: buckets(MINUTE, &[(1, 30), (2, 40), (10, 50)]),
            elevation_start: buckets(code, &[(1, 3), (2, 5), (12, 15)]),
            elevation_finish: buckets(elevation, &[(1, 3), (2, 5), (6, 15)]),
            reset_start: buckets(MINUTE, &[(10, 5), (15, 10), (30, 15)]),
            reset_finish: buckets(MINUTE, &[(1, 10), (2, 15)]),
        }
    }

    /// The buckets of a kind; none where it is not limited.
    pub fn buckets(&self, what: Limited) -> &[Bucket] {
        match what {
            Limited::SecondFactor => &self.second_factor,
            Limited::ElevationStart => &self.elevation_start,
            Limited::ElevationFinish => &self.elevation_finish,
            Limited::ResetStart => &self.reset_start,
            Limited::ResetFinish => &self.reset_finish,
        }
    }

    /// Gives a kind other buckets; none is no limit.
    pub fn set(&mut self, what: Limited, buckets: Vec<Bucket>) {
        let place = match what {
            Limited::SecondFactor => &mut self.second_factor,
            Limited::ElevationStart => &mut self.elevation_start,
            Limited::ElevationFinish => &mut self.elevation_finish,
            Limited::ResetStart => &mut self.reset_start,
            Limited::ResetFinish => &mut self.reset_finish,
        };
        *place = buckets;
    }
}
