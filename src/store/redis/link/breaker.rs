//! What keeps callers from waiting one after another for a server that does not answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::RedisServer;
use crate::store::redis::trouble::RedisTrouble;

/// For how long a server that has failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Servers that have failed; those that are not here are well.
#[derive(Debug, Default)]
pub struct Breaker {
    failed: Mutex<HashMap<RedisServer, Failed>>,
}

#[derive(Debug)]
struct Failed {
    trouble: RedisTrouble,
    until: Instant,
    /// Whether somebody is trying it again.
    probed: bool,
}

/// Leave to speak to a server. Whoever has it says how it went, or has said nothing.
pub struct Leave<'b> {
    breaker: &'b Breaker,
    server: &'b RedisServer,
    probing: bool,
}

impl Breaker {
    /// Leave to speak to `server`, or what was wrong with it a moment ago. After that moment one
    /// caller tries it again, and the others still hear what was wrong.
    pub fn enter<'b>(&'b self, server: &'b RedisServer) -> Result<Leave<'b>, RedisTrouble> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut probing = false;
        if let Some(known) = failed.get_mut(server) {
            if known.probed || Instant::now() < known.until {
                return Err(known.trouble.clone());
            }
            known.probed = true;
            probing = true;
        }
        Ok(Leave {
            breaker: self,
            server,
            probing,
        })
    }
}

impl Leave<'_> {
    /// The server has answered.
    pub fn well(mut self) {
        self.probing = false;
        let mut failed = self.lock();
        failed.remove(self.server);
    }

    /// The server has not answered.
    pub fn failed(mut self, trouble: &RedisTrouble) {
        self.probing = false;
        let known = Failed {
            trouble: trouble.clone(),
            until: Instant::now() + PAUSE,
            probed: false,
        };
        self.lock().insert(self.server.clone(), known);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RedisServer, Failed>> {
        let failed = self.breaker.failed.lock();
        failed.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leave<'_> {
    /// Somebody who was to try it has not: the next one does.
    fn drop(&mut self) {
        if self.probing
            && let Some(known) = self.lock().get_mut(self.server)
        {
            known.probed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> RedisServer {
        RedisServer::Unix("/nowhere".into())
    }

    #[test]
    fn a_server_that_failed_is_left_alone_and_then_tried_by_one() {
        let (breaker, server) = (Breaker::default(), server());
        breaker
            .enter(&server)
            .unwrap()
            .failed(&RedisTrouble::Late(5));
        assert!(breaker.enter(&server).is_err());
        let over = |breaker: &Breaker| {
            let mut failed = breaker.failed.lock().unwrap();
            failed.get_mut(&server).unwrap().until = Instant::now();
        };
        over(&breaker);
        let probe = breaker.enter(&server).unwrap();
        assert_eq!(breaker.enter(&server).err(), Some(RedisTrouble::Late(5)));
        probe.failed(&RedisTrouble::Late(6));
        assert_eq!(breaker.enter(&server).err(), Some(RedisTrouble::Late(6)));
        over(&breaker);
        // One that says nothing, as after a panic, leaves it to the next.
        drop(breaker.enter(&server).unwrap());
        breaker.enter(&server).unwrap().well();
        let all = [breaker.enter(&server), breaker.enter(&server)];
        assert!(all.iter().all(Result::is_ok));
    }
}
