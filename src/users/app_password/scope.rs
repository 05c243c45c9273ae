//! The hosts that an app password opens.

/// Hosts that one app password may name.
pub const MAX_HOSTS: usize = 16;

/// Longest name that the domain name system has.
const LONGEST: usize = 253;
/// Longest part of one.
const LONGEST_LABEL: usize = 63;

/// The hosts that an app password opens; empty: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostScope(Vec<Host>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// This one.
    Exactly(String),
    /// Those below this one.
    Below(String),
}

/// This says no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// One of the words is no host.
    #[error(
        "\"{0}\" is no host; write a name such as wiki.example.com, or *.example.com for all below it, without scheme, port and path"
    )]
    Word(String),
    /// There are too many.
    #[error(
        "more than {MAX_HOSTS} hosts; leave some out, or write *.example.com for all below a name"
    )]
    TooMany,
}

impl HostScope {
    /// The hosts in `text`, between commas and white space: names, or `*.` and a name for all that lie
    /// below it. Nothing: all hosts.
    ///
    /// # Errors
    /// What is no host, or that there are more than [`MAX_HOSTS`].
    pub fn read(text: &str) -> Result<HostScope, BadHost> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        HostScope::of(words.filter(|word| !word.is_empty()))
    }

    /// These hosts, each as [`read`](Self::read) takes one. None at all: all hosts. One that is empty is
    /// no host: whoever means one and gives nothing must not get all of them.
    ///
    /// # Errors
    /// What is no host, or that there are more than [`MAX_HOSTS`].
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<HostScope, BadHost> {
        let mut hosts = Vec::new();
        for word in words {
            let host = Host::read(word).ok_or_else(|| BadHost::Word(shortened(word)))?;
            if hosts.contains(&host) {
                continue;
            }
            if hosts.len() == MAX_HOSTS {
                return Err(BadHost::TooMany);
            }
            hosts.push(host);
        }
        Ok(HostScope(hosts))
    }

    /// Whether `host` (lower case, without port) is one of them.
    pub fn holds(&self, host: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|known| known.holds(host))
    }

    /// Whether these are all hosts.
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Each as it is written.
    pub fn words(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|host| match host {
            Host::Exactly(name) => name.clone(),
            Host::Below(name) => format!("*.{name}"),
        })
    }
}

impl Host {
    fn read(word: &str) -> Option<Host> {
        let word = word.to_ascii_lowercase();
        let (name, below) = match word.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (&*word, false),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        let is_label =
            |label: &str| (1..=LONGEST_LABEL).contains(&label.len()) && label.bytes().all(plain);
        if name.len() > LONGEST || !name.split('.').all(is_label) {
            return None;
        }
        let name = name.to_owned();
        Some(match below {
            true => Host::Below(name),
            false => Host::Exactly(name),
        })
    }

    fn holds(&self, host: &str) -> bool {
        match self {
            Host::Exactly(name) => host == name,
            Host::Below(name) => host
                .strip_suffix(name.as_str())
                .and_then(|above| above.strip_suffix('.'))
                .is_some_and(|above| !above.is_empty()),
        }
    }
}

/// `word`, cut to what a message can show.
fn shortened(word: &str) -> String {
    match word.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}
