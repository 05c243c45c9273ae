//! The portal's location: the directive and the content handler, which serves the endpoints, too, and which hands each request with its
//! body to [`flow`].

use super::{
    body::{self, BadBody},
    conf::LocationConf,
    directive::{Directive, Mistake},
    doors, ending, entry,
    ffi::{
        self, DONE, NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_http_request_t,
        ngx_int_t,
    },
    flow,
    request::{Request, bytes},
    wait,
};

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// `auth_gate_portal`.
pub fn set_portal(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    // SAFETY: while a location is read, the context holds its core configuration.
    let location = unsafe { core_location(directive.cf()) };
    let prefix = location.regex.is_null() && location.exact_match() == 0 && location.named() == 0;
    if !prefix || location.noname() == 1 {
        return Err(Mistake::Says(
            "wants a prefix location with the path of authelia_url, for instance \"location /\" or \"location /sso\", \
             not a regular expression, an exact or a named location"
                .into(),
        ));
    }
    let path = String::from_utf8_lossy(bytes(&location.name))
        .trim_end_matches('/')
        .to_owned();
    take_location(directive, conf, "auth_gate_portal")?;
    conf.portal = Some(path);
    Ok(())
}

/// Lets our handler serve the location that is read, as the directive `own` wants it, unless one does
/// already.
pub fn take_location(
    directive: &Directive,
    conf: &LocationConf,
    own: &'static str,
) -> Result<(), Mistake> {
    if let Some(other) = conf.served_by() {
        let what = match [own, other].contains(&"auth_gate_sign_out") {
            _ if own == other => return Err(Mistake::Duplicate),
            true => "give each a location of its own",
            false => "the portal serves the endpoints already, remove \"auth_gate_endpoints\"",
        };
        return Err(Mistake::Says(format!("stands beside \"{other}\": {what}")));
    }
    // SAFETY: while a location is read, the context holds its core configuration.
    unsafe { core_location(directive.cf()) }.handler = Some(handler);
    Ok(())
}

/// nginx's own configuration of the location that is being read.
///
/// # Safety
///
/// `cf` is that of a directive in a location.
pub(super) unsafe fn core_location<'a>(
    cf: *mut ffi::ngx_conf_t,
) -> &'a mut ffi::ngx_http_core_loc_conf_t {
    // SAFETY: the caller reads a location, where the context is one of HTTP.
    unsafe {
        let context = (*cf).ctx.cast::<ffi::ngx_http_conf_ctx_t>();
        &mut *(*(*context).loc_conf.add(ffi::ngx_http_core_module.ctx_index)).cast()
    }
}

/// Whether the location is still served by the portal; another content handler may have been named
/// after it.
pub fn serves(location: &ffi::ngx_http_core_loc_conf_t) -> bool {
    location
        .handler
        .is_some_and(|found| found as usize == handler as Handler as usize)
}

/// Lets the portal serve a block without a name (`if`, `limit_except`) of its location, too.
pub fn serve_inside(location: &mut ffi::ngx_http_core_loc_conf_t) {
    location.handler = Some(handler);
}

type Handler = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// Content handler of the portal's location.
unsafe extern "C" fn handler(r: *mut ngx_http_request_t) -> ngx_int_t {
    entry::guard("portal", FAILED, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return FAILED;
        };
        if request.is_subrequest() {
            return NGX_HTTP_FORBIDDEN as ngx_int_t;
        }
        if doors::are_meant(request) || !may_have_body(request.method()) {
            // As the reading of a body does: whoever ends the request gives up one hold, and nginx
            // gives up the other when this returns.
            let raw = request.raw_mut();
            raw.set_count(raw.count() + 1);
            // SAFETY: `r` is the request of this callback.
            unsafe { wait::guard("portal", r, |request| flow::begin(request, &[])) };
            return DONE;
        }
        // SAFETY: the request is live; the callback ends it.
        let code = unsafe { ffi::ngx_http_read_client_request_body(r, Some(body_is_there)) };
        if code >= ffi::NGX_HTTP_SPECIAL_RESPONSE as ngx_int_t {
            code
        } else {
            DONE
        }
    })
}

/// Whether a body is read; what comes with other methods is thrown away.
fn may_have_body(method: &[u8]) -> bool {
    matches!(method, b"POST" | b"PUT" | b"DELETE")
}

unsafe extern "C" fn body_is_there(r: *mut ngx_http_request_t) {
    let step = |request: Request<'_>| match body::read(request) {
        Ok(body) => flow::begin(request, &body),
        Err(BadBody::TooLong) => ending::refuse(request, 413, None),
        Err(BadBody::Unreadable) => ending::refuse(request, 500, None),
    };
    // SAFETY: `r` is the request of this callback.
    unsafe { wait::guard("portal", r, step) };
}
