//! The shared memory, and what all workers find in it.
//!
//! The zone's slab pool gives up all its pages at once to one block, which the rooms share out and
//! read as plain bytes. [`mapping`] is how it gets there, from the directive on; [`lock`] keeps
//! processes out of each other's way.

mod lock;
mod mapping;

use std::{
    cell::{Cell, OnceCell},
    ops::Range,
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64},
};

use super::{
    block::place,
    ffi::{ngx_shm_zone_t, ngx_slab_pool_t},
    log::{self, Level},
    sessions::Sessions,
};
use crate::{
    metrics::{self, Counts},
    session::{self, Keys, Proven},
    slots::{Layout, Opened},
    users::regulation::{Attempts, Delay, Limits},
};
pub use lock::Lock;

/// Workers whose running hashes are counted, eight bytes each.
pub const COUNTED_WORKERS: usize = 480;

/// Words that count how often the sessions of users were ended all at once, several users to a word.
pub const COUNTED_GENERATIONS: usize = 8;

/// The shared memory of one configuration.
#[derive(Default)]
pub struct Zone {
    life: Cell<Life>,
    keys: OnceCell<Keys>,
    proven: Proven,
}

/// How far the zone has come.
#[derive(Clone, Copy, Default)]
enum Life {
    /// No directive has asked for it.
    #[default]
    Unset,
    /// nginx will map it when it has read the whole configuration.
    Configured(NonNull<ngx_shm_zone_t>),
    /// Mapped and shared out.
    Ready {
        pool: NonNull<ngx_slab_pool_t>,
        block: NonNull<u8>,
        total: usize,
    },
}

impl Zone {
    /// The keys of this configuration, known once the zone is ready.
    pub fn keys(&self) -> Option<&Keys> {
        self.keys.get()
    }

    /// The cookies that this process has found to be right under those keys.
    pub fn proven(&self) -> &Proven {
        &self.proven
    }

    /// The sessions, under the lock; `None` when there is no zone.
    pub fn sessions(&self) -> Option<Sessions<'_>> {
        let (lock, layout) = self.lock()?;
        let (table, opened) = session::Table::open(self.part(layout.sessions)?).ok()?;
        report(opened, "sessions");
        Some(Sessions::new(table, self, lock))
    }

    /// The failed logins, under the lock.
    pub fn with_attempts<R>(&self, f: impl FnOnce(&mut Attempts<'_>) -> R) -> Option<R> {
        let part = |layout: Layout| layout.attempts;
        self.with_counts(part, "failed logins", f)
    }

    /// The failed second factors, under the lock.
    pub fn with_factor_attempts<R>(&self, f: impl FnOnce(&mut Attempts<'_>) -> R) -> Option<R> {
        let part = |layout: Layout| layout.factor_attempts;
        self.with_counts(part, "failed second factors", f)
    }

    fn with_counts<R>(
        &self,
        part: impl FnOnce(Layout) -> Range<usize>,
        what: &str,
        f: impl FnOnce(&mut Attempts<'_>) -> R,
    ) -> Option<R> {
        let keys = self.keys()?;
        let (_lock, layout) = self.lock()?;
        let (mut attempts, opened) =
            Attempts::open(self.part(part(layout))?, keys.regulation()).ok()?;
        opened.into_iter().for_each(|opened| report(opened, what));
        Some(f(&mut attempts))
    }

    /// How often addresses have asked for what is limited, under the lock.
    pub fn with_limits<R>(&self, f: impl FnOnce(&mut Limits<'_>) -> R) -> Option<R> {
        let keys = self.keys()?;
        let (_lock, layout) = self.lock()?;
        let (mut limits, opened) =
            Limits::open(self.part(layout.limits)?, keys.regulation()).ok()?;
        report(opened, "limits");
        Some(f(&mut limits))
    }

    /// How long logins take, under the lock.
    pub fn with_delay<R>(&self, f: impl FnOnce(&mut Delay<&mut [u8]>) -> R) -> Option<R> {
        let (_lock, layout) = self.lock()?;
        Delay::open(self.part(layout.delay)?)
            .ok()
            .map(|mut delay| f(&mut delay))
    }

    /// For each worker its process and how many hashes it runs, in one word.
    pub fn hash_counts(&self) -> Option<&[AtomicU64; COUNTED_WORKERS]> {
        let Life::Ready { block, .. } = self.life.get() else {
            return None;
        };
        // SAFETY: the words lie inside the block, are aligned to eight and only ever read as atomics.
        Some(unsafe { &*block.as_ptr().add(place::HASHES).cast() })
    }

    /// What is counted, by all workers.
    pub fn counts(&self) -> Option<&Counts> {
        let Life::Ready { block, .. } = self.life.get() else {
            return None;
        };
        // SAFETY: the words lie inside the block, are aligned to eight, were zeros when the block was
        // made, and are only ever used as atomics.
        Some(unsafe { &*block.as_ptr().add(Layout::METRICS.start).cast() })
    }

    /// Bytes that are shared out.
    pub fn size(&self) -> usize {
        match self.life.get() {
            Life::Ready { total, .. } => total,
            _ => 0,
        }
    }

    fn lock(&self) -> Option<(Lock, Layout)> {
        let Life::Ready { pool, total, .. } = self.life.get() else {
            return None;
        };
        let layout = Layout::split(total).ok()?;
        Some((Lock::take(pool), layout))
    }

    /// A part of the block. The caller holds the lock for as long as it uses the bytes.
    #[allow(clippy::mut_from_ref)]
    fn part(&self, range: Range<usize>) -> Option<&mut [u8]> {
        let Life::Ready { block, total, .. } = self.life.get() else {
            return None;
        };
        debug_assert!(range.end <= total);
        // SAFETY: the range lies inside the block; parts do not overlap; the lock keeps other
        // processes out, and in this one no second borrow is made while a guard lives.
        Some(unsafe {
            std::slice::from_raw_parts_mut(block.as_ptr().add(range.start), range.len())
        })
    }

    pub(super) fn word(&self, at: usize) -> Option<&AtomicU32> {
        let Life::Ready { block, .. } = self.life.get() else {
            return None;
        };
        // SAFETY: `at` is a multiple of four inside the shared part, and only read as an atomic.
        Some(unsafe { &*block.as_ptr().add(at).cast() })
    }

    /// A word of eight bytes.
    pub(super) fn long(&self, at: usize) -> Option<&AtomicU64> {
        let Life::Ready { block, .. } = self.life.get() else {
            return None;
        };
        // SAFETY: `at` is a multiple of eight inside the shared part, and only read as an atomic once
        // there are workers.
        Some(unsafe { &*block.as_ptr().add(at).cast() })
    }

    /// Runs `f` under the lock.
    pub(super) fn locked<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        let (_lock, _) = self.lock()?;
        Some(f())
    }

    /// The random secret. The caller holds the lock.
    pub(super) fn secret_bytes(&self) -> Option<&mut [u8; 32]> {
        let part = self.part(place::SECRET..place::SECRET + 32)?;
        part.try_into().ok()
    }

    /// Makes the keys from `secret`, unless there are some.
    pub fn set_keys(&self, secret: &[u8]) {
        let _ = self.keys.set(Keys::derive(secret));
    }
}

fn report(opened: Opened, what: &str) {
    if let Opened::Rebuilt { kept, dropped } = opened {
        log::cycle(
            Level::Notice,
            format_args!(
                "auth_gate: a worker died while it wrote: {what} rebuilt, {kept} kept, {dropped} dropped"
            ),
        );
    }
}

const _: () = assert!(
    place::HASHES + COUNTED_WORKERS * 8 <= place::BORN
        && place::GENERATIONS + 4 * COUNTED_GENERATIONS <= 4096,
    "the counters fit the shared part"
);
const _: () = assert!(
    metrics::BYTES <= Layout::METRICS.end - Layout::METRICS.start,
    "what is counted fits its part"
);
