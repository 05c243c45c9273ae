//! Orders: a stream, whose ids are the marks.
//!
//! A server may lose the last orders when another takes over, or all of them when somebody empties
//! it. So a mark is always that of an order that was there, and it must be there still when one goes
//! on from it.

use std::time::Duration;

use redis::{Value, cmd};

use super::cells::MARGIN;
use super::form::{Reader, Writer};
use super::link::{Call, Visit, bytes, list, number};
use super::trouble::RedisTrouble;
use super::{Outcome, Redis, keys};
use crate::store::seal::Place;
use crate::store::{Command, Mark, Order, Orders};

const KIND: u8 = b'c';

/// Orders that wait for those who cannot reach the server; the oldest are dropped.
const WAITING: u64 = 16_384;

/// Orders that are given in one go.
const MOST: usize = 1024;

/// Longest that one waits for an order.
const LONGEST: Duration = Duration::from_secs(30);

/// Field of an entry of the stream.
const FIELD: &[u8] = b"o";

const ORDER: Place<'static> = Place {
    table: "redis orders",
    column: "order",
    row: &[],
};

impl Redis {
    /// Tells everybody of an order.
    pub(super) fn announce(
        &self,
        visit: Visit<'_>,
        command: &Command,
        (by, now): (u64, u64),
    ) -> Outcome<()> {
        let order = Writer::new(KIND).number(now).number(by).command(command);
        let sealed = self.key.seal_same(ORDER, &order.done());
        let add = Call::new("XADD", keys::ORDERS)
            .arg("MAXLEN")
            .arg("~")
            .arg(WAITING)
            .arg("*")
            .arg(FIELD)
            .arg(sealed);
        visit.ask(add).map(drop)
    }

    pub(super) fn read_orders(&self, mark: Mark, most: usize, wait: Duration) -> Outcome<Orders> {
        let wait = wait.min(LONGEST);
        let visit = self.link.visit(wait);
        if !self.is_there(visit, mark)? {
            return self.missed(visit);
        }
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(most.clamp(1, MOST));
        let wait = wait.as_millis();
        if wait > 0 {
            // Without end, if it were 0.
            read.arg("BLOCK").arg(u64::try_from(wait).unwrap_or(1));
        }
        read.arg("STREAMS").arg(keys::ORDERS).arg(id(mark));
        let answer = visit.ask(Call::beside(keys::ORDERS, read))?;
        let entries = first_stream(answer).map_err(|wrong| self.link.error(wrong))?;
        // Asked after, too: what was dropped before it was read was missed.
        if !self.is_there(visit, mark)? {
            return self.missed(visit);
        }
        let next = entries.last().map_or(mark, |(mark, _)| *mark);
        let orders = entries.iter().filter_map(|(mark, sealed)| {
            // What does not open was not placed by us.
            let opened = self.key.open(ORDER, sealed).ok()?;
            let (at, by, command) = read_order(&opened)?;
            Some(Order {
                mark: *mark,
                at,
                by,
                command,
            })
        });
        Ok(Orders {
            orders: orders.collect(),
            next,
            missed: false,
        })
    }

    /// The mark of the last order that was placed before that. A little more may come behind it: the
    /// marks are times by the clock of the server's.
    pub(super) fn find_mark(&self, before: u64) -> Outcome<Mark> {
        let visit = self.visit();
        let until = before.saturating_sub(MARGIN).saturating_mul(1000);
        let find = Call::new("XREVRANGE", keys::ORDERS)
            .arg(until)
            .arg("-")
            .arg("COUNT")
            .arg(1);
        self.last_of(visit, find)
    }

    /// Whether one can go on from a mark.
    fn is_there(&self, visit: Visit<'_>, mark: Mark) -> Outcome<bool> {
        if mark == Mark::default() {
            // From the beginning: which is there as long as none had to be dropped.
            let length = number(&visit.ask(Call::new("XLEN", keys::ORDERS))?);
            return Ok(length.map_err(|wrong| self.link.error(wrong))? < WAITING);
        }
        let find = Call::new("XRANGE", keys::ORDERS)
            .arg(id(mark))
            .arg(id(mark));
        let found = list(visit.ask(find)?).map_err(|wrong| self.link.error(wrong))?;
        Ok(!found.is_empty())
    }

    fn missed(&self, visit: Visit<'_>) -> Outcome<Orders> {
        let last = Call::new("XREVRANGE", keys::ORDERS)
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1);
        Ok(Orders {
            orders: Vec::new(),
            next: self.last_of(visit, last)?,
            missed: true,
        })
    }

    /// The mark of the one order that a call finds; that before all of them where it finds none.
    fn last_of(&self, visit: Visit<'_>, find: Call) -> Outcome<Mark> {
        let found = entries(visit.ask(find)?).map_err(|wrong| self.link.error(wrong))?;
        Ok(found.first().map_or(Mark::default(), |(mark, _)| *mark))
    }

    pub(super) fn write_probe(&self, now: u64) -> Outcome<()> {
        let write = Call::new("SET", keys::PROBE).arg(now).arg("EX").arg(MARGIN);
        self.visit().ask(write).map(drop)
    }

    pub(super) fn share_secret(&self, proposal: &[u8; 32]) -> Outcome<[u8; 32]> {
        const SECRET: Place<'static> = Place {
            table: "redis secret",
            column: "secret",
            row: &[],
        };
        let (visit, key) = (self.visit(), keys::secret(&self.key));
        let sealed = self.key.seal_same(SECRET, proposal);
        visit.ask(Call::new("SETNX", &key).arg(sealed))?;
        let shared = visit.ask(Call::new("GETRANGE", &key).arg(0).arg(255))?;
        let shared = bytes(shared).map_err(|wrong| self.link.error(wrong))?;
        let opened = self.key.open(SECRET, &shared.unwrap_or_default()).ok();
        let secret = opened.and_then(|secret| <[u8; 32]>::try_from(&secret[..]).ok());
        secret.ok_or_else(|| {
            let what = format!("a secret ({})", String::from_utf8_lossy(&key));
            self.link.error(RedisTrouble::Sealed(what))
        })
    }
}

/// Reads an order: when it was placed, who told of it, and what is to be done.
fn read_order(bytes: &[u8]) -> Option<(u64, u64, Command)> {
    let (kind, mut reader) = Reader::new(bytes)?;
    let order = (reader.number()?, reader.number()?, reader.command()?);
    reader.end(order).filter(|_| kind == KIND)
}

/// The same for fuzzing.
pub(super) fn read(bytes: &[u8]) -> Option<Command> {
    read_order(bytes).map(|(_, _, command)| command)
}

fn id(Mark(milliseconds, sequence): Mark) -> String {
    format!("{milliseconds}-{sequence}")
}

/// The entries of the one stream that was read; none where nothing came.
fn first_stream(answer: Value) -> Result<Vec<(Mark, Vec<u8>)>, RedisTrouble> {
    match list(answer)?.pop() {
        Some(stream) => entries(list(stream)?.pop().unwrap_or_default()),
        None => Ok(Vec::new()),
    }
}

/// `[[id, [field, value, …]], …]`; what has other fields than ours holds nothing.
fn entries(answer: Value) -> Result<Vec<(Mark, Vec<u8>)>, RedisTrouble> {
    let entries = list(answer)?.into_iter();
    entries
        .map(|entry| {
            let mut parts = list(entry)?.into_iter();
            let mark = mark(parts.next().unwrap_or_default())?;
            let fields = list(parts.next().unwrap_or_default())?;
            let sealed = match <[Value; 2]>::try_from(fields) {
                Ok([Value::BulkString(field), value]) if field == FIELD => bytes(value)?,
                _ => None,
            };
            Ok((mark, sealed.unwrap_or_default()))
        })
        .collect()
}

fn mark(id: Value) -> Result<Mark, RedisTrouble> {
    let text = bytes(id)?.and_then(|id| String::from_utf8(id).ok());
    let mark = text.as_deref().and_then(|id| {
        let (milliseconds, sequence) = id.split_once('-')?;
        Some(Mark(milliseconds.parse().ok()?, sequence.parse().ok()?))
    });
    mark.ok_or_else(|| RedisTrouble::Babble("an id of a stream that is none".into()))
}
