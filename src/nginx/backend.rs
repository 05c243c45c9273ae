//! `$auth_gate_backend`: where the application of the signed-in user is, as the users file says.
//!
//! nginx asks for the value when it is about to connect, and a user without one has nowhere to go:
//! 403, in the place of the 500 with which nginx answers an address without a host.

use super::{
    directive::conf_log,
    entry,
    ffi::{
        self, ERROR, NGX_HTTP_VAR_NOCACHEABLE, ngx_conf_t, ngx_http_core_loc_conf_t,
        ngx_http_core_main_conf_t, ngx_http_core_srv_conf_t, ngx_http_request_t,
        ngx_http_variable_value_t, ngx_int_t, ngx_str_t,
    },
    headers,
    log::Level,
    request::Request,
    state::State,
    variables,
};

const NAME: &str = "auth_gate_backend";

/// Adds the variable.
pub fn add(cf: *mut ngx_conf_t) -> Result<(), ()> {
    let mut name = ngx_str_t {
        len: NAME.len(),
        data: NAME.as_ptr().cast_mut(),
    };
    // SAFETY: `cf` is live; nginx copies the name.
    let variable =
        unsafe { ffi::ngx_http_add_variable(cf, &raw mut name, NGX_HTTP_VAR_NOCACHEABLE as usize) };
    // SAFETY: null, or a variable of this configuration that is ours to fill.
    let variable = unsafe { variable.as_mut() }.ok_or(())?;
    variable.get_handler = Some(get);
    Ok(())
}

unsafe extern "C" fn get(
    r: *mut ngx_http_request_t,
    v: *mut ngx_http_variable_value_t,
    _: usize,
) -> ngx_int_t {
    entry::guard("variable", ERROR, || {
        // SAFETY: `r` and `v` are those of this callback.
        let (request, v) = unsafe { (Request::from_callback(r), &mut *v) };
        let found = request.and_then(|request| {
            let state = State::find(request)?;
            let user = state.session().map(|session| &session.user);
            let backend = user.and_then(|user| user.backend_override.as_deref());
            state.lacks_backend.set(backend.is_none());
            Some((request, backend?.into()))
        });
        variables::set(v, found)
    })
}

/// Before the headers of an answer go out: turns nginx's complaint about an address without a host
/// into the refusal that it is.
pub fn refuse_without(request: Request<'_>) {
    let Some(state) = State::find(request).filter(|state| state.lacks_backend.get()) else {
        return;
    };
    let raw = request.raw_mut();
    // SAFETY: null, or what nginx made of the request to the backend.
    let answered = unsafe { raw.upstream.as_ref() }.is_some_and(|up| up.headers_in.status_n != 0);
    if answered || raw.headers_out.status != ffi::NGX_HTTP_INTERNAL_SERVER_ERROR as ffi::ngx_uint_t
    {
        return;
    }
    let user = state
        .session()
        .map_or("", |session| session.user.name.as_str());
    request.log(
        Level::Error,
        format_args!("auth_gate: user {user:?} has no backend: give him, or a group of his, a backend_override"),
    );
    raw.headers_out.status = ffi::NGX_HTTP_FORBIDDEN as ffi::ngx_uint_t;
    raw.headers_out.status_line.len = 0;
    raw.headers_out.content_type.len = 0;
    raw.headers_out.content_length_n = 0;
    raw.set_header_only(1);
    headers::clear_out(request, "Content-Length");
    // The answer is a refusal with it or without.
    let _ = headers::push_out(request, "Cache-Control", "no-store");
}

/// Says that names cannot be looked up, if the variable is used and no server has a resolver.
pub fn warn_without_resolver(cf: *mut ngx_conf_t, core: &ngx_http_core_main_conf_t) {
    // SAFETY: the array of the variables that are used, complete after the configuration was read.
    let variables = unsafe { core.variables.as_slice::<ffi::ngx_http_variable_t>() };
    if !variables
        .iter()
        .any(|variable| variable.name.as_bytes() == NAME.as_bytes())
    {
        return;
    }
    // SAFETY: the array of servers, each with its context.
    let servers = unsafe { core.servers.as_slice::<*mut ngx_http_core_srv_conf_t>() };
    if !servers.iter().any(|server| has_resolver(*server)) {
        conf_log(
            cf,
            Level::Warn,
            "auth_gate: $auth_gate_backend is used and no resolver is set: backends that are named, and not \
             addresses, will not be found; add \"resolver ADDRESS;\"",
        );
    }
}

fn has_resolver(server: *mut ngx_http_core_srv_conf_t) -> bool {
    // SAFETY: the core module's configuration exists for every server; its resolver is null or lives
    // in the cycle's pool. nginx puts one without name servers where none is set.
    unsafe {
        let locations = (*(*server).ctx).loc_conf;
        let conf = *locations.add(ffi::ngx_http_core_module.ctx_index);
        let resolver = (*conf.cast::<ngx_http_core_loc_conf_t>()).resolver;
        resolver
            .as_ref()
            .is_some_and(|resolver| resolver.connections.nelts > 0)
    }
}
