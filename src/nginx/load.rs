//! `auth_gate_config`: the YAML configuration is read when nginx reads its own.

use super::{
    conf::{Loaded, MainConf},
    directive::{Directive, Mistake, log_problems},
    ffi::{self, ngx_cycle_t},
    job::Threads,
    log::Level,
};
use crate::{config, files::Disk};

/// `auth_gate_config FILE`.
pub fn set_configuration(directive: &Directive, conf: &mut MainConf) -> Result<(), Mistake> {
    if conf.loaded.is_some() {
        return Err(Mistake::Duplicate);
    }
    let path = directive.file(directive.text()?)?;
    let cf = directive.cf();
    let loaded = config::load(&path, &Disk).map_err(|problems| {
        log_problems(cf, Level::Emerg, &problems);
        Mistake::Logged
    })?;
    log_problems(cf, Level::Warn, &loaded.warnings);
    // SAFETY: `cf` is live and has its cycle.
    let cycle = unsafe { (*cf).cycle };
    keep_environment(cycle, &loaded.env_used)?;
    let threads = Threads::add(cf).ok_or(Mistake::Logged)?;
    let loaded = Loaded::new(loaded.config, threads, cycle);
    conf.loaded = Some(loaded.map_err(|error| Mistake::Says(error.to_string()))?);
    Ok(())
}

/// After a binary upgrade the new nginx sees only variables that an `env` directive names; those
/// that the configuration was read from must be there again.
fn keep_environment(cycle: *mut ngx_cycle_t, names: &[String]) -> Result<(), Mistake> {
    for name in names {
        // nginx reads the byte behind the name, looking for `=`.
        let name = [name.as_bytes(), &[0]].concat();
        // SAFETY: the core module's configuration of the cycle being made; the copy lives in its pool.
        unsafe {
            let core =
                (*(*cycle).conf_ctx.add(ffi::ngx_core_module.index)).cast::<ffi::ngx_core_conf_t>();
            let mut kept =
                ffi::ngx_str_t::from_bytes((*cycle).pool, &name).ok_or(Mistake::Logged)?;
            kept.len -= 1;
            let place = ffi::ngx_array_push(&raw mut (*core).env).cast::<ffi::ngx_str_t>();
            place
                .as_mut()
                .map(|place| *place = kept)
                .ok_or(Mistake::Logged)?;
        }
    }
    Ok(())
}
