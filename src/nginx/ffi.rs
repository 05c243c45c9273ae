//! The C names of nginx: what `nginx-sys` binds, the thread pools beside it, and the few constants
//! that are expressions in C and that bindgen leaves out.

pub use nginx_sys::*;
pub use thread_pool::{
    ngx_thread_pool_add, ngx_thread_pool_t, ngx_thread_task_post, ngx_thread_task_t,
};

/// `ngx_thread_pool.h`, bound by build.rs.
#[allow(missing_docs, non_camel_case_types, unreachable_pub)]
mod thread_pool {
    include!(concat!(env!("OUT_DIR"), "/thread_pool.rs"));
}

/// `NGX_CONF_OK`.
pub const CONF_OK: *mut core::ffi::c_char = core::ptr::null_mut();
/// `NGX_CONF_ERROR`: the mistake was logged already.
pub const CONF_ERROR: *mut core::ffi::c_char = core::ptr::without_provenance_mut(usize::MAX);

/// `NGX_OK`, `NGX_ERROR` and the rest as handlers return them.
pub const OK: ngx_int_t = NGX_OK as ngx_int_t;
/// Something failed; nginx ends the request.
pub const ERROR: ngx_int_t = NGX_ERROR as ngx_int_t;
/// Not ours: the next handler decides.
pub const DECLINED: ngx_int_t = NGX_DECLINED as ngx_int_t;
pub const AGAIN: ngx_int_t = NGX_AGAIN as ngx_int_t;
/// The request goes on later, and we have said when.
pub const DONE: ngx_int_t = NGX_DONE as ngx_int_t;

/// `NGX_HTTP_SATISFY_ANY`.
pub const SATISFY_ANY: ngx_uint_t = NGX_HTTP_SATISFY_ANY as ngx_uint_t;
