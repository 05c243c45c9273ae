//! The directives: where each may stand, how many words it takes, and who reads them.

use std::ffi::{CStr, c_char, c_void};

use super::{
    conf::{LocationConf, MainConf, ServerConf},
    credentials,
    directive::{self, Directive, Mistake, once},
    doors, entry,
    ffi::{
        self, CONF_ERROR, CONF_OK, NGX_CONF_1MORE, NGX_CONF_FLAG, NGX_CONF_NOARGS, NGX_CONF_TAKE1,
        NGX_CONF_TAKE2, NGX_HTTP_LMT_CONF, NGX_HTTP_LOC_CONF, NGX_HTTP_LOC_CONF_OFFSET,
        NGX_HTTP_MAIN_CONF, NGX_HTTP_MAIN_CONF_OFFSET, NGX_HTTP_SRV_CONF, NGX_HTTP_SRV_CONF_OFFSET,
        ngx_command_t, ngx_conf_t, ngx_str_t, ngx_uint_t,
    },
    identity, load,
    log::Level,
    portal, requirements, scrape,
};

const ANYWHERE: u32 = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

static mut COMMANDS: [ngx_command_t; 20] = [
    command(
        c"auth_gate",
        ANYWHERE | NGX_HTTP_LMT_CONF | NGX_CONF_FLAG,
        auth_gate,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_config",
        NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
        auth_gate_config,
        NGX_HTTP_MAIN_CONF_OFFSET,
    ),
    command(
        c"auth_gate_zone",
        NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
        auth_gate_zone,
        NGX_HTTP_MAIN_CONF_OFFSET,
    ),
    command(
        c"auth_gate_store_grace",
        NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
        auth_gate_store_grace,
        NGX_HTTP_MAIN_CONF_OFFSET,
    ),
    command(
        c"auth_gate_portal",
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        auth_gate_portal,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_endpoints",
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        auth_gate_endpoints,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_sign_out",
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        auth_gate_sign_out,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_trusted_proxies",
        ANYWHERE | NGX_CONF_1MORE,
        auth_gate_trusted_proxies,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_metrics",
        NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
        auth_gate_metrics,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_policy",
        NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
        auth_gate_policy,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_require",
        NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
        auth_gate_require,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_unauthenticated",
        NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
        auth_gate_unauthenticated,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_unauthenticated_url",
        ANYWHERE | NGX_CONF_1MORE,
        auth_gate_unauthenticated_url,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_identity_headers",
        ANYWHERE | NGX_CONF_1MORE,
        auth_gate_identity_headers,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_application",
        NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
        auth_gate_application,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_backend_basic",
        NGX_HTTP_LOC_CONF | NGX_CONF_TAKE2,
        auth_gate_backend_basic,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_credentials",
        ANYWHERE | NGX_CONF_1MORE,
        auth_gate_credentials,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_challenge",
        ANYWHERE | NGX_CONF_TAKE1,
        auth_gate_challenge,
        NGX_HTTP_LOC_CONF_OFFSET,
    ),
    command(
        c"auth_gate_scheme",
        NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_CONF_TAKE1,
        auth_gate_scheme,
        NGX_HTTP_SRV_CONF_OFFSET,
    ),
    ngx_command_t::empty(),
];

/// The table that the module carries.
pub const fn table() -> *mut ngx_command_t {
    (&raw mut COMMANDS).cast()
}

type Setter = unsafe extern "C" fn(*mut ngx_conf_t, *mut ngx_command_t, *mut c_void) -> *mut c_char;

const fn command(name: &'static CStr, kind: u32, set: Setter, conf: usize) -> ngx_command_t {
    ngx_command_t {
        name: ngx_str_t {
            len: name.count_bytes(),
            data: name.as_ptr().cast_mut().cast(),
        },
        type_: kind as ngx_uint_t,
        set: Some(set),
        conf,
        offset: 0,
        post: std::ptr::null_mut(),
    }
}

/// Runs one setter behind the panic guard and turns its mistake into what nginx expects.
unsafe fn set<C>(
    name: &'static str,
    cf: *mut ngx_conf_t,
    conf: *mut c_void,
    apply: fn(&Directive, &mut C) -> Result<(), Mistake>,
) -> *mut c_char {
    entry::guard(name, CONF_ERROR, || {
        // SAFETY: `cf` is that of this callback, and `conf` the configuration that the command's
        // offset names, made by our create function.
        let (directive, conf) = unsafe { (Directive::from_callback(cf), &mut *conf.cast::<C>()) };
        match apply(&directive, conf) {
            Ok(()) => CONF_OK,
            Err(Mistake::Duplicate) => c"is duplicate".as_ptr().cast_mut(),
            Err(Mistake::Says(sentence)) => {
                directive.log(Level::Emerg, &format!("\"{name}\" {sentence}"));
                CONF_ERROR
            }
            Err(Mistake::Logged) => CONF_ERROR,
        }
    })
}

macro_rules! setters {
    ($($name:ident($conf:ty) = $apply:path;)*) => {$(
        unsafe extern "C" fn $name(cf: *mut ngx_conf_t, _: *mut ngx_command_t, conf: *mut c_void) -> *mut c_char {
            // SAFETY: called by nginx with the configuration that the table's offset names.
            unsafe { set::<$conf>(stringify!($name), cf, conf, $apply) }
        }
    )*};
}

setters! {
    auth_gate(LocationConf) = requirements::set_gate;
    auth_gate_config(MainConf) = load::set_configuration;
    auth_gate_zone(MainConf) = set_zone;
    auth_gate_store_grace(MainConf) = set_grace;
    auth_gate_portal(LocationConf) = portal::set_portal;
    auth_gate_endpoints(LocationConf) = doors::set_endpoints;
    auth_gate_sign_out(LocationConf) = doors::set_sign_out;
    auth_gate_trusted_proxies(LocationConf) = doors::set_trusted_proxies;
    auth_gate_metrics(LocationConf) = scrape::set_metrics;
    auth_gate_policy(LocationConf) = requirements::set_policy;
    auth_gate_require(LocationConf) = requirements::add_require;
    auth_gate_unauthenticated(LocationConf) = requirements::add_unauthenticated;
    auth_gate_unauthenticated_url(LocationConf) = requirements::add_unauthenticated_url;
    auth_gate_identity_headers(LocationConf) = identity::set_identity_headers;
    auth_gate_application(LocationConf) = identity::set_application;
    auth_gate_backend_basic(LocationConf) = identity::set_backend_basic;
    auth_gate_credentials(LocationConf) = credentials::set_credentials;
    auth_gate_challenge(LocationConf) = requirements::set_challenge;
    auth_gate_scheme(ServerConf) = set_scheme;
}

fn set_zone(directive: &Directive, conf: &mut MainConf) -> Result<(), Mistake> {
    conf.zone.configure(directive)
}

fn set_grace(directive: &Directive, conf: &mut MainConf) -> Result<(), Mistake> {
    let word = directive.words().into_iter().next().unwrap_or_default();
    let seconds = directive::seconds(word)
        .ok_or_else(|| Mistake::Says("wants a time, for instance 15m, or 0".into()))?;
    once(&mut conf.grace, seconds)
}

fn set_scheme(directive: &Directive, conf: &mut ServerConf) -> Result<(), Mistake> {
    if conf.scheme.is_some() {
        return Err(Mistake::Duplicate);
    }
    let word = directive.text()?;
    if !word.contains('$') && !matches!(word, "https" | "wss") {
        return Err(Mistake::Says(format!(
            "is \"{word}\", which no visitor of a gate may use: write https, or a variable that says it"
        )));
    }
    let cf = directive.cf();
    // SAFETY: the compiled value lives in the cycle's pool; its source is a word of the configuration.
    unsafe {
        let value = ffi::ngx_pcalloc((*cf).pool, size_of::<ffi::ngx_http_complex_value_t>())
            .cast::<ffi::ngx_http_complex_value_t>();
        if value.is_null() {
            return Err(Mistake::Logged);
        }
        let mut compile: ffi::ngx_http_compile_complex_value_t = std::mem::zeroed();
        compile.cf = cf;
        compile.value = (*(*cf).args).elts.cast::<ngx_str_t>().add(1);
        compile.complex_value = value;
        if ffi::ngx_http_compile_complex_value(&raw mut compile) != ffi::OK {
            return Err(Mistake::Logged);
        }
        conf.scheme = Some(value);
    }
    Ok(())
}
