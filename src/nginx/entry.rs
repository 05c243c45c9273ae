//! The one wrapper around every callback: a panic must not cross into C, where it would abort the
//! process, and in the master that takes the site down.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::log;

/// Runs `f`; when it panics, logs that and gives `fallback`, which each caller chooses so that
/// nothing passes unjudged.
pub fn guard<T>(callback: &'static str, fallback: T, f: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(value) => value,
        Err(panic) => {
            let message = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no message");
            log::cycle(
                log::Level::Alert,
                format_args!("auth_gate: panic in {callback}: {message}"),
            );
            fallback
        }
    }
}

/// Sends the place of a panic to nginx's log as well; the default goes to a closed stderr.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        if let Some(place) = info.location() {
            log::cycle(
                log::Level::Alert,
                format_args!("auth_gate: panic at {place}"),
            );
        }
    }));
}
