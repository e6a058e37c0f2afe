//! JSON that is exactly one object: UTF-8, no member twice at any depth, nothing behind it, not
//! nested deeper than 32. It judges and keeps nothing; that two readers could see two different
//! objects in one text must never be possible.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Objects and lists within each other, the outermost included.
const MAX_DEPTH: usize = 32;

/// The text is not one such object. Says nothing of what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotOneObject;

/// The text of the bytes, if they are one JSON object.
pub(super) fn one_object(bytes: &[u8]) -> Result<&str, NotOneObject> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotOneObject)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let judge = Judge { left: MAX_DEPTH };
    Deserializer::deserialize_map(&mut reader, Object(judge)).map_err(|_| NotOneObject)?;
    reader.end().map_err(|_| NotOneObject)?;
    Ok(text)
}

/// Any value, with so many levels left.
#[derive(Clone, Copy)]
struct Judge {
    left: usize,
}

impl Judge {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let left = self.left.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { left })
    }
}

impl<'de> DeserializeSeed<'de> for Judge {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Judge {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if number.is_finite() { Ok(()) } else { Err(E::custom("number out of range")) }
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let within = self.deeper()?;
        while list.next_element_seed(within)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let within = self.deeper()?;
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a member twice"));
            }
            object.next_value_seed(within)?;
        }
        Ok(())
    }
}

/// The same for the outermost value, which must be an object.
struct Object(Judge);

impl<'de> Visitor<'de> for Object {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        self.0.visit_map(object)
    }
}

#[cfg(test)]
mod tests {
    use super::one_object;

    #[test]
    fn depth_counts_the_outermost_and_names_count_at_every_depth() {
        let nested = |depth: usize| "{\"a\":".repeat(depth - 1) + "{}" + &"}".repeat(depth - 1);
        assert!(one_object(nested(32).as_bytes()).is_ok());
        assert!(one_object(nested(33).as_bytes()).is_err());
        assert!(one_object(br#"{"a":{"b":1},"c":{"b":1}}"#).is_ok());
        assert!(one_object(br#"{"a":{"b":1,"b":1}}"#).is_err());
        assert!(one_object(br#"{"a":[{"b":1,"\u0062":1}]}"#).is_err(), "the same name escaped");
        assert!(one_object(b" {\"a\" : null}\n").is_ok());
        assert!(one_object(b"{} {}").is_err());
        assert!(one_object(br#"{"a":1e400}"#).is_err());
        assert!(one_object(br#"{"a":[true,-1,1.5,"b"]}"#).is_ok());
    }
}
