//! Who is to be asked about a key: the one server, the primary that the sentinels name, or the node of
//! a cluster that has the key's slot.

use std::sync::{Arc, Mutex, PoisonError};

use redis::{Value, cmd};

use super::answers::{Verdict, judge, list, number};
use super::deadline::Deadline;
use super::pool::Pool;
use super::wire::Hello;
use crate::store::redis::trouble::RedisTrouble;
use crate::store::{RedisLayout, RedisServer, RedisSettings};

/// Slots of a cluster.
const SLOTS: u16 = 16_384;

/// Parts of the slots, and nodes in an answer, that are looked at.
const MAX_PARTS: usize = 16_384;

/// Who is to be asked, as far as it is known.
#[derive(Default)]
pub struct Nodes {
    known: Mutex<Option<Arc<Known>>>,
}

/// Who is to be asked.
pub enum Known {
    One(RedisServer),
    /// In the order of their slots.
    Cluster(Vec<Part>),
}

/// A part of the slots.
pub struct Part {
    first: u16,
    last: u16,
    server: RedisServer,
}

/// A server and what is wrong with it.
pub type Wrong = (RedisServer, RedisTrouble);

impl Nodes {
    /// Finds out who is to be asked, unless that is known.
    pub fn find(
        &self,
        settings: &RedisSettings,
        pool: &Pool,
        deadline: Deadline,
    ) -> Result<Arc<Known>, Wrong> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let known = Arc::new(match &settings.layout {
            RedisLayout::Single(server) => Known::One(server.clone()),
            RedisLayout::Sentinel(_) => Known::One(primary(settings, pool, deadline)?),
            RedisLayout::Cluster(nodes) => {
                Known::Cluster(cluster(nodes, settings, pool, deadline)?)
            }
        });
        *self.lock() = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Who is to be asked, if that is known.
    pub fn known(&self) -> Option<Arc<Known>> {
        self.lock().clone()
    }

    /// Finds it out anew next time.
    pub fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Who is to be asked about this key.
    pub fn of(&self, key: &[u8]) -> Option<&RedisServer> {
        match self {
            Known::One(server) => Some(server),
            Known::Cluster(parts) => {
                let slot = crc16(key) % SLOTS;
                let part = parts.partition_point(|part| part.last < slot);
                let part = parts.get(part).filter(|part| part.first <= slot)?;
                Some(&part.server)
            }
        }
    }

    /// Somebody who can be named in a message.
    pub fn any(&self) -> Option<&RedisServer> {
        match self {
            Known::One(server) => Some(server),
            Known::Cluster(parts) => parts.first().map(|part| &part.server),
        }
    }
}

/// As whom to speak to the servers.
pub fn hello(settings: &RedisSettings) -> Hello<'_> {
    Hello {
        username: settings.username.as_deref(),
        password: settings.password.as_ref(),
        database: settings.database,
        primary: matches!(settings.layout, RedisLayout::Sentinel(_)),
    }
}

/// Asks the sentinels in turn.
fn primary(
    settings: &RedisSettings,
    pool: &Pool,
    deadline: Deadline,
) -> Result<RedisServer, Wrong> {
    let RedisLayout::Sentinel(sentinels) = &settings.layout else {
        unreachable!("asked for with sentinels only");
    };
    let mut ask = cmd("SENTINEL");
    ask.arg("get-master-addr-by-name").arg(&sentinels.name);
    let hello = Hello {
        username: sentinels.username.as_deref(),
        password: sentinels.password.as_ref(),
        database: 0,
        primary: false,
    };
    ask_each(&sentinels.nodes, deadline, |node, deadline| {
        let answer = pool.exchange(node, hello, &[&ask], deadline)?.pop();
        match judge(answer.unwrap_or_default()) {
            Verdict::Answer(Value::Array(parts)) => match &parts[..] {
                [host, port] => server(host, port, node),
                _ => Err(RedisTrouble::Babble("no host and port".into())),
            },
            Verdict::Answer(_) => Err(RedisTrouble::NoPrimary(sentinels.name.clone())),
            Verdict::Refused(trouble) | Verdict::Elsewhere(trouble) => Err(trouble),
            Verdict::Unloaded | Verdict::Ask(_) => Err(RedisTrouble::Babble("no sentinel".into())),
        }
    })
}

/// Asks the nodes in turn who has which slots.
fn cluster(
    nodes: &[RedisServer],
    settings: &RedisSettings,
    pool: &Pool,
    deadline: Deadline,
) -> Result<Vec<Part>, Wrong> {
    let ask = cmd("CLUSTER").arg("SLOTS").to_owned();
    ask_each(nodes, deadline, |node, deadline| {
        let answer = pool
            .exchange(node, hello(settings), &[&ask], deadline)?
            .pop();
        let answer = match judge(answer.unwrap_or_default()) {
            Verdict::Answer(answer) => list(answer)?,
            Verdict::Refused(trouble) | Verdict::Elsewhere(trouble) => return Err(trouble),
            Verdict::Unloaded | Verdict::Ask(_) => return Err(RedisTrouble::Loading),
        };
        let mut parts = answer
            .into_iter()
            .take(MAX_PARTS)
            .map(|value| part(value, node))
            .collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Err(RedisTrouble::ClusterDown("no node has any slots".into()));
        }
        parts.sort_by_key(|part| part.last);
        Ok(parts)
    })
}

/// What the first of them says who says something; each gets its share of the time.
fn ask_each<T>(
    nodes: &[RedisServer],
    deadline: Deadline,
    mut ask: impl FnMut(&RedisServer, Deadline) -> Result<T, RedisTrouble>,
) -> Result<T, Wrong> {
    let mut wrong: Option<Wrong> = None;
    for (asked, node) in nodes.iter().enumerate() {
        match ask(node, deadline.share(nodes.len() - asked)) {
            Ok(found) => return Ok(found),
            // That one knows no such primary says more than that another cannot be reached.
            Err(trouble) if wrong.as_ref().is_none_or(|(_, known)| known.is_silence()) => {
                wrong = Some((node.clone(), trouble));
            }
            Err(_) => {}
        }
    }
    Err(wrong.unwrap_or_else(|| {
        let nowhere = RedisServer::Unix("session.redis".into());
        (
            nowhere,
            RedisTrouble::Unreachable("no server is named".into()),
        )
    }))
}

/// `[first, last, [host, port, …], …]`; what follows are replicas.
fn part(value: Value, asked: &RedisServer) -> Result<Part, RedisTrouble> {
    let mut fields = list(value)?.into_iter();
    let mut next = || fields.next().unwrap_or_default();
    let slot = |value: &Value| {
        let slot = u16::try_from(number(value)?).ok();
        slot.filter(|slot| *slot < SLOTS)
            .ok_or_else(|| RedisTrouble::Babble("a slot that is none".into()))
    };
    let (first, last) = (slot(&next())?, slot(&next())?);
    let primary = list(next())?;
    let [host, port, ..] = &primary[..] else {
        return Err(RedisTrouble::Babble("a node without host and port".into()));
    };
    Ok(Part {
        first,
        last,
        server: server(host, port, asked)?,
    })
}

/// A server by host and port; without a host it is where `asked` is.
fn server(host: &Value, port: &Value, asked: &RedisServer) -> Result<RedisServer, RedisTrouble> {
    let port = u16::try_from(number(port)?);
    let port = port.map_err(|_| RedisTrouble::Babble("a port that is none".into()))?;
    let host = match (host, asked) {
        (Value::BulkString(host), _) if !host.is_empty() && host != b"?" => {
            String::from_utf8_lossy(host).into_owned()
        }
        (_, RedisServer::Tcp { host, .. }) => host.clone(),
        (_, RedisServer::Unix(_)) => return Err(RedisTrouble::Babble("no host".into())),
    };
    Ok(RedisServer::Tcp { host, port })
}

/// CRC-16/XMODEM, by which a cluster gives keys to slots. None of our keys has braces.
fn crc16(key: &[u8]) -> u16 {
    key.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => (crc << 1) ^ 0x1021,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_slots_that_redis_gives_them() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b"foo") % SLOTS, 12_182);
    }

    #[test]
    fn a_slot_that_nobody_has_is_nobodys() {
        let server = |port| RedisServer::Tcp {
            host: "a".into(),
            port,
        };
        let part = |first, last, port| Part {
            first,
            last,
            server: server(port),
        };
        let known = Known::Cluster(vec![part(0, 100, 1), part(12_182, 12_182, 2)]);
        assert_eq!(known.of(b"foo"), Some(&server(2)));
        assert_eq!(known.of(b"bar"), None);
    }
}
