//! What can be checked only when nginx has read its whole configuration, and what must still leave a
//! running nginx with the old one: how events are waited for, and what the workers will
//! find: the users file, the store.

use std::{ffi::c_void, fs::File};

use super::{
    conf::{Loaded, MainConf},
    ffi,
    log::{self, Level},
    permissions::Workers,
};
use crate::{
    config::UsersFile,
    portal::{Portal, Reset},
    store, users_file,
};

/// Everything of that kind; the error is a sentence for the log, and what is no error goes there.
pub fn check(conf: &MainConf, log: *mut ffi::ngx_log_t) -> Result<(), String> {
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
    let Some(workers) = core.map(Workers::of) else {
        return Ok(());
    };
    check_users_file(&loaded.config.users_file, &workers)?;
    check_store(loaded, &workers)?;
    check_changes(loaded, &workers, log);
    Ok(())
}

fn check_users_file(file: &UsersFile, workers: &Workers) -> Result<(), String> {
    // Who reads the configuration has read the file.
    let (true, Some(name)) = (file.watch, workers.name()) else {
        return Ok(());
    };
    let readable = || {
        File::open(&file.path)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    workers.ask(readable).map_err(|_| {
        let path = file.path.display();
        format!(
            "{path}: the workers run as \"{name}\" and cannot read it, so \"watch\" cannot work: \
             chown root:{name} {path} && chmod 640 {path}, and let \"{name}\" enter the folders above, \
             or set authentication_backend.file.watch to false"
        )
    })
}

fn check_store(loaded: &Loaded, workers: &Workers) -> Result<(), String> {
    match loaded.office.vault() {
        Some((path, key)) => workers.ask(|| match store::check(path, key) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }),
        None => Ok(()),
    }
}

/// Where the workers are not able to change a password, nobody is offered to: that is said once.
fn check_changes(loaded: &Loaded, workers: &Workers, log: *mut ffi::ngx_log_t) {
    let mut settings = loaded.config.portal_settings();
    let account = &mut settings.account;
    let resets = matches!(account.reset, Some(Reset::Link { .. }));
    if !account.change_password && !resets {
        return;
    }
    let path = &loaded.config.users_file.path;
    let Err(sentence) = workers.ask(|| users_file::check(path)) else {
        return;
    };
    account.change_password = false;
    account.reset.take_if(|_| resets);
    loaded.set_portal(Portal::new(settings));
    let owner = workers.name();
    let owner = owner.filter(|_| !sentence.ends_with(users_file::MOUNTED));
    let command = owner.map_or_else(String::new, |name| {
        let folder = path.parent().unwrap_or(path);
        // The colon: the group, too, must be one that the workers can give to a file.
        format!(
            ": chown {name}: '{}' '{}'",
            path.display(),
            folder.display()
        )
    });
    log::write(
        log,
        Level::Warn,
        format_args!(
            "auth_gate: passwords can be neither changed nor reset here: {sentence}{command}; or set \
             authentication_backend.password_change.disable and password_reset.disable to true"
        ),
    );
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
