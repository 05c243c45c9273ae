//! What can be checked only when nginx has read its whole configuration, and what must still leave a
//! running nginx with the old one: how events are waited for, and what the workers can read.

use std::ffi::c_void;

use super::{conf::MainConf, ffi, permissions::WorkerUser};

/// Everything of that kind; the error is a sentence for the log.
pub fn check(conf: &MainConf) -> Result<(), String> {
    let Some(loaded) = &conf.loaded else {
        return Ok(());
    };
    // SAFETY: the cycle being made has the core module's and the event module's configurations.
    let (core, method) = unsafe { (core_conf(loaded.cycle), event_method(loaded.cycle)) };
    if matches!(method.as_deref(), Some("poll" | "select")) {
        let method = method.unwrap_or_default();
        return Err(format!(
            "\"use {method}\" cannot be woken by threads, on which passwords are checked: remove it from the events block"
        ));
    }
    let file = &loaded.config.users_file;
    match core.and_then(WorkerUser::of) {
        Some(user) if file.watch && !user.can_read(&file.path) => {
            let (path, name) = (file.path.display(), user.name());
            Err(format!(
                "{path}: the workers run as \"{name}\" and cannot read it, so \"watch\" cannot work: \
                 chown root:{name} {path} && chmod 640 {path}, and let \"{name}\" enter the folders above, \
                 or set authentication_backend.file.watch to false"
            ))
        }
        _ => Ok(()),
    }
}

unsafe fn core_conf<'a>(cycle: *mut ffi::ngx_cycle_t) -> Option<&'a ffi::ngx_core_conf_t> {
    // SAFETY: `conf_ctx` of a cycle holds the core module's configuration at its index.
    unsafe {
        (*(*cycle).conf_ctx.add(ffi::ngx_core_module.index))
            .cast::<ffi::ngx_core_conf_t>()
            .as_ref()
    }
}

unsafe fn event_method(cycle: *mut ffi::ngx_cycle_t) -> Option<String> {
    // SAFETY: the events module keeps an array of its modules' configurations, as nginx's own macro
    // `ngx_event_get_conf` reads it; the name is a C string.
    unsafe {
        let events = (*(*cycle).conf_ctx.add(ffi::ngx_events_module.index))
            .cast::<*mut *mut c_void>()
            .as_ref()?;
        let conf = (*events.add(ffi::ngx_event_core_module.ctx_index))
            .cast::<ffi::ngx_event_conf_t>()
            .as_ref()?;
        (!conf.name.is_null()).then(|| {
            std::ffi::CStr::from_ptr(conf.name.cast())
                .to_string_lossy()
                .into_owned()
        })
    }
}
