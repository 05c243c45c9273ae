//! The location that tells what is counted: the directive, what is checked of it, and the content
//! handler.

use std::{
    ffi::{CStr, c_void},
    net::{IpAddr, Ipv6Addr},
    ptr::NonNull,
};

use super::{
    checks,
    conf::{LocationConf, MainConf, ServerConf},
    directive::{Directive, Mistake, conf_log},
    entry,
    ffi::{
        self, NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_HTTP_NOT_ALLOWED, ngx_conf_t,
        ngx_http_core_loc_conf_t, ngx_http_core_main_conf_t, ngx_http_core_srv_conf_t,
        ngx_http_request_t, ngx_int_t,
    },
    headers,
    log::Level,
    meters,
    portal::core_location,
    reply,
    request::{self, Request},
};
use crate::portal::Answer;

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `auth_gate_metrics`.
pub fn set_metrics(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    if conf.metrics {
        return Err(Mistake::Duplicate);
    }
    conf.metrics = true;
    // SAFETY: while a location is read, the context holds its core configuration.
    unsafe { core_location(directive.cf()) }.handler = Some(handler);
    Ok(())
}

/// A block without a name (`if`, `limit_except`) goes on with what its location does. Says so if
/// another content handler was named after this one.
pub fn merge(
    cf: *mut ngx_conf_t,
    core: &mut ngx_http_core_loc_conf_t,
    parent: &LocationConf,
    child: &mut LocationConf,
    server: &mut ServerConf,
) -> Result<(), ()> {
    if core.noname() == 1 && parent.metrics {
        child.metrics = true;
        core.handler = Some(handler);
        return Ok(());
    }
    if !child.metrics {
        return Ok(());
    }
    if !core.handler.is_some_and(is_ours) {
        conf_log(
            cf,
            Level::Emerg,
            "\"auth_gate_metrics\" and another directive that answers requests, such as proxy_pass, \
             stand in one location: only one of them can; give the metrics a location of their own",
        );
        return Err(());
    }
    // SAFETY: during the merge the context is that of the location being merged.
    let confs = unsafe { (*(*cf).ctx.cast::<ffi::ngx_http_conf_ctx_t>()).loc_conf };
    server.scrapes.extend(NonNull::new(confs));
    Ok(())
}

/// Checks the locations of a server that tell what is counted.
pub fn check(
    cf: *mut ngx_conf_t,
    conf: &MainConf,
    (core, server): (&ngx_http_core_main_conf_t, *mut ngx_http_core_srv_conf_t),
    ours: &ServerConf,
) -> Result<(), ()> {
    if ours.scrapes.is_empty() {
        return Ok(());
    }
    if conf.loaded.is_none() {
        let message = "\"auth_gate_metrics\" needs \"auth_gate_config FILE;\" in the http block";
        conf_log(cf, Level::Emerg, message);
        return Err(());
    }
    let here_only = checks::addresses(core, server).all(is_of_this_machine);
    let open = |confs: &&NonNull<*mut c_void>| !here_only && !has_access_rules(cf, **confs);
    for confs in ours.scrapes.iter().filter(open) {
        // SAFETY: the configurations of a location, complete after all were read and merged.
        let location = unsafe {
            &*(*confs.add(ffi::ngx_http_core_module.ctx_index).as_ptr())
                .cast::<ngx_http_core_loc_conf_t>()
        };
        let name = String::from_utf8_lossy(request::bytes(&location.name));
        let message = format!(
            "auth_gate_metrics: anybody may read what is counted at location {name}: \
             add \"allow ADDRESS;\" and \"deny all;\""
        );
        conf_log(cf, Level::Warn, &message);
    }
    Ok(())
}

/// Whether nobody else can come that way.
fn is_of_this_machine(address: &ffi::ngx_http_conf_addr_t) -> bool {
    // SAFETY: the address of a `listen` directive, as long as its family demands.
    let ip = unsafe {
        let address = address.opt.sockaddr;
        match i32::from((*address).sa_family) {
            libc::AF_INET => {
                let v4 = (*address.cast::<libc::sockaddr_in>()).sin_addr.s_addr;
                IpAddr::V4(u32::from_be(v4).into())
            }
            libc::AF_INET6 => {
                let v6 = (*address.cast::<libc::sockaddr_in6>()).sin6_addr.s6_addr;
                IpAddr::V6(Ipv6Addr::from(v6))
            }
            // A unix socket.
            _ => return true,
        }
    };
    ip.to_canonical().is_loopback()
}

/// Whether `allow` and `deny` hold in a location. `deny all` stands among the rules for IPv4, and
/// nobody who means these rules leaves it out.
fn has_access_rules(cf: *mut ngx_conf_t, confs: NonNull<*mut c_void>) -> bool {
    let Some(index) = index_of(cf, c"ngx_http_access_module") else {
        return false;
    };
    // SAFETY: every HTTP module has its place there. The configuration of that module begins with the
    // array of its rules for IPv4, null when there are none, in every version there was.
    unsafe {
        let rules = (*confs.add(index).as_ptr()).cast::<*const c_void>();
        !rules.is_null() && !(*rules).is_null()
    }
}

/// The place of an HTTP module's configurations, if there is such a module.
fn index_of(cf: *mut ngx_conf_t, name: &CStr) -> Option<usize> {
    // SAFETY: the list of modules ends in null; those that are in it have names.
    unsafe {
        let mut module = (*(*cf).cycle).modules;
        while let Some(found) = (*module).as_ref() {
            if !found.name.is_null() && CStr::from_ptr(found.name) == name {
                return Some(found.ctx_index);
            }
            module = module.add(1);
        }
    }
    None
}

type Handler = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

fn is_ours(found: Handler) -> bool {
    found as usize == handler as Handler as usize
}

/// Content handler of the location.
unsafe extern "C" fn handler(r: *mut ngx_http_request_t) -> ngx_int_t {
    entry::guard("metrics", FAILED, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return FAILED;
        };
        // nginx asks no `allow` or `deny` about a subrequest.
        if request.is_subrequest() {
            return NGX_HTTP_FORBIDDEN as ngx_int_t;
        }
        if !matches!(request.method(), b"GET" | b"HEAD") {
            return match headers::push_out(request, "Allow", "GET, HEAD") {
                Ok(_) => NGX_HTTP_NOT_ALLOWED as ngx_int_t,
                Err(_) => FAILED,
            };
        }
        match meters::text(request.whole()) {
            Some(text) => reply::send(request, &answer(text)),
            None => FAILED,
        }
    })
}

fn answer(text: String) -> Answer {
    Answer {
        status: 200,
        content_type: Some(CONTENT_TYPE),
        headers: vec![("Cache-Control".into(), "no-store".into())],
        cookies: Vec::new(),
        location: None,
        body: text.into_bytes(),
        hold: 0,
        rest: 0,
        event: None,
        judged: None,
    }
}
