//! The module's hooks while nginx reads its configuration: making and merging configurations, putting
//! the handlers into their phases.

use std::ffi::{c_char, c_void};

use super::{
    access, backend, checks, clean,
    conf::{IdentityHeaders, LocationConf, MainConf, ServerConf},
    directive::{Mistake, conf_log},
    entry,
    ffi::{self, CONF_ERROR, CONF_OK, ERROR, OK, ngx_conf_t, ngx_int_t},
    guard_cookie,
    log::Level,
    module::ngx_http_auth_gate_module,
    portal, request, scrape, variables,
};
use crate::{
    access::{PolicySource, Requirement},
    portal::BODY_LIMIT,
};

/// Adds the variables.
pub unsafe extern "C" fn preconfiguration(cf: *mut ngx_conf_t) -> ngx_int_t {
    entry::guard("preconfiguration", ERROR, || {
        if variables::add(cf).is_ok() {
            OK
        } else {
            ERROR
        }
    })
}

/// Everything is read: checks what only the whole shows, and takes the gate's place in its phase.
pub unsafe extern "C" fn postconfiguration(cf: *mut ngx_conf_t) -> ngx_int_t {
    entry::guard("postconfiguration", ERROR, || {
        // SAFETY: nginx calls this with the context of its http block.
        let (conf, core) = unsafe { (main_conf(cf), core_main_conf(cf)) };
        if checks::servers(cf, conf, core).is_err() {
            return ERROR;
        }
        if conf.loaded.is_none() {
            let named = [
                ("auth_gate_zone", conf.zone.is_configured()),
                ("auth_gate_store_grace", conf.grace.is_some()),
            ];
            if let Some((name, _)) = named.iter().find(|(_, named)| *named) {
                let message =
                    format!("\"{name}\" needs \"auth_gate_config FILE;\" in the http block");
                conf_log(cf, Level::Emerg, &message);
                return ERROR;
            }
            return OK;
        }
        if let Err(mistake) = conf.zone.configure_default(cf) {
            if let Mistake::Says(sentence) = mistake {
                conf_log(cf, Level::Emerg, &format!("\"auth_gate_zone\" {sentence}"));
            }
            return ERROR;
        }
        backend::warn_without_resolver(cf, core);
        if let (Some(loaded), Some(grace)) = (&conf.loaded, conf.grace) {
            loaded.office.set_grace(grace);
        }
        conf.zone.bind(conf);
        let phases = [(
            ffi::ngx_http_phases_NGX_HTTP_ACCESS_PHASE,
            access::handler as Handler,
        )];
        // SAFETY: as above.
        let pushed = unsafe { push_handlers(core, &phases) };
        if pushed.is_err() || variables::wrap_remote_user(cf, core).is_err() {
            return ERROR;
        }
        OK
    })
}

type Handler = unsafe extern "C" fn(*mut ffi::ngx_http_request_t) -> ngx_int_t;

/// The second module's hook: puts the cleaner first into the phases before the gate.
pub unsafe extern "C" fn register_cleaner(cf: *mut ngx_conf_t) -> ngx_int_t {
    entry::guard("postconfiguration", ERROR, || {
        // SAFETY: nginx calls this with the context of its http block.
        let (conf, core) = unsafe { (main_conf(cf), core_main_conf(cf)) };
        // The chain of filters outlives a reload, so this one is put in whatever is configured.
        if guard_cookie::register().is_err() {
            return ERROR;
        }
        if conf.loaded.is_none() {
            return OK;
        }
        let phases = [
            (
                ffi::ngx_http_phases_NGX_HTTP_SERVER_REWRITE_PHASE,
                clean::server_rewrite as Handler,
            ),
            (ffi::ngx_http_phases_NGX_HTTP_REWRITE_PHASE, clean::rewrite),
            (
                ffi::ngx_http_phases_NGX_HTTP_PREACCESS_PHASE,
                clean::preaccess,
            ),
        ];
        // SAFETY: as above.
        let pushed = unsafe { push_handlers(core, &phases) };
        if pushed.is_ok() { OK } else { ERROR }
    })
}

unsafe fn push_handlers(
    core: &mut ffi::ngx_http_core_main_conf_t,
    handlers: &[(ffi::ngx_http_phases, Handler)],
) -> Result<(), ()> {
    for (phase, handler) in handlers {
        // SAFETY: the arrays of handlers were made before any postconfiguration.
        let place = unsafe {
            ffi::ngx_array_push(&raw mut core.phases[*phase as usize].handlers)
                .cast::<ffi::ngx_http_handler_pt>()
                .as_mut()
        };
        *place.ok_or(())? = Some(*handler);
    }
    Ok(())
}

/// Makes `MainConf`.
pub unsafe extern "C" fn create_main_conf(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: called by nginx with a live `cf`.
    unsafe { create::<MainConf>(cf) }
}

/// Makes a `ServerConf`.
pub unsafe extern "C" fn create_server_conf(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: called by nginx with a live `cf`.
    unsafe { create::<ServerConf>(cf) }
}

/// Makes a `LocationConf`.
pub unsafe extern "C" fn create_location_conf(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: called by nginx with a live `cf`.
    unsafe { create::<LocationConf>(cf) }
}

/// A value in the cycle's pool that is dropped with it.
unsafe fn create<T: Default>(cf: *mut ngx_conf_t) -> *mut c_void {
    unsafe extern "C" fn drop_value<T>(data: *mut c_void) {
        entry::guard("configuration cleanup", (), || {
            // SAFETY: the pool calls this once, with the value that `create` wrote.
            unsafe { data.cast::<T>().drop_in_place() };
        });
    }
    entry::guard("configuration", std::ptr::null_mut(), || {
        const {
            assert!(
                align_of::<T>() <= ffi::NGX_ALIGNMENT,
                "a pool aligns no better"
            )
        };
        // SAFETY: the pool gives a block of that size, which is written before it may be dropped.
        unsafe {
            let Some(cleanup) = ffi::ngx_pool_cleanup_add((*cf).pool, size_of::<T>()).as_mut()
            else {
                return std::ptr::null_mut();
            };
            cleanup.data.cast::<T>().write(T::default());
            cleanup.handler = Some(drop_value::<T>);
            cleanup.data
        }
    })
}

/// A server takes from `http` what it leaves open.
pub unsafe extern "C" fn merge_server_conf(
    _: *mut ngx_conf_t,
    parent: *mut c_void,
    child: *mut c_void,
) -> *mut c_char {
    entry::guard("configuration merge", CONF_ERROR, || {
        // SAFETY: both were made by `create_server_conf`.
        let (parent, child) = unsafe {
            (
                &*parent.cast::<ServerConf>(),
                &mut *child.cast::<ServerConf>(),
            )
        };
        child.scheme = child.scheme.or(parent.scheme);
        CONF_OK
    })
}

/// A location takes from its parent what it leaves open, and tells its server what it does.
pub unsafe extern "C" fn merge_location_conf(
    cf: *mut ngx_conf_t,
    parent: *mut c_void,
    child: *mut c_void,
) -> *mut c_char {
    entry::guard("configuration merge", CONF_ERROR, || {
        // SAFETY: both were made by `create_location_conf`; during the merge the context is that of
        // the location being merged.
        let (parent, child, server, core) = unsafe {
            let context = (*cf).ctx.cast::<ffi::ngx_http_conf_ctx_t>();
            let server = *(*context).srv_conf.add(ngx_http_auth_gate_module.ctx_index);
            let core = *(*context).loc_conf.add(ffi::ngx_http_core_module.ctx_index);
            (
                &*parent.cast::<LocationConf>(),
                &mut *child.cast::<LocationConf>(),
                &mut *server.cast::<ServerConf>(),
                &mut *core.cast::<ffi::ngx_http_core_loc_conf_t>(),
            )
        };
        let idle = child.inherit(parent);
        if idle && core.name.len > 0 {
            warn_about_idle(cf, &core.name);
        }
        if core.noname() == 1 {
            serve_as_outside(core, parent, child);
        }
        if child.answers() && !portal::serves(core) {
            conf_log(
                cf,
                Level::Emerg,
                "\"auth_gate_portal\", \"auth_gate_endpoints\" or \"auth_gate_sign_out\" and another directive that answers \
                 requests, such as proxy_pass, stand in one location: only one of them can; give each a location of its own",
            );
            return CONF_ERROR;
        }
        if contradicts_itself(child) {
            conf_log(
                cf,
                Level::Emerg,
                "\"auth_gate_policy bypass\" and \"auth_gate_require\" contradict each other: \
                 bypass asks nobody who he is; write one_factor, or remove one of them",
            );
            return CONF_ERROR;
        }
        if scrape::merge(cf, core, parent, child, server).is_err() {
            return CONF_ERROR;
        }
        tell_server(server, child);
        bound_bodies(core, child);
        CONF_OK
    })
}

/// A block without a name (`if`, `limit_except`) does what its location does.
fn serve_as_outside(
    core: &mut ffi::ngx_http_core_loc_conf_t,
    outside: &LocationConf,
    block: &mut LocationConf,
) {
    if block.answers() || !outside.answers() {
        return;
    }
    block.portal.clone_from(&outside.portal);
    block.endpoints = outside.endpoints;
    block.sign_out = outside.sign_out;
    portal::serve_inside(core);
}

fn contradicts_itself(location: &LocationConf) -> bool {
    let opens = location.policy == Some(PolicySource::Fixed(Requirement::Bypass));
    opens && location.require.is_some()
}

/// What a server has to know of its locations.
fn tell_server(server: &mut ServerConf, location: &LocationConf) {
    let serves_pages = location.portal.is_some() || location.sign_out;
    server.guards |= location.gate == Some(true) || serves_pages;
    server.lets_headers_through |= location.identity_headers() == IdentityHeaders::OFF;
    if location.endpoints {
        server.doors.push(String::new());
    }
    if let Some(path) = &location.portal {
        server.portals.push(path.clone());
        server.doors.push(path.clone());
    }
}

/// How much of a body nginx takes where our handler answers.
fn bound_bodies(core: &mut ffi::ngx_http_core_loc_conf_t, location: &LocationConf) {
    if location.endpoints {
        // Nothing reads a body that comes along.
        core.client_max_body_size = 0;
    }
    if location.portal.is_some() || location.sign_out {
        core.client_max_body_size = BODY_LIMIT as ffi::off_t;
        core.client_body_buffer_size = BODY_LIMIT;
    }
}

fn warn_about_idle(cf: *mut ngx_conf_t, location: &ffi::ngx_str_t) {
    let name = String::from_utf8_lossy(request::bytes(location));
    let message = format!(
        "auth_gate: location {name} has a policy or requirement, but \"auth_gate on;\" does not hold there"
    );
    conf_log(cf, Level::Warn, &message);
}

unsafe fn main_conf<'a>(cf: *mut ngx_conf_t) -> &'a mut MainConf {
    // SAFETY: the caller reads the http block, whose context holds ours.
    unsafe {
        let context = (*cf).ctx.cast::<ffi::ngx_http_conf_ctx_t>();
        &mut *(*(*context)
            .main_conf
            .add(ngx_http_auth_gate_module.ctx_index))
        .cast()
    }
}

unsafe fn core_main_conf<'a>(cf: *mut ngx_conf_t) -> &'a mut ffi::ngx_http_core_main_conf_t {
    // SAFETY: as `main_conf`, for the core module.
    unsafe {
        let context = (*cf).ctx.cast::<ffi::ngx_http_conf_ctx_t>();
        &mut *(*(*context)
            .main_conf
            .add(ffi::ngx_http_core_module.ctx_index))
        .cast()
    }
}
