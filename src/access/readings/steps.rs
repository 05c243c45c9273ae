//! What a backend may do to a path before it looks for what to serve.

use super::super::form::escaped;

/// One step: the path after it, or `None` when it changes nothing.
type Step = fn(&[u8]) -> Option<Vec<u8>>;

/// Every step, and whether it resolves percent-encoding. Each shortens the path or takes out
/// backslashes, so that any sequence of them ends.
pub(super) const ALL: [(bool, Step); 10] = [
    (true, decode),
    (false, shorten_overlong),
    (false, turn_backslashes),
    (false, cut_parameters),
    (false, cut_tails),
    (false, cut_query),
    (false, cut_fragment),
    (false, merge_slashes),
    (false, resolve_dots),
    (false, |path| changed(path, clean(path))),
];

fn changed(before: &[u8], after: Vec<u8>) -> Option<Vec<u8>> {
    (before != after).then_some(after)
}

/// Percent-decoding of a path that must be encoded rightly; `None` where it is not.
pub(super) fn decode_strictly(path: &[u8]) -> Option<Vec<u8>> {
    let mut encoded = path.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    encoded
        .all(|(at, _)| escaped(&path[at + 1..]).is_some())
        .then(|| decode(path).unwrap_or(path.to_vec()))
}

/// Percent-decoding that leaves what is no escape.
fn decode(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        match escaped(tail).filter(|_| *byte == b'%') {
            Some(decoded) => {
                out.push(decoded);
                rest = &tail[2..];
            }
            None => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    changed(path, out)
}

/// ASCII that was written with more UTF-8 bytes than it needs, read as a careless decoder does.
fn shorten_overlong(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        match overlong(rest) {
            Some((ascii, length)) => {
                out.push(ascii);
                rest = &rest[length..];
            }
            None => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    changed(path, out)
}

/// The ASCII byte that the start of `bytes` spells in too many bytes, and how many.
fn overlong(bytes: &[u8]) -> Option<(u8, usize)> {
    let length = match *bytes.first()? {
        0xC0 | 0xC1 => 2,
        0xE0 => 3,
        0xF0 => 4,
        0xF8 => 5,
        0xFC => 6,
        _ => return None,
    };
    let tail = bytes.get(1..length)?;
    if tail.iter().any(|byte| byte & 0xC0 != 0x80) {
        return None;
    }
    let lead = if length == 2 {
        u32::from(bytes[0] & 0x1F)
    } else {
        0
    };
    let code = tail
        .iter()
        .fold(lead, |code, byte| code << 6 | u32::from(byte & 0x3F));
    u8::try_from(code)
        .ok()
        .filter(u8::is_ascii)
        .map(|ascii| (ascii, length))
}

fn turn_backslashes(path: &[u8]) -> Option<Vec<u8>> {
    changed(
        path,
        path.iter()
            .map(|byte| if *byte == b'\\' { b'/' } else { *byte })
            .collect(),
    )
}

/// Each segment without what follows its first `;`.
fn cut_parameters(path: &[u8]) -> Option<Vec<u8>> {
    each_segment(path, |segment| {
        let end = segment
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(segment.len());
        &segment[..end]
    })
}

/// Each segment without the dots and spaces at its end, as Windows opens it. What begins with `..`
/// and goes on with dots and spaces alone is `..`.
fn cut_tails(path: &[u8]) -> Option<Vec<u8>> {
    each_segment(path, |segment| {
        let tail = |byte: &u8| matches!(byte, b'.' | b' ');
        match segment.iter().rposition(|byte| !tail(byte)) {
            Some(last) => &segment[..=last],
            None if segment.starts_with(b"..") => &segment[..2],
            None => &segment[..0],
        }
    })
}

/// The path up to a `?`, which can only have come out of an encoding: a backend that decodes before
/// it takes the target apart reads a query there.
fn cut_query(path: &[u8]) -> Option<Vec<u8>> {
    let mark = path.iter().position(|byte| *byte == b'?')?;
    Some(path[..mark].to_vec())
}

/// The path up to a `#` that came out of an encoding, where dot segments follow it: a backend that
/// takes a fragment off before it resolves them is led elsewhere. Without them a `#` is a letter
/// like any other.
fn cut_fragment(path: &[u8]) -> Option<Vec<u8>> {
    let mark = path.iter().position(|byte| *byte == b'#')?;
    let climbs = path[mark..].windows(2).any(|two| two == b"..");
    climbs.then(|| path[..mark].to_vec())
}

fn each_segment(path: &[u8], cut: impl Fn(&[u8]) -> &[u8]) -> Option<Vec<u8>> {
    let segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').map(cut).collect();
    changed(path, segments.join(&b'/'))
}

fn merge_slashes(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = path.to_vec();
    out.dedup_by(|byte, before| *byte == b'/' && *before == b'/');
    changed(path, out)
}

/// Dot segments resolved as RFC 3986 says: empty segments count, and a dot segment at the end
/// leaves a slash.
fn resolve_dots(path: &[u8]) -> Option<Vec<u8>> {
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut rest = path
        .strip_prefix(b"/")
        .unwrap_or(path)
        .split(|byte| *byte == b'/')
        .peekable();
    while let Some(segment) = rest.next() {
        match segment {
            b"." => {}
            b".." => {
                segments.pop();
            }
            other => {
                segments.push(other);
                continue;
            }
        }
        if rest.peek().is_none() {
            segments.push(b"");
        }
    }
    let mut out = vec![b'/'];
    out.extend(segments.join(&b'/'));
    changed(path, out)
}

/// The path as Authelia cleans it: slashes merged, dot segments resolved, and a slash added where
/// one stood at the end, even to the root.
pub(super) fn clean(path: &[u8]) -> Vec<u8> {
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut out = vec![b'/'];
    out.extend(segments.join(&b'/'));
    if path.len() > 1 && path.ends_with(b"/") {
        out.push(b'/');
    }
    out
}
