//! Timers that belong to the worker and not to a request.

use std::{ffi::c_void, rc::Rc};

use super::{
    entry,
    ffi::{self, ngx_event_t},
    log,
};

/// A timer that calls back for as long as the callback arms it again.
///
/// The first words stand where nginx's debug log looks for a file descriptor.
#[repr(C)]
pub struct Timer {
    identity: [usize; 4],
    event: ngx_event_t,
    interval: usize,
    callback: Rc<dyn Fn(Again)>,
}

/// The right to arm a timer once more; without using it the timer ends.
pub struct Again(*mut Timer);

impl Timer {
    /// Calls `callback` after `interval` milliseconds, and again whenever the callback arms the timer
    /// once more. An exiting worker does not wait for it.
    pub fn every(interval: usize, callback: impl Fn(Again) + 'static) {
        Self::start(interval, true, Rc::new(callback));
    }

    /// Calls `callback` once after `interval` milliseconds. An exiting worker waits for it.
    pub fn once(interval: usize, callback: impl Fn() + 'static) {
        Self::start(interval, false, Rc::new(move |_| callback()));
    }

    fn start(interval: usize, cancelable: bool, callback: Rc<dyn Fn(Again)>) {
        // SAFETY: an event of zeros is what nginx's own modules begin with.
        let event = unsafe { std::mem::zeroed() };
        let timer = Box::into_raw(Box::new(Timer {
            identity: [usize::MAX; 4],
            event,
            interval,
            callback,
        }));
        // SAFETY: the box was just made and is given back only in `Again`'s drop.
        unsafe {
            (*timer).event.data = timer.cast::<c_void>();
            (*timer).event.handler = Some(fire);
            (*timer).event.log = log::cycle_log();
            (*timer).event.set_cancelable(u32::from(cancelable));
        }
        Again(timer).arm();
    }
}

impl Again {
    /// Arms the timer.
    pub fn arm(self) {
        let timer = self.0;
        std::mem::forget(self);
        // SAFETY: the box is alive: it ends only with an `Again`, of which there is one at a time.
        unsafe { ffi::ngx_add_timer(&raw mut (*timer).event, (*timer).interval) };
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        // SAFETY: the timer is not armed while an `Again` exists, so nobody else holds the box.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

unsafe extern "C" fn fire(event: *mut ngx_event_t) {
    entry::guard("timer", (), || {
        // SAFETY: `data` is the box that `every` made, alive while the timer is armed. The callback is
        // held here while it runs, because it may end the timer.
        let (timer, callback) = unsafe {
            let timer = (*event).data.cast::<Timer>();
            (timer, Rc::clone(&(*timer).callback))
        };
        callback(Again(timer));
    });
}
