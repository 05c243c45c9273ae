//! Passwords in headers that were not looked at because of a ban. Attempts under way count as failed until
//! they are through, and programs send several requests at once with the same right password, which come
//! to several workers: the ban that these make of each other ends as soon as one of them is through. So
//! while the answer to a failure is held back anyway, it is looked again whether the ban still holds.

use std::net::IpAddr;

use super::{request::Request, wait, world::Surroundings};
use crate::{portal::Verify, users::regulation::FLOOR_BASIC};

/// Milliseconds after which it is looked again.
const LOOK_AGAIN: u64 = 200;

/// Goes on with `then` once no ban holds the attempt that somebody made `from` an address any more, and
/// at the latest when a failure is answered that came at `begun` (milliseconds).
pub fn take(
    request: Request<'_>,
    verify: Verify,
    (from, begun): (IpAddr, u64),
    then: impl FnOnce(Request<'_>, Verify) + 'static,
) {
    let left = (begun + FLOOR_BASIC).saturating_sub(super::milliseconds());
    if !verify.login.is_banned() || left == 0 {
        return then(request, verify);
    }
    let look = move |request: Request<'_>| {
        let mut verify = verify;
        if let Some(mut world) = Surroundings::of(request.whole()) {
            verify.reserve_again((from, super::now()), &mut world);
        }
        take(request, verify, (from, begun), then);
    };
    wait::later(request, left.min(LOOK_AGAIN) as usize, look);
}
