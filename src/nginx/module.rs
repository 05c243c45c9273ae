//! What nginx finds when it opens the shared object: two modules, their names and their order.
//!
//! There are two because their handlers belong to different places in a phase. The gate itself
//! stands before `auth_request`, `auth_basic` and `access` in nginx's list, so that it runs after
//! them, as people who write `satisfy any` expect. The cleaner stands at the end, so that it runs
//! before everybody who could read a client's identity header.

use std::{ffi::c_char, ptr::null_mut};

use super::{
    directives,
    ffi::{NGX_HTTP_MODULE, ngx_http_module_t, ngx_module_t, ngx_uint_t},
    setup, worker,
};

static GATE_HOOKS: ngx_http_module_t = ngx_http_module_t {
    preconfiguration: Some(setup::preconfiguration),
    postconfiguration: Some(setup::postconfiguration),
    create_main_conf: Some(setup::create_main_conf),
    init_main_conf: None,
    create_srv_conf: Some(setup::create_server_conf),
    merge_srv_conf: Some(setup::merge_server_conf),
    create_loc_conf: Some(setup::create_location_conf),
    merge_loc_conf: Some(setup::merge_location_conf),
};

static CLEANER_HOOKS: ngx_http_module_t = ngx_http_module_t {
    preconfiguration: None,
    postconfiguration: Some(setup::register_cleaner),
    create_main_conf: None,
    init_main_conf: None,
    create_srv_conf: None,
    merge_srv_conf: None,
    create_loc_conf: None,
    merge_loc_conf: None,
};

/// The gate. nginx writes its indices when it adds the module, before any of our code runs.
#[allow(non_upper_case_globals, missing_docs)]
pub static mut ngx_http_auth_gate_module: ngx_module_t = ngx_module_t {
    ctx: (&raw const GATE_HOOKS).cast_mut().cast(),
    commands: directives::table(),
    type_: NGX_HTTP_MODULE as ngx_uint_t,
    init_process: Some(worker::init_process),
    exit_process: Some(worker::exit_process),
    ..ngx_module_t::default()
};

/// The cleaner of request headers.
#[allow(non_upper_case_globals)]
static mut ngx_http_auth_gate_cleaner_module: ngx_module_t = ngx_module_t {
    ctx: (&raw const CLEANER_HOOKS).cast_mut().cast(),
    type_: NGX_HTTP_MODULE as ngx_uint_t,
    ..ngx_module_t::default()
};

/// A list of C strings that ends in null, as nginx reads it.
#[repr(transparent)]
pub struct Names<const N: usize>([*const c_char; N]);

// SAFETY: the strings are constants and nobody writes the list.
unsafe impl<const N: usize> Sync for Names<N> {}

/// The modules in this object.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static mut ngx_modules: [*const ngx_module_t; 3] = [
    &raw const ngx_http_auth_gate_module,
    &raw const ngx_http_auth_gate_cleaner_module,
    null_mut(),
];

/// Their names, in the same order.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static ngx_module_names: Names<3> = Names([
    c"ngx_http_auth_gate_module".as_ptr(),
    c"ngx_http_auth_gate_cleaner_module".as_ptr(),
    null_mut(),
]);

/// Those after our name are the modules that the gate is put before.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static ngx_module_order: Names<5> = Names([
    c"ngx_http_auth_gate_module".as_ptr(),
    c"ngx_http_auth_request_module".as_ptr(),
    c"ngx_http_auth_basic_module".as_ptr(),
    c"ngx_http_access_module".as_ptr(),
    null_mut(),
]);
