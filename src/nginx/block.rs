//! The one block of memory that the zone's slab pool gives up, and what stands at its start.

use std::ptr::NonNull;

use super::ffi::{self, ngx_slab_pool_t};
use crate::slots::Layout;

/// Marks a block that was initialised. Another layout of the words below takes another mark.
const MAGIC: u64 = 0x6174_6761_7465_0004;

/// Places in the shared part, in bytes.
pub mod place {
    pub const MAGIC: usize = 0;
    pub const TOTAL: usize = 8;
    pub const SECRET: usize = 16;
    pub const FULL: usize = 48;
    pub const USERS: usize = 52;
    pub const HASHES: usize = 64;
    pub const BORN: usize = 3904;
    pub const RESTORED: usize = 3912;
    pub const ENDS: usize = 3916;
    pub const NAME: usize = 3920;
    pub const LOST: usize = 3928;
    pub const COUNTED: usize = 3944;
    pub const SETTLED: usize = 3960;
    pub const RECHECKED: usize = 3968;
    pub const RECOVERED: usize = 3976;
    pub const RESTORED_AT: usize = 3992;
    pub const HEARD: usize = 4000;
    pub const WANTED: usize = 4008;
    pub const DONE: usize = 4016;
    pub const BEFORE: usize = 4024;
    pub const GENERATIONS: usize = 4040;
}

/// The one block of the pool; made and given its random secret on first use.
///
/// # Safety
///
/// `pool` is mapped, and this process reads the configuration: no other writes the block yet.
pub unsafe fn of(pool: NonNull<ngx_slab_pool_t>) -> Option<(NonNull<u8>, usize)> {
    // SAFETY: the caller's pool is mapped; this runs in the process that reads the configuration,
    // and a block is published in `data` only when it is whole.
    unsafe {
        let slab = pool.as_ptr();
        if let Some(block) = NonNull::new((*slab).data.cast::<u8>()) {
            let word = |at| block.as_ptr().add(at).cast::<u64>().read();
            return (word(place::MAGIC) == MAGIC).then(|| (block, word(place::TOTAL) as usize));
        }
        let mut total = (*slab).pfree * ffi::ngx_pagesize;
        let block = loop {
            if total < Layout::LEAST {
                return None;
            }
            (*slab).set_log_nomem(0);
            if let Some(block) = NonNull::new(ffi::ngx_slab_alloc(slab, total).cast::<u8>()) {
                break block;
            }
            total -= ffi::ngx_pagesize;
        };
        let (mut secret, mut name) = ([0; 32], [0; 8]);
        getrandom::fill(&mut secret).ok()?;
        getrandom::fill(&mut name).ok()?;
        block
            .as_ptr()
            .write_bytes(0, total.min(Layout::METRICS.end));
        block
            .as_ptr()
            .add(place::SECRET)
            .copy_from_nonoverlapping(secret.as_ptr(), secret.len());
        block
            .as_ptr()
            .add(place::TOTAL)
            .cast::<u64>()
            .write(total as u64);
        block
            .as_ptr()
            .add(place::BORN)
            .cast::<u64>()
            .write(super::now());
        // 0 stands for the command line.
        let name = u64::from_ne_bytes(name).max(1);
        block.as_ptr().add(place::NAME).cast::<u64>().write(name);
        block.as_ptr().add(place::MAGIC).cast::<u64>().write(MAGIC);
        (*slab).data = block.as_ptr().cast();
        Some((block, total))
    }
}
