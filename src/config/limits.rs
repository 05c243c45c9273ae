//! `server.endpoints.rate_limits`: how often an address may ask for what costs or guesses.

use super::later::on;
use super::report::{At, Report};
use super::values::duration;
use crate::portal::{Bucket, Elevation, Limited, RateLimits};
use crate::users::regulation::MAX_BUCKETS;

/// Shortest period of a bucket, in seconds.
const SHORTEST: u64 = 10;

/// Where each kind is configured.
const KEYS: [(Limited, &str); 5] = [
    (Limited::SecondFactor, "second_factor_totp"),
    (Limited::ElevationStart, "session_elevation_start"),
    (Limited::ElevationFinish, "session_elevation_finish"),
    (Limited::ResetStart, "reset_password_start"),
    (Limited::ResetFinish, "reset_password_finish"),
];

/// Reads it; the defaults of two kinds follow the lifespans of `elevation`.
pub(super) fn rate_limits(root: &At<'_>, elevation: &Elevation, report: &mut Report) -> RateLimits {
    let section = root.get("server.endpoints.rate_limits");
    if let Some(section) = &section {
        check(section, report);
    }
    let mut limits = RateLimits::new(elevation.code_lifespan, elevation.lifespan);
    for (what, key) in KEYS {
        let Some(at) = section.as_ref().and_then(|at| at.get(key)) else {
            continue;
        };
        let given = at.list("buckets");
        if at.get("enable").is_some_and(|at| at.filled().is_some()) && !on(&at, "enable") {
            limits.set(what, Vec::new());
        } else if !given.is_empty() {
            limits.set(what, given.iter().filter_map(bucket).collect());
        }
    }
    limits
}

fn bucket(at: &At<'_>) -> Option<Bucket> {
    Some(Bucket {
        period: at
            .get("period")
            .and_then(|at| duration(&at).ok().flatten())?,
        requests: u32::try_from(at.get("requests")?.int()?.max(0)).unwrap_or(u32::MAX),
    })
}

/// Also the kinds that do not exist here yet: what Authelia refuses is refused.
fn check(section: &At<'_>, report: &mut Report) {
    for entry in section.entries() {
        let buckets = section.entry(entry).list("buckets");
        if let Some(at) = buckets.get(MAX_BUCKETS) {
            report.error(
                at,
                format!("is one bucket too many; write at most {MAX_BUCKETS}"),
            );
        }
        for at in buckets {
            let period = at.get("period").and_then(|at| duration(&at).ok().flatten());
            if period.is_none_or(|seconds| seconds < SHORTEST) {
                report.error(
                    &at,
                    "has no period of 10 seconds or more; write for instance `period: 2 minutes`",
                );
            }
            let requests = at.get("requests").and_then(|at| at.int());
            if requests.is_none_or(|requests| requests <= 0) {
                report.error(
                    &at,
                    "has no requests above 0; write for instance `requests: 20`",
                );
            }
        }
    }
}
