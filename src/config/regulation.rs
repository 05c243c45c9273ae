//! `regulation`: when failed logins lead to a ban.

use super::report::{At, Report};
use super::values::duration;
use crate::users::regulation::{Modes, Settings};

const MAX_RETRIES: u32 = 3;
const FIND_TIME: u64 = 120;
const BAN_TIME: u64 = 300;

/// Reads `regulation`.
pub(super) fn regulation(root: &At<'_>, report: &mut Report) -> Settings {
    let get = |key: &str| root.get("regulation").and_then(|at| at.get(key));
    let seconds = |key: &str, default: u64| {
        let given = get(key).and_then(|at| duration(&at).ok().flatten());
        given.filter(|seconds| *seconds > 0).unwrap_or(default)
    };
    let (find_time, ban_time) = (
        seconds("find_time", FIND_TIME),
        seconds("ban_time", BAN_TIME),
    );
    if find_time > ban_time
        && let Some(at) = get("find_time").or_else(|| get("ban_time"))
    {
        report.error(
            &at,
            format!(
                "find_time ({find_time} s) may not be longer than ban_time \
                ({ban_time} s); make the ban longer"
            ),
        );
    }
    let modes = get("modes").map_or(Vec::new(), |at| at.items());
    let has = |word: &str| modes.iter().any(|at| at.text() == Some(word));
    let max_retries = get("max_retries").and_then(|at| at.int());
    Settings {
        modes: Modes {
            user: modes.is_empty() || has("user"),
            ip: has("ip"),
        },
        max_retries: max_retries
            .map_or(MAX_RETRIES, |n| u32::try_from(n.max(0)).unwrap_or(u32::MAX)),
        find_time,
        ban_time,
    }
}
