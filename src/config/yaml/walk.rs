//! One walk over the events of the YAML crate, numbering keys and values on its way.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::super::report::ENVIRONMENT;
use super::{Entry, Id, Kind, Node, Scalar, UNFOLDED, UNFOLDED_PER_BYTE, Value};

/// What the walk says when it gives up.
pub(super) const TOO_MANY: &str = "too many keys and values";

/// One walk over a document. Every walk numbers keys and values alike.
pub(super) struct Pass<'p> {
    pub(super) next: Cell<Id>,
    pub(super) limit: Id,
    /// Fail here, for the line.
    pub(super) stop: Option<Id>,
    /// Collects the scalars that YAML takes for a number or a boolean.
    pub(super) numbers: Option<&'p RefCell<HashSet<Id>>>,
    /// Read these scalars as text.
    pub(super) verbatim: Option<&'p HashSet<Id>>,
}

impl<'p> Pass<'p> {
    /// A walk over `text`.
    pub(super) fn over(text: &str) -> Self {
        let limit = UNFOLDED + text.len().saturating_mul(UNFOLDED_PER_BYTE);
        Pass {
            next: Cell::new(0),
            limit: Id::try_from(limit).unwrap_or(Id::MAX).min(ENVIRONMENT),
            stop: None,
            numbers: None,
            verbatim: None,
        }
    }

    pub(super) fn seed(&self) -> Seed<'_, 'p> {
        Seed { pass: self, id: 0 }
    }

    fn take<E: de::Error>(&self) -> Result<Id, E> {
        let id = self.next.get();
        if self.stop == Some(id) {
            return Err(E::custom("here"));
        }
        if id >= self.limit {
            return Err(E::custom(TOO_MANY));
        }
        self.next.set(id + 1);
        Ok(id)
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
pub(super) struct Seed<'s, 'p> {
    pass: &'s Pass<'p>,
    id: Id,
}

impl Seed<'_, '_> {
    fn node(self, value: Value) -> Node {
        Node { id: self.id, value }
    }

    fn scalar(self, text: String, kind: Kind) -> Node {
        if let (Some(numbers), true) = (self.pass.numbers, kind != Kind::Text) {
            numbers.borrow_mut().insert(self.id);
        }
        self.node(Value::Scalar(Scalar { text, kind }))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let next = self.pass.next.get();
        if self.pass.stop == Some(next) {
            return deserializer.deserialize_any(Stop);
        }
        let id = self.pass.take()?;
        let seed = Seed { id, ..self };
        match self.pass.verbatim {
            Some(ids) if ids.contains(&id) => deserializer.deserialize_str(seed),
            _ => deserializer.deserialize_any(seed),
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a list or keys with values")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(self.node(Value::Null))
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(self.node(Value::Null))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(self.scalar(value.to_string(), Kind::Bool))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(self.scalar(value.to_string(), Kind::Integer))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(self.scalar(value.to_string(), Kind::Integer))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Node, E> {
        Ok(self.scalar(value.to_string(), Kind::Integer))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Node, E> {
        Ok(self.scalar(value.to_string(), Kind::Integer))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        Ok(self.scalar(value.to_string(), Kind::Float))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(self.scalar(value.into(), Kind::Text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self)? {
            items.push(item);
        }
        Ok(self.node(Value::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key_seed(self)? {
            let Value::Scalar(Scalar { text, .. }) = key.value else {
                return Err(de::Error::custom("a key must be a text"));
            };
            let value = access.next_value_seed(self)?;
            entries.push(Entry {
                key: text,
                key_id: key.id,
                value,
                written: None,
            });
        }
        Ok(self.node(Value::Map(entries)))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(de::Error::custom(
            "a tag such as `!name` has no meaning here",
        ))
    }
}

/// Refuses whatever comes, so that the parser says where it stands.
struct Stop;

impl<'de> Visitor<'de> for Stop {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}
