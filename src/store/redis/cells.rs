//! Cells: sealed values that are changed by comparing and swapping, and the indexes that list them.
//!
//! Redis sees sealed bytes only, so it cannot merge what two workers write. Whoever changes a cell
//! reads it, makes the new value and has it put there if nobody else has changed it meanwhile.

use std::sync::LazyLock;

use redis::Script;

use super::link::{Call, Visit, bytes, number};
use super::trouble::RedisTrouble;
use super::{Outcome, Redis};
use crate::store::seal::Place;

/// Longest sealed value that is read, in bytes. A longer one is not ours, and counts as none.
const MAX_SEALED: usize = 8192;

/// How often a change is tried while others change the same cell.
const TRIES: usize = 32;

/// Cells that are changed in one go.
pub(super) const CHUNK: usize = 256;

/// Longest that anything is kept, in seconds: ten years.
const LONGEST: u64 = 10 * 365 * 86_400;

/// Seconds that something is kept beyond its end, for clocks that differ.
pub(super) const MARGIN: u64 = 60;

/// Puts a value into the place of another, if that is still there.
const SWAP: &str = "local old = ''
if redis.call('STRLEN', KEYS[1]) <= tonumber(ARGV[4]) then old = redis.call('GET', KEYS[1]) or '' end
if old ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1";

/// Enters a member into an index by when it ends, drops those that have ended, and gives those that
/// are too many.
const ENTER: &str = "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local out = {}
local many = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5])
if many > 0 then
  out = redis.call('ZRANGE', KEYS[1], 0, many - 1)
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, many - 1)
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local left = tonumber(last[2]) - tonumber(ARGV[3]) + tonumber(ARGV[4])
redis.call('EXPIRE', KEYS[1], string.format('%.0f', math.max(1, math.min(left, 315360000))))
return out";

static SWAP_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SWAP));
static ENTER_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(ENTER));

/// Where a cell is, and to what its value is bound.
pub(super) struct CellName {
    pub(super) key: Vec<u8>,
    pub(super) table: &'static str,
    pub(super) id: [u8; 32],
}

/// What becomes of a cell.
pub(super) enum Change {
    Keep,
    /// The new value, and seconds that it is kept.
    Write(Vec<u8>, u64),
    Delete,
}

impl CellName {
    fn seal(&self, redis: &Redis, value: &[u8]) -> Vec<u8> {
        redis.key.seal_same(self.place(&[&self.id]), value)
    }

    /// What is in the cell; nothing where what lies there was not sealed for it.
    fn open(&self, redis: &Redis, sealed: &[u8]) -> Option<Vec<u8>> {
        let opened = redis.key.open(self.place(&[&self.id]), sealed);
        opened.ok().map(|value| value.to_vec())
    }

    fn place<'p>(&self, row: &'p [&'p [u8]; 1]) -> Place<'p> {
        Place {
            table: self.table,
            column: "value",
            row,
        }
    }

    fn read(&self) -> Call {
        // One byte more than is taken, so that a longer one is seen to be.
        Call::new("GETRANGE", &self.key).arg(0).arg(MAX_SEALED)
    }

    fn swap(&self, old: &[u8], new: &[u8], seconds: u64) -> Call {
        Call::script(&SWAP_SCRIPT, SWAP, &self.key)
            .arg(old)
            .arg(new)
            .arg(seconds.clamp(1, LONGEST))
            .arg(MAX_SEALED)
    }
}

impl Redis {
    /// What is in the cells.
    pub(super) fn read_cells(
        &self,
        visit: Visit<'_>,
        cells: &[CellName],
    ) -> Outcome<Vec<Option<Vec<u8>>>> {
        let mut values = Vec::with_capacity(cells.len());
        for cells in cells.chunks(CHUNK) {
            for (cell, sealed) in cells.iter().zip(self.read_sealed(visit, cells.iter())?) {
                values.push(cell.open(self, &sealed));
            }
        }
        Ok(values)
    }

    fn read_sealed<'c>(
        &self,
        visit: Visit<'_>,
        cells: impl Iterator<Item = &'c CellName>,
    ) -> Outcome<Vec<Vec<u8>>> {
        let calls: Vec<Call> = cells.map(CellName::read).collect();
        let mut values = Vec::with_capacity(calls.len());
        for answer in visit.ask_all(&calls)? {
            let mut sealed = bytes(answer).map_err(|wrong| self.link.error(wrong))?;
            sealed.take_if(|sealed| sealed.len() > MAX_SEALED);
            values.push(sealed.unwrap_or_default());
        }
        Ok(values)
    }

    /// Changes cells, all different. `change` is given the number of the cell and what is in it, and
    /// is asked again where somebody else was faster; what it says the last time is given back.
    pub(super) fn change_cells<T>(
        &self,
        visit: Visit<'_>,
        cells: &[CellName],
        mut change: impl FnMut(usize, Option<&[u8]>) -> (Change, T),
    ) -> Outcome<Vec<T>> {
        let mut results: Vec<Option<T>> = cells.iter().map(|_| None).collect();
        let mut open: Vec<usize> = (0..cells.len()).collect();
        for _ in 0..TRIES {
            if open.is_empty() {
                break;
            }
            let mut left = Vec::new();
            for chunk in open.chunks(CHUNK) {
                let sealed = self.read_sealed(visit, chunk.iter().map(|&n| &cells[n]))?;
                let (mut calls, mut changed) = (Vec::new(), Vec::new());
                for (&n, sealed) in chunk.iter().zip(sealed) {
                    let cell = &cells[n];
                    let (change, result) = change(n, cell.open(self, &sealed).as_deref());
                    results[n] = Some(result);
                    let call = match change {
                        Change::Keep => continue,
                        Change::Delete => cell.swap(&sealed, b"", 1),
                        Change::Write(value, seconds) => {
                            cell.swap(&sealed, &cell.seal(self, &value), seconds)
                        }
                    };
                    calls.push(call);
                    changed.push(n);
                }
                for (n, answer) in changed.into_iter().zip(visit.ask_all(&calls)?) {
                    let swapped = number(&answer).map_err(|wrong| self.link.error(wrong))?;
                    if swapped == 0 {
                        left.push(n);
                    }
                }
            }
            open = left;
        }
        let busy = || self.link.error(RedisTrouble::Busy);
        let results: Option<Vec<T>> = results.into_iter().collect();
        results.filter(|_| open.is_empty()).ok_or_else(busy)
    }

    /// Changes one cell.
    pub(super) fn change_cell<T>(
        &self,
        visit: Visit<'_>,
        cell: CellName,
        mut change: impl FnMut(Option<&[u8]>) -> (Change, T),
    ) -> Outcome<T> {
        let results = self.change_cells(visit, &[cell], |_, value| change(value))?;
        let result = results.into_iter().next();
        result.ok_or_else(|| self.link.error(RedisTrouble::Busy))
    }
}

/// Enters a member into the index under `key`, which has room for `most`.
pub(super) fn enter(key: &[u8], member: &[u8], ends: u64, now: u64, most: usize) -> Call {
    Call::script(&ENTER_SCRIPT, ENTER, key)
        .arg(member)
        .arg(ends)
        .arg(now)
        .arg(MARGIN)
        .arg(most)
}

/// The members of an index that end after `now`, the last to end first, no more than `most`.
pub(super) fn members(key: &[u8], now: u64, most: usize) -> Call {
    Call::new("ZREVRANGEBYSCORE", key)
        .arg("+inf")
        .arg(format!("({now}"))
        .arg("LIMIT")
        .arg(0)
        .arg(most)
}
