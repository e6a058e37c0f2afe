//! Reading the members of a JSON object that may hold card numbers. It owns that a fault names the
//! member and what it should be, and never what stood there.

use serde_json::{Map, Value};
use switch_domain::AsciiText;

/// Longest name of a member that a fault repeats.
const LONGEST_NAME: usize = 32;

/// Why a line is not taken: what is wrong, without any of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadLine(pub(super) String);

impl BadLine {
    pub(super) fn member(name: &str, wanted: &str) -> Self {
        Self(format!("member {name}: {wanted}"))
    }
}

/// An object, of which members are taken until none may be left.
pub(super) struct Members {
    of: &'static str,
    map: Map<String, Value>,
}

impl Members {
    /// Of the text of a line.
    pub(super) fn parse(text: &str) -> Result<Self, BadLine> {
        // What serde_json says of a fault in the syntax is where it is; the text is not in it.
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(Self { of: "", map }),
            Ok(_) => Err(BadLine("it is no JSON object".into())),
            Err(error) => Err(BadLine(format!("it is no JSON: character {}", error.column()))),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// A string; `None` where there is none.
    pub(super) fn string(&mut self, name: &str, wanted: &str) -> Result<Option<String>, BadLine> {
        match self.map.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(name, wanted)),
        }
    }

    /// A string that must be there.
    pub(super) fn needed(&mut self, name: &str, wanted: &str) -> Result<String, BadLine> {
        self.string(name, wanted)?.ok_or_else(|| self.fault(name, wanted))
    }

    /// Short printable text, empty where there is none.
    pub(super) fn text<const N: usize>(&mut self, name: &str) -> Result<AsciiText<N>, BadLine> {
        let wanted = format!("a string of up to {N} printable ASCII characters");
        let text = self.string(name, &wanted)?.unwrap_or_default();
        AsciiText::new(text.as_bytes()).map_err(|_| self.fault(name, &wanted))
    }

    /// A whole number from `low` to `high`.
    pub(super) fn number(
        &mut self,
        name: &str,
        low: u64,
        high: u64,
    ) -> Result<Option<u64>, BadLine> {
        let Some(value) = self.map.remove(name) else { return Ok(None) };
        let number = value.as_u64().filter(|number| (low..=high).contains(number));
        let wrong = || self.fault(name, &format!("a whole number from {low} to {high}"));
        number.map(Some).ok_or_else(wrong)
    }

    /// True or false; false where it is not there.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, BadLine> {
        match self.map.remove(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(self.fault(name, "true or false")),
        }
    }

    /// An object within.
    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Self>, BadLine> {
        match self.map.remove(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self { of: name, map })),
            Some(_) => Err(self.fault(name, "an object")),
        }
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), BadLine> {
        let Some(name) = self.map.keys().next() else { return Ok(()) };
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let known = name.len() <= LONGEST_NAME && name.bytes().all(plain);
        let name = if known { name.as_str() } else { "(not shown)" };
        Err(self.fault(name, "there is none of this name here, see docs/clearing.md"))
    }

    pub(super) fn fault(&self, name: &str, wanted: &str) -> BadLine {
        match self.of {
            "" => BadLine::member(name, wanted),
            of => BadLine::member(&format!("{of}.{name}"), wanted),
        }
    }
}
