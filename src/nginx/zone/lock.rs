//! The lock of the shared memory.
//!
//! The slab's mutex, because the master frees that one by force when a worker dies holding it; the
//! tables survive what such a worker left half-written.

use std::ptr::NonNull;

use crate::nginx::ffi::{self, ngx_slab_pool_t};

/// The slab's mutex, held.
pub struct Lock(NonNull<ngx_slab_pool_t>);

impl Lock {
    pub(super) fn take(pool: NonNull<ngx_slab_pool_t>) -> Self {
        // SAFETY: the pool is mapped for as long as the configuration lives.
        unsafe { ffi::ngx_shmtx_lock(&raw mut (*pool.as_ptr()).mutex) };
        Lock(pool)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // SAFETY: taken by `take` and not given back since.
        unsafe { ffi::ngx_shmtx_unlock(&raw mut (*self.0.as_ptr()).mutex) };
    }
}
