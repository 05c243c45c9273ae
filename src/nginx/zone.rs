//! The shared memory: its life from directive to use, and its lock.
//!
//! The zone's slab pool gives up all its pages at once to one block, which the rooms share out and
//! read as plain bytes. The slab's mutex is the lock, because the master frees that one by force
//! when a worker dies holding it; the tables survive what such a worker left half-written.

use std::{
    cell::{Cell, OnceCell},
    ffi::c_void,
    ops::Range,
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use secrecy::ExposeSecret;

use super::{
    block::{self, place},
    conf::MainConf,
    directive::{Directive, Mistake},
    entry,
    ffi::{self, ERROR, OK, ngx_int_t, ngx_shm_zone_t, ngx_slab_pool_t, ngx_str_t},
    log::{self, Level},
    module::ngx_http_auth_gate_module,
    sessions::Sessions,
    surroundings,
};
use crate::{
    metrics::{self, Counts},
    session::{self, Keys, Proven},
    slots::{Layout, Opened},
    users::regulation::{Attempts, Delay, Limits},
};

/// Name and size where no directive names them.
const DEFAULT: (&[u8], usize) = (b"auth_gate", 16 << 20);

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
    /// `auth_gate_zone NAME:SIZE`.
    pub fn configure(&self, directive: &Directive) -> Result<(), Mistake> {
        if self.is_configured() {
            return Err(Mistake::Duplicate);
        }
        let word = directive.words().into_iter().next().unwrap_or_default();
        let shape = || Mistake::Says("wants NAME:SIZE, for instance auth_gate:16m".into());
        let colon = word
            .iter()
            .position(|byte| *byte == b':')
            .ok_or_else(shape)?;
        let (name, size) = (&word[..colon], &word[colon + 1..]);
        let mut text = ngx_str_t {
            len: size.len(),
            data: size.as_ptr().cast_mut(),
        };
        // SAFETY: parses a string of the live configuration.
        let size = unsafe { ffi::ngx_parse_size(&raw mut text) };
        let size = usize::try_from(size)
            .ok()
            .filter(|_| !name.is_empty())
            .ok_or_else(shape)?;
        self.add(directive.cf(), name, size)
    }

    /// Whether a directive has asked for a zone.
    pub fn is_configured(&self) -> bool {
        !matches!(self.life.get(), Life::Unset)
    }

    /// Asks for the default zone if no directive has asked for another.
    pub fn configure_default(&self, cf: *mut ffi::ngx_conf_t) -> Result<(), Mistake> {
        if self.is_configured() {
            return Ok(());
        }
        self.add(cf, DEFAULT.0, DEFAULT.1)
    }

    fn add(&self, cf: *mut ffi::ngx_conf_t, name: &[u8], size: usize) -> Result<(), Mistake> {
        // A zone also holds nginx's own bookkeeping of pages.
        let least = Layout::LEAST + Layout::LEAST / 4;
        if size < least {
            let name = String::from_utf8_lossy(name);
            return Err(Mistake::Says(format!(
                "zone \"{name}\" is too small: give it at least {}k",
                least >> 10
            )));
        }
        let mut name = ngx_str_t {
            len: name.len(),
            data: name.as_ptr().cast_mut(),
        };
        // SAFETY: `cf` is live; the name is a word of the configuration or a constant; the tag tells
        // our zones from those of other modules.
        let zone = unsafe {
            ffi::ngx_shared_memory_add(
                cf,
                &raw mut name,
                size,
                (&raw mut ngx_http_auth_gate_module).cast(),
            )
        };
        let mut zone = NonNull::new(zone).ok_or(Mistake::Logged)?;
        // SAFETY: the zone was just made or found in this configuration; data and init are ours to set.
        let zone_ref = unsafe { zone.as_mut() };
        zone_ref.init = Some(initialise);
        self.life.set(Life::Configured(zone));
        Ok(())
    }

    /// Tells the zone whose configuration it serves; the address must stay until the cycle ends.
    pub fn bind(&self, conf: *const MainConf) {
        if let Life::Configured(zone) = self.life.get() {
            // SAFETY: the zone belongs to the configuration being read; `data` is ours.
            unsafe { (*zone.as_ptr()).data = conf.cast_mut().cast() };
        }
    }

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

    /// Maps the zone's block and makes the keys.
    fn make_ready(&self, zone: &ngx_shm_zone_t, conf: &MainConf) -> Result<(), String> {
        let pool =
            NonNull::new(zone.shm.addr.cast::<ngx_slab_pool_t>()).ok_or("zone is not mapped")?;
        // SAFETY: nginx has put a slab pool at the start of the mapping.
        let (block, total) = unsafe { block::of(pool) }.ok_or("zone has no memory")?;
        Layout::split(total).map_err(|error| error.to_string())?;
        self.life.set(Life::Ready { pool, block, total });
        if let Some(full) = self.word(place::FULL) {
            full.store(0, Ordering::Relaxed);
        }
        let Some(loaded) = &conf.loaded else {
            return Ok(());
        };
        match &loaded.config.session.secret {
            Some(secret) => self.set_keys(secret.expose_secret().as_bytes()),
            // Workers ask the store which secret it is.
            None if loaded.office.archive().is_some() && !self.is_settled() => {}
            None => {
                let secret = self.secret_bytes().ok_or("zone is not ready")?;
                self.set_keys(&secret[..]);
            }
        }
        Ok(())
    }
}

/// Called when nginx has read its whole configuration and mapped the zone; what is wrong here still
/// leaves a running nginx with its old configuration.
unsafe extern "C" fn initialise(zone: *mut ngx_shm_zone_t, _old: *mut c_void) -> ngx_int_t {
    entry::guard("zone initialisation", ERROR, || {
        // SAFETY: nginx hands the zone that `add` made, with the data that `bind` set.
        let (zone, conf) = unsafe { (&*zone, (*zone).data.cast::<MainConf>().as_ref()) };
        let Some(conf) = conf else { return ERROR };
        let result = conf
            .zone
            .make_ready(zone, conf)
            .and_then(|()| surroundings::check(conf, zone.shm.log));
        match result {
            Ok(()) => OK,
            Err(message) => {
                log::write(
                    zone.shm.log,
                    Level::Emerg,
                    format_args!("auth_gate: {message}"),
                );
                ERROR
            }
        }
    })
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

/// The slab's mutex, held.
pub struct Lock(NonNull<ngx_slab_pool_t>);

impl Lock {
    fn take(pool: NonNull<ngx_slab_pool_t>) -> Self {
        // SAFETY: the pool is mapped for as long as the configuration lives.
        unsafe { ffi::ngx_shmtx_lock(&raw mut (*pool.as_ptr()).mutex) };
        Lock(pool)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // SAFETY: taken by `take` and not given back since.
        unsafe { ffi::ngx_shmtx_unlock(&raw mut (*self.0.as_ptr()).mutex) };
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
