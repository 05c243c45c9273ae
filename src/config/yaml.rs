//! YAML into a tree that keeps what a sentence about it needs: duplicate keys, scalars as they
//! were written, and a number for every key and value by which its line can be found again.
//!
//! The only file that knows the YAML crate.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};

mod walk;

use walk::Pass;

/// The number of a key or a value, in the order of the file.
pub(super) type Id = u32;

/// Keys and values that aliases may add to a small file.
const UNFOLDED: usize = 10_000;

/// Keys and values for each byte of a file, aliases unfolded; without them there are fewer than
/// one.
const UNFOLDED_PER_BYTE: usize = 2;

/// A value and its number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) id: Id,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    /// As it stands in the file, without quotes.
    pub(super) text: String,
    pub(super) kind: Kind,
}

/// What YAML takes a scalar for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bool,
    Integer,
    Float,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_id: Id,
    pub(super) value: Node,
    /// The whole key that a person wrote, where the entry was moved from an older spelling.
    pub(super) written: Option<String>,
}

/// Why a text is no single YAML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

/// Reads the one document of `text`.
pub(super) fn parse(text: &str) -> Result<Node, YamlError> {
    let numbers = RefCell::new(HashSet::new());
    let first = Pass {
        numbers: Some(&numbers),
        ..Pass::over(text)
    };
    let mut root = run(&first, text)?;
    let numbers = numbers.into_inner();
    if !numbers.is_empty() {
        let second = Pass {
            verbatim: Some(&numbers),
            ..Pass::over(text)
        };
        restore(&mut root, &run(&second, text)?);
    }
    Ok(root)
}

/// The line on which the key or value `id` of `text` begins. It parses the text again.
pub(super) fn line_of(text: &str, id: Id) -> Option<usize> {
    location_of(text, id).map(|place| place.line())
}

/// The byte at which the key or value `id` of `text` begins. It parses the text again.
pub(super) fn start_of(text: &str, id: Id) -> Option<usize> {
    let start = location_of(text, id)?.index();
    text.get(start..).map(|_| start)
}

fn location_of(text: &str, id: Id) -> Option<serde_yaml::Location> {
    let pass = Pass {
        stop: Some(id),
        ..Pass::over(text)
    };
    let mut documents = yaml(text);
    let error = pass.seed().deserialize(documents.next()?).err()?;
    error.location()
}

fn yaml(text: &str) -> serde_yaml::Deserializer<'_> {
    serde_yaml::Deserializer::from_str(text)
}

/// Puts the written form of each scalar that is not text from `verbatim` into `node`.
fn restore(node: &mut Node, verbatim: &Node) {
    match (&mut node.value, &verbatim.value) {
        (Value::Scalar(to), Value::Scalar(from)) => to.text.clone_from(&from.text),
        (Value::List(to), Value::List(from)) => {
            to.iter_mut()
                .zip(from)
                .for_each(|(to, from)| restore(to, from));
        }
        (Value::Map(to), Value::Map(from)) => {
            for (to, from) in to.iter_mut().zip(from) {
                to.key.clone_from(&from.key);
                restore(&mut to.value, &from.value);
            }
        }
        _ => {}
    }
}

/// Walks over the one document of `text`.
fn run(pass: &Pass<'_>, text: &str) -> Result<Node, YamlError> {
    let mut documents = yaml(text);
    let Some(document) = documents.next() else {
        return Ok(Node {
            id: 0,
            value: Value::Null,
        });
    };
    let root = pass.seed().deserialize(document).map_err(|e| explain(&e))?;
    for more in documents {
        refuse_second(more)?;
    }
    Ok(root)
}

/// A second document is refused unless nothing stands in it.
fn refuse_second(document: serde_yaml::Deserializer<'_>) -> Result<(), YamlError> {
    struct Second;
    impl<'de> Deserialize<'de> for Second {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(OnlyNull)?;
            Ok(Second)
        }
    }
    struct OnlyNull;
    impl<'de> Visitor<'de> for OnlyNull {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("nothing")
        }
        fn visit_unit<E: de::Error>(self) -> Result<(), E> {
            Ok(())
        }
        fn visit_none<E: de::Error>(self) -> Result<(), E> {
            Ok(())
        }
    }
    Second::deserialize(document)
        .map(|_| ())
        .map_err(|error| YamlError {
            line: error.location().map(|place| place.line()),
            message: "a second YAML document begins here; write everything in one \
                document, without a line `---` in between"
                .into(),
        })
}

/// What the parser says, as a sentence with a hint.
fn explain(error: &serde_yaml::Error) -> YamlError {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let message = if said.contains("cannot start any token") {
        "not valid YAML: a tab or another character that cannot stand here; \
        indent with spaces and put the value in quotes"
            .into()
    } else if said.contains("recursion limit") {
        "nested too deeply; at most 128 levels are read".into()
    } else if said.contains("repetition limit") || said.contains(walk::TOO_MANY) {
        "aliases (`*name`) unfold to too many values; write the values out".into()
    } else if said.contains("EOF while parsing") {
        "the file is empty".into()
    } else {
        let said = said.trim_start_matches(|c: char| c.is_ascii_digit());
        format!(
            "not valid YAML: {said}; look at the indentation and the quotes of \
            this line and the one above"
        )
    };
    YamlError {
        line: error.location().map(|place| place.line()),
        message,
    }
}

#[cfg(test)]
mod tests;
