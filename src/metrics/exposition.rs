//! Prometheus' text format, version 0.0.4.

use std::fmt::{self, Write as _};

/// What every name begins with.
const PREFIX: &str = "auth_gate_";

/// What kind of number a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts of what took no longer than this or that.
    Histogram,
}

/// A text that grows name by name.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// What tells numbers of one name apart.
pub type Labels<'l> = [(&'l str, &'l str)];

impl Exposition {
    /// Begins a name; its numbers follow before the next one begins.
    pub fn begin(&mut self, name: &str, help: &str, kind: Kind) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = Escaped {
            text: help,
            quote: false,
        };
        self.put(format_args!("# HELP {PREFIX}{name} {help}\n"));
        self.put(format_args!("# TYPE {PREFIX}{name} {kind}\n"));
    }

    /// A number of the name, which may have a suffix (`_bucket`).
    pub fn number(&mut self, name: &str, labels: &Labels<'_>, value: impl fmt::Display) {
        self.put(format_args!("{PREFIX}{name}"));
        for (place, (label, word)) in labels.iter().enumerate() {
            let open = if place == 0 { '{' } else { ',' };
            let word = Escaped {
                text: word,
                quote: true,
            };
            self.put(format_args!("{open}{label}=\"{word}\""));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        self.put(format_args!("{close} {value}\n"));
    }

    /// A name with a single number.
    pub fn single(&mut self, name: &str, help: &str, kind: Kind, value: impl fmt::Display) {
        self.begin(name, help, kind);
        self.number(name, &[], value);
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.text
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(text);
    }
}

/// A text as the format has it, in quotes or to the end of the line.
struct Escaped<'t> {
    text: &'t str,
    quote: bool,
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' if self.quote => f.write_str("\\\"")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
