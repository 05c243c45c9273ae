//! Connections that wait for the next caller.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::{Cmd, Value};

use super::breaker::Breaker;
use super::deadline::Deadline;
use super::tls::Tls;
use super::wire::{Hello, Wire};
use crate::store::RedisServer;
use crate::store::redis::trouble::RedisTrouble;

/// Connections to one server that are kept open.
const KEPT: usize = 4;

/// Servers to which connections are kept open: a cluster that keeps moving must not fill memory.
const SERVERS: usize = 64;

/// Less time than this says nothing of a server that does not answer in it.
const FAIR: Duration = Duration::from_millis(100);

/// Connections to all servers there are.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<HashMap<RedisServer, Vec<Wire>>>,
    breaker: Breaker,
    tls: Option<Tls>,
}

impl Pool {
    pub fn new(tls: Option<Tls>) -> Pool {
        Pool {
            tls,
            ..Pool::default()
        }
    }

    /// Sends commands to a server on a connection nobody else uses, and gives its answers.
    pub fn exchange(
        &self,
        server: &RedisServer,
        hello: Hello<'_>,
        commands: &[&Cmd],
        deadline: Deadline,
    ) -> Result<Vec<Value>, RedisTrouble> {
        // Whoever has hardly any time left learns nothing of the server.
        let late = |_| RedisTrouble::Late(deadline.seconds());
        let is_fair = deadline.left().map_err(late)? >= FAIR;
        let leave = self.breaker.enter(server)?;
        let kept = self.take(server);
        let mut wire = None;
        let opened = kept.map_or_else(
            || Wire::open(server, self.tls.as_ref(), hello, deadline),
            Ok,
        );
        let answers = opened.and_then(|opened| wire.insert(opened).exchange(commands, deadline));
        match &answers {
            Ok(_) => {
                leave.well();
                self.keep(server, wire);
            }
            // It was closed while it waited here, or while it was used; those beside it may be, too. Who
            // has spoken to the server knows that it is there.
            Err(RedisTrouble::BrokenOff(_)) if wire.is_some() => self.drop_all(server),
            Err(RedisTrouble::Late(_)) if !is_fair => {}
            Err(trouble) if trouble.is_silence() => {
                leave.failed(trouble);
                self.drop_all(server);
            }
            Err(_) => leave.well(),
        }
        answers
    }

    /// Closes the connections to a server that wait here.
    pub fn drop_all(&self, server: &RedisServer) {
        self.lock().remove(server);
    }

    fn take(&self, server: &RedisServer) -> Option<Wire> {
        self.lock().get_mut(server)?.pop()
    }

    fn keep(&self, server: &RedisServer, wire: Option<Wire>) {
        let mut idle = self.lock();
        if idle.len() >= SERVERS && !idle.contains_key(server) {
            idle.clear();
        }
        let kept = idle.entry(server.clone()).or_default();
        if kept.len() < KEPT {
            kept.extend(wire);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RedisServer, Vec<Wire>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
