//! Getting commands to the right server and answers back, in time: connections, time-outs,
//! sentinels, clusters, and what is tried a second time. Knows nothing of what is kept.

mod answers;
mod breaker;
mod deadline;
mod nodes;
mod pool;
mod stream;
mod tls;
mod wire;

use std::collections::HashMap;
use std::time::Duration;

use redis::{Cmd, Script, Value, cmd};

use super::trouble::RedisTrouble;
use crate::store::{RedisLayout, RedisServer, RedisSettings, StoreError};
use answers::{Verdict, judge};
use deadline::Deadline;
use nodes::{Nodes, Wrong, hello};
use pool::Pool;
use tls::Tls;

pub(super) use answers::{all_bytes, bytes, list, number};

/// How often a command is tried: on a connection that was closed meanwhile, at a server that has
/// become a replica or given the slot away, and where it belongs.
const TRIES: usize = 3;

/// Whoever speaks to Redis.
pub(super) struct Link {
    settings: RedisSettings,
    pool: Pool,
    nodes: Nodes,
}

/// A command about one key.
pub(super) struct Call {
    key: Vec<u8>,
    command: Cmd,
    /// The same with the whole script, for servers that do not know it yet.
    whole: Option<Cmd>,
}

/// All calls of one call of the ledger's: they share its time.
#[derive(Clone, Copy)]
pub(super) struct Visit<'l> {
    link: &'l Link,
    deadline: Deadline,
}

impl Call {
    /// A command whose first argument is the key.
    pub(super) fn new(name: &str, key: &[u8]) -> Call {
        Call {
            key: key.to_vec(),
            command: cmd(name).arg(key).to_owned(),
            whole: None,
        }
    }

    /// A command that is sent to where the key is, but does not name it first.
    pub(super) fn beside(key: &[u8], command: Cmd) -> Call {
        Call {
            key: key.to_vec(),
            command,
            whole: None,
        }
    }

    /// A script about one key.
    pub(super) fn script(script: &Script, code: &str, key: &[u8]) -> Call {
        let begin = |name: &str, what: &str| cmd(name).arg(what).arg(1).arg(key).to_owned();
        Call {
            key: key.to_vec(),
            command: begin("EVALSHA", script.get_hash()),
            whole: Some(begin("EVAL", code)),
        }
    }

    /// Adds an argument.
    pub(super) fn arg(mut self, arg: impl redis::ToRedisArgs) -> Call {
        self.command.arg(&arg);
        if let Some(whole) = &mut self.whole {
            whole.arg(&arg);
        }
        self
    }
}

impl Link {
    pub(super) fn new(settings: RedisSettings) -> Result<Link, StoreError> {
        let tls = settings.tls.as_ref().map(Tls::new).transpose();
        let tls = tls.map_err(|trouble| StoreError::Redis {
            server: first(&settings.layout),
            trouble,
        })?;
        Ok(Link {
            settings,
            pool: Pool::new(tls),
            nodes: Nodes::default(),
        })
    }

    /// Begins a visit that may last as long as the time-out and `more`.
    pub(super) fn visit(&self, more: Duration) -> Visit<'_> {
        Visit {
            link: self,
            deadline: Deadline::after(self.settings.timeout + more),
        }
    }

    /// The error, with a server that it is about.
    pub(super) fn error(&self, trouble: RedisTrouble) -> StoreError {
        let known = self.nodes.known();
        let server = known.as_ref().and_then(|known| known.any());
        StoreError::Redis {
            server: server.map_or_else(|| first(&self.settings.layout), ToString::to_string),
            trouble,
        }
    }
}

/// The server that is named first.
fn first(layout: &RedisLayout) -> String {
    let server = match layout {
        RedisLayout::Single(server) => Some(server),
        RedisLayout::Sentinel(sentinels) => sentinels.nodes.first(),
        RedisLayout::Cluster(nodes) => nodes.first(),
    };
    server.map(ToString::to_string).unwrap_or_default()
}

impl Visit<'_> {
    /// The answer to one call.
    pub(super) fn ask(&self, call: Call) -> Result<Value, StoreError> {
        let answer = self.ask_all(&[call])?.pop();
        answer.ok_or_else(|| self.link.error(RedisTrouble::Babble("no answer".into())))
    }

    /// The answers to calls, in their order. The calls go out at once, to every server those of its
    /// keys; what is done may be done in any order, and twice where the first time was not heard of.
    pub(super) fn ask_all(&self, calls: &[Call]) -> Result<Vec<Value>, StoreError> {
        let mut answers: Vec<Option<Value>> = calls.iter().map(|_| None).collect();
        let mut wrong = None;
        for _ in 0..TRIES {
            let open = |(n, answer): (usize, &Option<Value>)| answer.is_none().then_some(n);
            let open: Vec<usize> = answers.iter().enumerate().filter_map(open).collect();
            if open.is_empty() {
                break;
            }
            self.round(calls, &open, &mut answers, &mut wrong)
                .map_err(told)?;
        }
        let answers: Option<Vec<Value>> = answers.into_iter().collect();
        answers.ok_or_else(|| match wrong {
            Some(wrong) => told(wrong),
            None => self.link.error(RedisTrouble::Babble("no answer".into())),
        })
    }

    /// Asks those that have no answer yet. What may go well the next time is left in `wrong`.
    fn round(
        &self,
        calls: &[Call],
        open: &[usize],
        answers: &mut [Option<Value>],
        wrong: &mut Option<Wrong>,
    ) -> Result<(), Wrong> {
        let link = self.link;
        let known = link.nodes.find(&link.settings, &link.pool, self.deadline)?;
        let mut by_server: HashMap<&RedisServer, Vec<usize>> = HashMap::new();
        for &n in open {
            match known.of(&calls[n].key) {
                Some(server) => by_server.entry(server).or_default().push(n),
                None => {
                    let trouble = RedisTrouble::ClusterDown("a slot belongs to nobody".into());
                    let server = known.any().cloned();
                    *wrong = server.map(|server| (server, trouble));
                    link.nodes.forget();
                }
            }
        }
        for (server, which) in by_server {
            let Err(trouble) = self.serve(server, calls, &which, answers) else {
                continue;
            };
            let again = trouble.is_silence() || is_elsewhere(&trouble);
            *wrong = Some((server.clone(), self.sharpen(trouble.clone())));
            link.nodes.forget();
            if !again {
                return Err((server.clone(), trouble));
            }
            if is_elsewhere(&trouble) {
                link.pool.drop_all(server);
            }
        }
        Ok(())
    }

    /// Asks one server.
    fn serve(
        &self,
        server: &RedisServer,
        calls: &[Call],
        which: &[usize],
        answers: &mut [Option<Value>],
    ) -> Result<(), RedisTrouble> {
        let mut unloaded = Vec::new();
        let mut elsewhere = None;
        let commands: Vec<&Cmd> = which.iter().map(|&n| &calls[n].command).collect();
        for (&n, answer) in which.iter().zip(self.exchange(server, &commands)?) {
            match self.settle(&calls[n], answer, &mut elsewhere)? {
                Some(answer) => answers[n] = Some(answer),
                None if elsewhere.is_none() => unloaded.push(n),
                None => {}
            }
        }
        // A server that does not know a script yet is told it with every call that waits for it.
        let whole = unloaded.iter().filter_map(|&n| calls[n].whole.as_ref());
        let whole: Vec<&Cmd> = whole.collect();
        if !whole.is_empty() && elsewhere.is_none() {
            for (&n, answer) in unloaded.iter().zip(self.exchange(server, &whole)?) {
                answers[n] = self.settle(&calls[n], answer, &mut elsewhere)?;
            }
        }
        elsewhere.map_or(Ok(()), Err)
    }

    fn exchange(
        &self,
        server: &RedisServer,
        commands: &[&Cmd],
    ) -> Result<Vec<Value>, RedisTrouble> {
        let link = self.link;
        let hello = hello(&link.settings);
        link.pool.exchange(server, hello, commands, self.deadline)
    }

    /// The answer, or none where the call has to be made again.
    fn settle(
        &self,
        call: &Call,
        answer: Value,
        elsewhere: &mut Option<RedisTrouble>,
    ) -> Result<Option<Value>, RedisTrouble> {
        match judge(answer) {
            Verdict::Answer(answer) => Ok(Some(answer)),
            Verdict::Unloaded => Ok(None),
            Verdict::Refused(trouble) => Err(trouble),
            Verdict::Elsewhere(trouble) => {
                *elsewhere = Some(trouble);
                Ok(None)
            }
            Verdict::Ask(server) => {
                let asking = cmd("ASKING");
                let command = call.whole.as_ref().unwrap_or(&call.command);
                let answer = self.exchange(&server, &[&asking, command])?.pop();
                match judge(answer.unwrap_or_default()) {
                    Verdict::Answer(answer) => Ok(Some(answer)),
                    Verdict::Refused(trouble) => Err(trouble),
                    _ => {
                        let moving = "a slot is on its way to another node";
                        *elsewhere = Some(RedisTrouble::ClusterDown(moving.into()));
                        Ok(None)
                    }
                }
            }
        }
    }

    /// What being sent elsewhere means where nobody knew of a cluster.
    fn sharpen(&self, trouble: RedisTrouble) -> RedisTrouble {
        match (trouble, &self.link.settings.layout) {
            (RedisTrouble::InCluster, RedisLayout::Cluster(_)) => {
                RedisTrouble::ClusterDown("its slots are moving".into())
            }
            (trouble, _) => trouble,
        }
    }
}

fn is_elsewhere(trouble: &RedisTrouble) -> bool {
    use RedisTrouble::{ClusterDown, InCluster, Loading, ReadOnly};
    matches!(trouble, ReadOnly | Loading | InCluster | ClusterDown(_))
}

fn told((server, trouble): Wrong) -> StoreError {
    StoreError::Redis {
        server: server.to_string(),
        trouble,
    }
}
