//! A worker's beginning and end: what starts threads and timers, and what is put in order behind it.

use std::sync::Arc;

use super::{
    conf::{Loaded, MainConf},
    durable::clerk,
    entry,
    ffi::{self, ERROR, OK, ngx_cycle_t, ngx_int_t},
    hashing,
    job::{self, AtExit},
    log::{self, Level},
    module::ngx_http_auth_gate_module,
    wait,
};

/// A worker begins: nothing that starts a thread or a timer may run earlier.
pub unsafe extern "C" fn init_process(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    entry::guard("worker start", ERROR, || {
        entry::report_panics();
        // SAFETY: nginx hands the cycle that the worker will serve.
        let Some(conf) = (unsafe { cycle_main_conf(cycle) }) else {
            return OK;
        };
        let Some(loaded) = &conf.loaded else {
            return OK;
        };
        // SAFETY: set by nginx before a process begins.
        let process = unsafe { ffi::ngx_process } as u32;
        // nginx's cache manager and loader come here, too, and have no threads.
        if process != ffi::NGX_PROCESS_SINGLE && process != ffi::NGX_PROCESS_WORKER {
            return OK;
        }
        loaded.threads.have_started();
        return_large_blocks();
        hashing::reset(&conf.zone);
        loaded
            .snapshot
            .watch(&loaded.config, &conf.zone, loaded.threads);
        clerk::begin(loaded, &conf.zone);
        // SAFETY: set by nginx before a worker begins.
        if unsafe { ffi::ngx_worker } == 0 {
            try_notifier(loaded);
        }
        OK
    })
}

/// Says if no letters can leave. Authelia would not start; but a mail server that is down must not
/// keep a site down whose visitors need none.
fn try_notifier(loaded: &Loaded) {
    let notifier = &loaded.config.notifier;
    if notifier
        .as_ref()
        .is_none_or(|notifier| !notifier.startup_check)
    {
        return;
    }
    let office = Arc::clone(&loaded.office);
    let check = move || office.check_post();
    job::spawn(loaded.threads, AtExit::Leave, check, |checked| {
        if let Some(Err(error)) = checked {
            log::cycle(
                Level::Error,
                format_args!(
                    "auth_gate: notifier: {error}; nobody gets a code or a link by mail until that is mended"
                ),
            );
        }
    });
}

/// Password hashes take blocks of megabytes on many threads. glibc raises its threshold for mapping
/// a block by itself after the first, keeps the later ones in the heap of each thread, and the worker
/// grows without end; so the threshold is set once for all.
fn return_large_blocks() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a parameter of the allocator, before any hash runs.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10);
    }
}

/// A worker ends: nobody waits in it any more, and what it was hashing runs no more.
pub unsafe extern "C" fn exit_process(cycle: *mut ngx_cycle_t) {
    entry::guard("worker end", (), || {
        wait::abandon_all();
        // SAFETY: nginx hands the cycle that the worker has served.
        if let Some(conf) = unsafe { cycle_main_conf(cycle) } {
            hashing::reset(&conf.zone);
        }
        clerk::finish();
    });
}

unsafe fn cycle_main_conf<'a>(cycle: *mut ngx_cycle_t) -> Option<&'a MainConf> {
    // SAFETY: a cycle without an http block has null in the http module's place; with one, that is
    // the context whose main configurations include ours.
    unsafe {
        let http = *(*cycle).conf_ctx.add(ffi::ngx_http_module.index);
        let context = http.cast::<ffi::ngx_http_conf_ctx_t>().as_ref()?;
        (*context.main_conf.add(ngx_http_auth_gate_module.ctx_index))
            .cast::<MainConf>()
            .as_ref()
    }
}
