//! With what somebody signs in, as far as a `User-Agent` tells: enough to recognise a session of
//! one's own in a list. Nothing is decided by it: everybody can send whatever they like.

use std::fmt;

use memchr::memmem;

/// Bytes of a `User-Agent` that are looked at.
const LOOKED_AT: usize = 512;

/// A browser and the system it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Device {
    /// The browser.
    pub browser: Browser,
    /// The system it runs on.
    pub system: System,
}

/// A browser. The numbers are those of records in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Browser {
    /// None that is known, or nothing was said.
    #[default]
    Unknown = 0,
    /// Firefox.
    Firefox = 1,
    /// Chrome, Chromium, and those that call themselves so.
    Chrome = 2,
    /// Microsoft Edge.
    Edge = 3,
    /// Safari.
    Safari = 4,
    /// Opera.
    Opera = 5,
    /// Samsung Internet.
    Samsung = 6,
    /// No browser: curl, a script.
    Program = 7,
}

/// An operating system. The numbers are those of records in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum System {
    /// None that is known, or nothing was said.
    #[default]
    Unknown = 0,
    /// Windows.
    Windows = 1,
    /// macOS, and iPads that ask for desktop pages, as they do by default.
    MacOs = 2,
    /// Linux.
    Linux = 3,
    /// Android.
    Android = 4,
    /// iOS or iPadOS.
    Ios = 5,
    /// ChromeOS.
    ChromeOs = 6,
}

/// What gives a browser away. Most name those they descend from as well, so the order counts.
const BROWSERS: [(Browser, &[&str]); 6] = [
    (Browser::Edge, &["Edg/", "EdgA/", "EdgiOS/", "Edge/"]),
    (Browser::Opera, &["OPR/", "OPT/", "OPiOS/", "Opera"]),
    (Browser::Samsung, &["SamsungBrowser/"]),
    (Browser::Firefox, &["Firefox/", "FxiOS/"]),
    (Browser::Chrome, &["Chrome/", "Chromium/", "CriOS/"]),
    (Browser::Safari, &["Safari/"]),
];

/// What gives a system away; the order counts here, too: Android says that it is a Linux, iOS that
/// it is like macOS.
const SYSTEMS: [(System, &[&str]); 6] = [
    (System::Windows, &["Windows"]),
    (System::Android, &["Android"]),
    (System::Ios, &["iPhone", "iPad", "iPod"]),
    (System::ChromeOs, &["CrOS"]),
    (System::MacOs, &["Macintosh", "Mac OS X"]),
    (System::Linux, &["Linux"]),
];

impl Device {
    /// What a `User-Agent` tells. Its first 512 bytes are looked at.
    pub fn of(user_agent: Option<&[u8]>) -> Self {
        let text = user_agent.unwrap_or_default().trim_ascii();
        let text = &text[..text.len().min(LOOKED_AT)];
        Device {
            browser: browser(text),
            system: find(text, &SYSTEMS),
        }
    }

    /// The device as a byte.
    pub(super) fn encode(self) -> u8 {
        (self.browser as u8) << 4 | self.system as u8
    }

    /// The device of a byte; `None` for what [`Device::encode`] never gives.
    pub(super) fn decode(byte: u8) -> Option<Self> {
        let browser = match byte >> 4 {
            0 => Browser::Unknown,
            1 => Browser::Firefox,
            2 => Browser::Chrome,
            3 => Browser::Edge,
            4 => Browser::Safari,
            5 => Browser::Opera,
            6 => Browser::Samsung,
            7 => Browser::Program,
            _ => return None,
        };
        let system = match byte & 15 {
            0 => System::Unknown,
            1 => System::Windows,
            2 => System::MacOs,
            3 => System::Linux,
            4 => System::Android,
            5 => System::Ios,
            6 => System::ChromeOs,
            _ => return None,
        };
        Some(Device { browser, system })
    }
}

fn browser(text: &[u8]) -> Browser {
    match find(text, &BROWSERS) {
        Browser::Unknown if !text.is_empty() && !text.starts_with(b"Mozilla/") => Browser::Program,
        found => found,
    }
}

/// The first of `marks` of which something is in `text`.
fn find<T: Copy + Default>(text: &[u8], marks: &[(T, &[&str])]) -> T {
    let has = |mark: &&str| memmem::find(text, mark.as_bytes()).is_some();
    let found = marks.iter().find(|(_, marks)| marks.iter().any(has));
    found.map_or_else(T::default, |(what, _)| *what)
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.browser, self.system) {
            (Browser::Unknown, System::Unknown) => f.write_str("Unknown device"),
            (browser, System::Unknown) => browser.fmt(f),
            (browser, system) => write!(f, "{browser} on {system}"),
        }
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Browser::Unknown => "Unknown browser",
            Browser::Firefox => "Firefox",
            Browser::Chrome => "Chrome",
            Browser::Edge => "Edge",
            Browser::Safari => "Safari",
            Browser::Opera => "Opera",
            Browser::Samsung => "Samsung Internet",
            Browser::Program => "Program",
        })
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::Unknown => "unknown system",
            System::Windows => "Windows",
            System::MacOs => "macOS",
            System::Linux => "Linux",
            System::Android => "Android",
            System::Ios => "iOS",
            System::ChromeOs => "ChromeOS",
        })
    }
}

#[cfg(test)]
mod tests;
