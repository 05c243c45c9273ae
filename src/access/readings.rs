//! The path that `resources` sees, in every way in which a backend could read it.
//!
//! An ordinary path reads in one way, and that is found in one pass without a copy. Anything else
//! is taken through every step that a backend is known to take, in every order, and each distinct
//! outcome is a reading. Whoever asks takes the strictest answer over all of them.

mod steps;

use super::BadObject;
use super::text::readable;
use std::borrow::Cow;
use std::slice;

/// More readings than this are no honest path.
const MOST_READINGS: usize = 64;
/// The way to the readings may have this many stages.
const MOST_STAGES: usize = 256;
/// All stages together may hold this many bytes.
const MOST_STAGE_BYTES: usize = 256 << 10;
/// All readings together may hold this many bytes, the query counted once a reading.
const MOST_READING_BYTES: usize = 1 << 20;

/// One way to read a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading<'a> {
    text: Cow<'a, [u8]>,
    path: usize,
}

impl Reading<'_> {
    /// The path as it was read, then `?` and the query as it was sent if there is one.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The path alone.
    pub fn path(&self) -> &[u8] {
        &self.text[..self.path]
    }
}

/// Every way to read a target. The first is Authelia's.
#[derive(Clone, Debug)]
pub(super) enum Readings<'a> {
    /// The usual case.
    One(Reading<'a>),
    /// The path is ambiguous.
    Many(Vec<Reading<'a>>),
}

impl<'a> Readings<'a> {
    /// Reads the raw `target` whose query, if it has one, begins after the first `?` at `mark`.
    pub fn of(target: &'a [u8], mark: Option<usize>) -> Result<Readings<'a>, BadObject> {
        let path = &target[..mark.unwrap_or(target.len())];
        let query = mark.map_or(&[][..], |mark| &target[mark + 1..]);
        if target
            .iter()
            .any(|byte| byte.is_ascii_control() || *byte == b'#')
        {
            return Err(BadObject::Target);
        }
        if path.is_empty() {
            return Ok(Readings::One(joined(b".".to_vec(), query)));
        }
        if path[0] != b'/' {
            return Err(BadObject::Target);
        }
        if is_ordinary(path) {
            let text = if query.is_empty() { path } else { target };
            return Ok(Readings::One(Reading {
                text: readable(Cow::Borrowed(text)),
                path: path.len(),
            }));
        }
        let paths = read_all(path)?;
        let bytes: usize = paths.iter().map(|path| path.len() + query.len()).sum();
        if paths.len() > MOST_READINGS || bytes > MOST_READING_BYTES {
            return Err(BadObject::Target);
        }
        let all = paths.into_iter().map(|path| joined(path, query)).collect();
        Ok(Readings::Many(all))
    }

    /// The readings, at least one and at most 64.
    pub fn as_slice(&self) -> &[Reading<'a>] {
        match self {
            Readings::One(reading) => slice::from_ref(reading),
            Readings::Many(readings) => readings,
        }
    }
}

fn joined<'a>(path: Vec<u8>, query: &[u8]) -> Reading<'a> {
    let mut text = readable(Cow::Owned(path)).into_owned();
    let path = text.len();
    if !query.is_empty() {
        text.push(b'?');
        text.extend_from_slice(&readable(Cow::Borrowed(query)));
    }
    Reading {
        text: Cow::Owned(text),
        path,
    }
}

/// Whether nobody can read `path` in two ways. It begins with a slash and holds no control character.
fn is_ordinary(path: &[u8]) -> bool {
    let mut before = None;
    for &byte in path {
        let plain = match byte {
            b'/' => !matches!(before, Some(b'/' | b'.' | b' ')),
            b'%' | b';' | b'\\' => false,
            other => other.is_ascii(),
        };
        if !plain {
            return false;
        }
        before = Some(byte);
    }
    !matches!(before, Some(b'.' | b' '))
}

/// A path on the way to a reading.
#[derive(PartialEq)]
struct Stage {
    path: Vec<u8>,
    /// Whether the percent-encoding was resolved, if there was any: nobody serves a path before that.
    decoded: bool,
}

impl Stage {
    fn new(path: Vec<u8>, decoded: bool) -> Stage {
        let decoded = decoded || !path.contains(&b'%');
        Stage { path, decoded }
    }
}

/// The distinct outcomes of all steps in all orders, Authelia's first.
fn read_all(path: &[u8]) -> Result<Vec<Vec<u8>>, BadObject> {
    let once = steps::decode_strictly(path).ok_or(BadObject::Target)?;
    let mut stages = vec![
        Stage::new(steps::clean(&once), true),
        Stage::new(path.to_vec(), false),
    ];
    stages.dedup();
    let mut bytes = 0;
    let mut at = 0;
    while let Some(stage) = stages.get(at) {
        bytes += stage.path.len();
        let controlled = stage.path.iter().any(u8::is_ascii_control);
        if controlled || bytes > MOST_STAGE_BYTES || stages.len() > MOST_STAGES {
            return Err(BadObject::Target);
        }
        for (resolves, step) in steps::ALL {
            let Some(path) = step(&stages[at].path) else {
                continue;
            };
            let next = Stage::new(path, stages[at].decoded || resolves);
            if !stages.contains(&next) {
                stages.push(next);
            }
        }
        at += 1;
    }
    stages.retain(|stage| stage.decoded);
    Ok(stages.into_iter().map(|stage| stage.path).collect())
}

#[cfg(test)]
mod tests;
