//! How the memory of a zone is shared out.

use std::ops::Range;

/// The parts of a zone, as ranges of bytes. Each begins at a multiple of 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For words that all workers share: keys, counters, marks.
    pub shared: Range<usize>,
    /// For what is counted.
    pub metrics: Range<usize>,
    /// For [`crate::users::regulation::Delay`].
    pub delay: Range<usize>,
    /// For [`crate::users::regulation::Attempts`].
    pub attempts: Range<usize>,
    /// The same for second factors, which are counted apart from passwords.
    pub factor_attempts: Range<usize>,
    /// For [`crate::users::regulation::Limits`].
    pub limits: Range<usize>,
    /// For [`crate::session::Table`].
    pub sessions: Range<usize>,
}

/// The zone cannot hold what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("zone is too small: {given} bytes of it are usable, {needed} are needed")]
pub struct ZoneTooSmall {
    /// Bytes there are.
    pub given: usize,
    /// Bytes there must be.
    pub needed: usize,
}

impl Layout {
    /// The least that can be shared out: a few hundred sessions, some fifty failed logins.
    pub const LEAST: usize = 192 << 10;

    /// Where [`Layout::metrics`] lies, however large the zone is.
    pub const METRICS: Range<usize> = Self::SHARED..Self::SHARED + (8 << 10);

    const SHARED: usize = 4 << 10;
    const DELAY: usize = 256;
    const ATTEMPTS: Range<usize> = 32 << 10..32 << 20;
    const FACTOR_ATTEMPTS: Range<usize> = 16 << 10..16 << 20;
    const LIMITS: Range<usize> = 16 << 10..16 << 20;

    /// Shares out `total` bytes: one sixteenth for failed logins, at least 32 KiB and at most
    /// 32 MiB, half as much for second factors and as much for limits, a little for what is shared
    /// by all and for what is counted, the rest for sessions.
    ///
    /// # Errors
    /// There are less than [`Layout::LEAST`].
    pub fn split(total: usize) -> Result<Layout, ZoneTooSmall> {
        if total < Self::LEAST {
            return Err(ZoneTooSmall {
                given: total,
                needed: Self::LEAST,
            });
        }
        let mut end = 0;
        let mut part = |length: usize| {
            let start = end;
            end += length;
            start..end
        };
        let share = |parts: usize, bounds: Range<usize>| {
            (total / parts).clamp(bounds.start, bounds.end) & !63
        };
        Ok(Layout {
            shared: part(Self::SHARED),
            metrics: part(Self::METRICS.len()),
            delay: part(Self::DELAY),
            attempts: part(share(16, Self::ATTEMPTS)),
            factor_attempts: part(share(32, Self::FACTOR_ATTEMPTS)),
            limits: part(share(32, Self::LIMITS)),
            sessions: end..total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_follow_each_other() {
        for total in [
            Layout::LEAST,
            200_001,
            1 << 20,
            16 << 20,
            300 << 20,
            4 << 30,
        ] {
            let layout = Layout::split(total).expect("large enough");
            let parts = [
                layout.shared,
                layout.metrics,
                layout.delay,
                layout.attempts,
                layout.factor_attempts,
                layout.limits,
                layout.sessions,
            ];
            assert_eq!(parts[1], Layout::METRICS);
            assert_eq!((parts[0].start, parts[6].end), (0, total));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(parts.iter().all(|part| part.start % 64 == 0));
            assert!(parts[6].len() * 10 > total * 6);
        }
    }

    #[test]
    fn a_zone_too_small_is_refused() {
        let error = Layout::split(Layout::LEAST - 1).expect_err("too small");
        assert!(
            error
                .to_string()
                .starts_with("zone is too small: 196607 bytes")
        );
    }
}
