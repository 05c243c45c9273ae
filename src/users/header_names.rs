//! Which names of headers a backend might take for one of ours, so that clients may not send them.

use rustc_hash::FxHashSet;

/// Whether a backend might take the two header names for one: compared without case, every run of
/// characters other than ASCII letters and digits taken for one `-`, none at the ends.
pub fn same_header(a: &[u8], b: &[u8]) -> bool {
    folded(a).eq(folded(b))
}

/// Longest header name that the users file may define, in bytes.
pub(super) const MAX_HEADER_NAME: usize = 128;

/// Header names under which a client may send nothing to a guarded backend.
#[derive(Clone, Debug, Default)]
pub struct HeaderNames {
    /// Only the users file adds to it, so that its hash needs no secret.
    folded: FxHashSet<Box<[u8]>>,
    /// What the name of a header that is one of them can begin and end with: nearly every header
    /// of a request is told from ours by that alone.
    begin: Bytes,
    end: Bytes,
}

impl HeaderNames {
    /// Adds a name. One of more than 128 bytes is never found; the users file cannot define it.
    pub fn insert(&mut self, name: &str) {
        let folded: Box<[u8]> = folded(name.as_bytes()).collect();
        self.begin.insert(folded.first());
        self.end.insert(folded.last());
        self.folded.insert(folded);
    }

    /// Adds all names of the other set.
    pub fn extend(&mut self, other: &HeaderNames) {
        self.folded.extend(other.folded.iter().cloned());
        self.begin.extend(&other.begin);
        self.end.extend(&other.end);
    }

    /// Whether a backend might take `name` for one of the names, see [`same_header`]. Allocates
    /// nothing.
    pub fn contains(&self, name: &[u8]) -> bool {
        let alike = match name {
            [first, .., last] => self.begin.contains(*first) && self.end.contains(*last),
            _ => true,
        };
        alike && self.finds(name)
    }

    fn finds(&self, name: &[u8]) -> bool {
        let mut buffer = [0; MAX_HEADER_NAME];
        let mut len = 0;
        for byte in folded(name) {
            match buffer.get_mut(len) {
                Some(place) => *place = byte,
                // None of the names is that long.
                None => return false,
            }
            len += 1;
        }
        self.folded.contains(&buffer[..len])
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }
}

fn folded(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let words = name
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let bytes = words.flat_map(|word| std::iter::once(&b'-').chain(word));
    bytes.skip(1).map(u8::to_ascii_lowercase)
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes([u64; 4]);

impl Bytes {
    /// Adds a letter or digit in both cases, and everything that is neither, which folding drops.
    fn insert(&mut self, edge: Option<&u8>) {
        let alike = |byte: &u8| edge.is_some_and(|edge| edge.eq_ignore_ascii_case(byte));
        for byte in (0..=255u8).filter(|byte| !byte.is_ascii_alphanumeric() || alike(byte)) {
            self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
    }

    fn extend(&mut self, other: &Bytes) {
        self.0
            .iter_mut()
            .zip(other.0)
            .for_each(|(own, other)| *own |= other);
    }

    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] & (1 << (byte % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a33_header_names_fold_as_backends_fold_them() {
        for alias in [
            "remote-user",
            "Remote_User",
            "REMOTE-USER",
            "Remote-_User",
            " Remote-User ",
            "remote.user",
        ] {
            assert!(same_header(alias.as_bytes(), b"Remote-User"), "{alias}");
        }
        for other in ["RemoteUser", "Remote-Users", "X-Remote-User", "Remote", ""] {
            assert!(!same_header(other.as_bytes(), b"Remote-User"), "{other}");
        }
        assert!(same_header("Remote\u{fc}User".as_bytes(), b"Remote-User"));
    }

    #[test]
    fn a_set_of_names_finds_every_alias() {
        let mut names = HeaderNames::default();
        assert!(names.is_empty() && !names.contains(b"x-api-key"));
        names.insert("X-Api-Key");
        let mut all = HeaderNames::default();
        all.extend(&names);
        assert!(
            all.contains(b"x_api_key") && all.contains(b"X-API--KEY") && !all.contains(b"X-Api")
        );
        assert!(!all.contains(&[b'a'; 5000]));
        assert!(!all.contains(b"") && !all.contains(b"-") && !all.contains(b"x"));
        all.insert("7");
        all.insert("--");
        assert!(all.contains(b"_7-") && all.contains(b"") && all.contains(b"_"));
        assert!(all.contains("-".repeat(5000).replacen('-', "X-Api-Key", 1).as_bytes()));
    }
}
