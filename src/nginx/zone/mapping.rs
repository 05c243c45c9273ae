//! How the shared memory comes about: a directive asks for it, nginx maps it, and it is made ready.

use std::{ffi::c_void, ptr::NonNull, sync::atomic::Ordering};

use secrecy::ExposeSecret;

use super::{Life, Zone};
use crate::{
    nginx::{
        block::{self, place},
        conf::MainConf,
        directive::{Directive, Mistake},
        entry,
        ffi::{self, ERROR, OK, ngx_int_t, ngx_shm_zone_t, ngx_slab_pool_t, ngx_str_t},
        log::{self, Level},
        module::ngx_http_auth_gate_module,
        surroundings,
    },
    slots::Layout,
};

/// Name and size where no directive names them.
const DEFAULT: (&[u8], usize) = (b"auth_gate", 16 << 20);

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
