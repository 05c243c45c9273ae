//! How the memory of a zone is shared out.

use std::ops::Range;

/// The parts of a zone, as ranges of bytes. Each begins at a multiple of 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For words that all workers share: keys, counters, marks.
    pub shared: Range<usize>,
    /// For [`crate::users::regulation::Delay`].
    pub delay: Range<usize>,
    /// For [`crate::users::regulation::Attempts`].
    pub attempts: Range<usize>,
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
    pub const LEAST: usize = 128 << 10;

    const SHARED: usize = 4 << 10;
    const DELAY: usize = 256;
    const ATTEMPTS: Range<usize> = 32 << 10..32 << 20;

    /// Shares out `total` bytes: one sixteenth for failed logins, at least 32 KiB and at most
    /// 32 MiB, a little for what is shared by all, the rest for sessions.
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
        let attempts = (total / 16).clamp(Self::ATTEMPTS.start, Self::ATTEMPTS.end) & !63;
        let delay = Self::SHARED + Self::DELAY;
        Ok(Layout {
            shared: 0..Self::SHARED,
            delay: Self::SHARED..delay,
            attempts: delay..delay + attempts,
            sessions: delay + attempts..total,
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
                layout.delay,
                layout.attempts,
                layout.sessions,
            ];
            assert_eq!((parts[0].start, parts[3].end), (0, total));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert!(parts.iter().all(|part| part.start % 64 == 0));
            assert!(parts[3].len() * 10 > total * 6);
        }
    }

    #[test]
    fn a_zone_too_small_is_refused() {
        let error = Layout::split(Layout::LEAST - 1).expect_err("too small");
        assert!(
            error
                .to_string()
                .starts_with("zone is too small: 131071 bytes")
        );
    }
}
