//! CBOR from outside: one item at a time, not deep, and with every key once.

use ciborium::Value;

/// Deepest nesting; attestation statements need four.
const DEEPEST: usize = 12;

/// Most entries of a map, so that looking for duplicates stays cheap.
const WIDEST: usize = 64;

/// Not CBOR, cut off, too deep, or a map that is too wide or names a key twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadCbor;

/// A map.
pub(super) struct Map(Vec<(Value, Value)>);

impl Map {
    /// The first item of `bytes`, which has to be a map; `bytes` is left behind it.
    pub(super) fn take(bytes: &mut &[u8]) -> Result<Map, BadCbor> {
        let read = ciborium::de::from_reader_with_recursion_limit(bytes, DEEPEST);
        match read.map_err(|_| BadCbor)? {
            Value::Map(entries) => {
                check_entries(&entries)?;
                Ok(Map(entries))
            }
            _ => Err(BadCbor),
        }
    }

    /// The map that `bytes` are, and nothing behind it.
    pub(super) fn whole(mut bytes: &[u8]) -> Result<Map, BadCbor> {
        let map = Map::take(&mut bytes)?;
        bytes.is_empty().then_some(map).ok_or(BadCbor)
    }

    /// What stands under `key`.
    pub(super) fn find(&self, key: impl Into<Value>) -> Option<&Value> {
        let key = key.into();
        self.0
            .iter()
            .find_map(|(name, value)| (*name == key).then_some(value))
    }

    /// The bytes under `key`.
    pub(super) fn bytes(&self, key: impl Into<Value>) -> Option<&[u8]> {
        self.find(key)?.as_bytes().map(Vec::as_slice)
    }

    /// The integer under `key`, if it is one and small.
    pub(super) fn integer(&self, key: impl Into<Value>) -> Option<i64> {
        self.find(key)?.as_integer()?.try_into().ok()
    }

    /// The map under `key`, taken out.
    pub(super) fn take_map(&mut self, key: impl Into<Value>) -> Option<Map> {
        let key = key.into();
        let (_, value) = self.0.iter_mut().find(|(name, _)| *name == key)?;
        match value {
            Value::Map(entries) => Some(Map(std::mem::take(entries))),
            _ => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn check_entries(entries: &[(Value, Value)]) -> Result<(), BadCbor> {
    if entries.len() > WIDEST {
        return Err(BadCbor);
    }
    for (at, (key, value)) in entries.iter().enumerate() {
        // Containers as keys are never meant, and would be costly to compare.
        if !(key.is_text() || key.is_integer())
            || entries[..at].iter().any(|(other, _)| other == key)
        {
            return Err(BadCbor);
        }
        check_value(value)?;
    }
    Ok(())
}

fn check_value(value: &Value) -> Result<(), BadCbor> {
    match value {
        Value::Map(entries) => check_entries(entries),
        Value::Array(items) => items.iter().try_for_each(check_value),
        Value::Tag(_, inner) => check_value(inner),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn a_map_ends_where_it_ends() {
        let bytes = hex("a2010203182aff00");
        let mut rest = &bytes[..];
        let map = Map::take(&mut rest).unwrap();
        assert_eq!((map.integer(1), map.integer(3)), (Some(2), Some(42)));
        assert_eq!(rest, [0xff, 0]);
        assert!(Map::whole(&bytes).is_err());
        assert!(Map::whole(&bytes[..6]).is_ok());
        // Of unknown length, too.
        let bytes = hex("bf0102ff07");
        let mut rest = &bytes[..];
        assert!(Map::take(&mut rest).is_ok());
        assert_eq!(rest, [7]);
    }

    #[test]
    fn what_is_not_said_once_or_not_at_all_is_refused() {
        let deep = format!("a101{}00", "81".repeat(40));
        let mut wide = "b841".to_owned();
        wide.extend((0..0x41).map(|number| format!("19{number:04x}00")));
        let bad = [
            "",
            "a1",
            "a101",
            "80",
            "01",
            "f6",
            "ff",
            // twice, at the top and further down, and in two spellings
            "a201000100",
            "a101a201000100",
            "a1018 1a2616100616100",
            "a2010018 0100",
            // claims more than there is
            "bbffffffffffffffff0100",
            "a1015bffffffffffffffff00",
            "a1019bffffffffffffffff00",
            "a1017bffffffffffffffff61",
            "a15f",
            "a1419900",
            // containers as keys
            "a1800 1",
            "a1a00001",
            "a1f601",
            "a1410101",
            &deep,
            &wide,
        ];
        for text in bad {
            let bytes = hex(&text.replace(' ', ""));
            assert!(Map::whole(&bytes).is_err(), "{text}");
        }
    }
}
