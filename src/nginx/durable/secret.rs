//! The key behind cookies where the configuration names no secret: a random one that lives in the
//! store, so that cookies outlive the zone.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use super::Desk;
use crate::nginx::signals;

/// How long the start of a worker waits for the store; without its answer the worker begins all the
/// same, answers with 503 whoever presents a cookie, and asks again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Settles the key before the first request, if that can be done soon.
pub fn settle_at_start(desk: &Desk) {
    if desk.zone.keys().is_some() {
        return;
    }
    let Some(proposal) = desk.zone.zone_secret() else {
        return;
    };
    let begun = crate::nginx::milliseconds();
    let (sender, receiver) = mpsc::channel();
    let archive = Arc::clone(&desk.archive);
    let work = move || {
        let secret = archive.ask(|ledger| ledger.secret(&proposal));
        let _ = sender.send(secret);
    };
    let thread = thread::Builder::new().name("auth-gate secret".into());
    if signals::blocked(|| thread.spawn(work)).is_err() {
        return;
    }
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(secret)) => {
            desk.zone.settle_secret(&secret);
            desk.zone.set_keys(&secret);
        }
        Ok(Err(outage)) => desk.lose(&outage, begun),
        Err(_) => {}
    }
}
