//! A request of ours as data, and its bytes. It owns which fields a request has by the edition of
//! the dialect; what becomes of it is the affair of those who wait.

use std::collections::BTreeMap;
use std::fmt;

use bytes::BytesMut;
use codecs::iso8583::{Dialect, EncodeError, Encoder, FieldSet, LengthForm, Mti, Version};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const TRANSMITTED: u8 = 7;
const TRACE: u8 = 11;
const LOCAL_TIME: u8 = 12;
const SETTLEMENT_DATE: u8 = 15;
const FUNCTION: u8 = 24;
const CODE_1987: u8 = 70;

/// What a network management request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Is anybody there? DE70 301; DE24 831.
    Echo,
    /// DE70 001; DE24 801.
    SignOn,
    /// DE70 002; DE24 802.
    SignOff,
    /// The business day ends. DE70 201; DE24 821.
    CutOver,
    /// A new key, in a field of the link's own. DE70 101; DE24 811.
    KeyChange,
}

impl Purpose {
    /// Every purpose once.
    pub const ALL: [Self; 5] =
        [Self::Echo, Self::SignOn, Self::SignOff, Self::CutOver, Self::KeyChange];

    /// As commands and metrics write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::SignOn => "sign-on",
            Self::SignOff => "sign-off",
            Self::CutOver => "cut-over",
            Self::KeyChange => "key-change",
        }
    }

    const fn code(self, version: Version) -> &'static str {
        match (version, self) {
            (Version::V1987, Self::Echo) => "301",
            (Version::V1987, Self::SignOn) => "001",
            (Version::V1987, Self::SignOff) => "002",
            (Version::V1987, Self::CutOver) => "201",
            (Version::V1987, Self::KeyChange) => "101",
            (_, Self::Echo) => "831",
            (_, Self::SignOn) => "801",
            (_, Self::SignOff) => "802",
            (_, Self::CutOver) => "821",
            (_, Self::KeyChange) => "811",
        }
    }
}

/// A request that a link sends by itself: network management now; key changes and advices of an
/// issuer go the same way. The link adds trace number and times.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    purpose: Option<Purpose>,
    class: u8,
    function: u8,
    fields: BTreeMap<u8, String>,
}

/// What is different for every request.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    /// Trace number, 1 to 999999.
    pub(crate) trace: u32,
    /// When it is sent.
    pub(crate) time: Timestamp,
}

impl fmt::Debug for Request {
    /// Without values: a request may hold keys or card numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("name", &self.name())
            .field("class", &self.class)
            .field("function", &self.function)
            .field("fields", &self.fields.keys())
            .finish()
    }
}

impl Request {
    /// x800 for this purpose.
    #[must_use]
    pub const fn network(purpose: Purpose) -> Self {
        Self { purpose: Some(purpose), class: 8, function: 0, fields: BTreeMap::new() }
    }

    /// Any other: the second and third digit of its message type, each 0 to 9.
    #[must_use]
    pub const fn other(class: u8, function: u8) -> Self {
        Self { purpose: None, class, function, fields: BTreeMap::new() }
    }

    /// Sets a field, also one that the link would set.
    #[must_use]
    pub fn with(mut self, field: u8, value: impl Into<String>) -> Self {
        self.fields.insert(field, value.into());
        self
    }

    /// The day that a cut-over begins, in the form of DE15 of the dialect.
    #[must_use]
    pub fn for_day(self, day: impl Into<String>) -> Self {
        self.with(SETTLEMENT_DATE, day)
    }

    pub(crate) const fn purpose(&self) -> Option<Purpose> {
        self.purpose
    }

    pub(crate) fn day(&self) -> Option<&str> {
        self.fields.get(&SETTLEMENT_DATE).map(String::as_str)
    }

    /// As metrics label it.
    pub(crate) const fn name(&self) -> &'static str {
        match self.purpose {
            Some(purpose) => purpose.name(),
            None => "other",
        }
    }

    /// Its message type: x8xx of the later editions come from "others" (fourth digit 4), all else
    /// is numbered as an acquirer's would be.
    fn mti(&self, version: Version) -> Option<Mti> {
        let origin = if self.class == 8 && version != Version::V1987 { 4 } else { 0 };
        Mti::from_digits([version.mti_digit(), self.class, self.function, origin])
    }

    /// Appends its bytes to `out`, with room behind all fields for an authentication code if one
    /// will be put there; which fields it has.
    ///
    /// # Errors
    /// The dialect cannot write one of its fields; `out` is as it was.
    pub(crate) fn write(
        &self,
        dialect: &Dialect,
        more: &[(u8, String)],
        moment: Moment,
        coded: bool,
        (encoder, out): (&mut Encoder, &mut BytesMut),
    ) -> Result<FieldSet, EncodeError> {
        let mti = self.mti(dialect.version()).unwrap_or(Mti::NETWORK_REQUEST);
        let mut fields = BTreeMap::new();
        for (field, digits) in [(TRANSMITTED, 10), (LOCAL_TIME, 0)] {
            let written = dialect.spec(field).filter(|spec| spec.length == LengthForm::Fixed);
            let wanted = field == TRANSMITTED || dialect.version() != Version::V1987;
            if let Some(spec) = written.filter(|_| wanted) {
                let digits = if digits > 0 { digits } else { spec.max };
                fields.extend(time(moment.time, digits).map(|text| (field, text)));
            }
        }
        fields.insert(TRACE, format!("{:06}", moment.trace));
        if let Some(purpose) = self.purpose {
            let earlier = dialect.version() == Version::V1987;
            let field = if earlier { CODE_1987 } else { FUNCTION };
            fields.insert(field, purpose.code(dialect.version()).to_owned());
            fields.extend(more.iter().cloned());
        }
        fields.extend(self.fields.iter().map(|(field, value)| (*field, value.clone())));
        let mut writer = encoder.start(dialect, mti);
        for (field, value) in &fields {
            writer.text(*field, value)?;
        }
        if coded {
            writer.leave_room_for_mac()?;
        }
        let present = writer.present();
        writer.finish(out)?;
        Ok(present)
    }
}

/// A moment in UTC in so many digits: MMDDhhmmss, YYMMDDhhmmss or YYYYMMDDhhmmss.
fn time(moment: Timestamp, digits: u16) -> Option<String> {
    let form = match digits {
        10 => "%m%d%H%M%S",
        12 => "%y%m%d%H%M%S",
        14 => "%Y%m%d%H%M%S",
        _ => return None,
    };
    Some(moment.to_zoned(TimeZone::UTC).strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use codecs::iso8583::Fields;

    use super::*;

    #[test]
    fn every_purpose_is_written_in_every_dialect() {
        let moment = Moment { trace: 42, time: "2026-11-26T09:15:07Z".parse().expect("a time") };
        for name in Dialect::shipped_names() {
            let dialect = Dialect::shipped(name).expect("shipped");
            let (mti, code_field, code, date) = match dialect.version() {
                Version::V1987 => ("0800", 70, ["301", "001", "002", "201", "101"], None),
                Version::V1993 => {
                    ("1804", 24, ["831", "801", "802", "821", "811"], Some("261126091507"))
                }
                Version::V2003 => {
                    ("2804", 24, ["831", "801", "802", "821", "811"], Some("20261126091507"))
                }
            };
            for (purpose, code) in Purpose::ALL.into_iter().zip(code) {
                let (mut bytes, mut encoder) = (BytesMut::new(), Encoder::new());
                let more = [(33, "123456".to_owned())];
                let request = Request::network(purpose);
                let room = (&mut encoder, &mut bytes);
                let written = request.write(&dialect, &more, moment, false, room);
                written.unwrap_or_else(|error| panic!("{name} {purpose:?}: {error}"));
                let mut fields = Fields::new();
                dialect.decode(&bytes, &mut fields).expect("readable");
                let message = dialect.view(&bytes, &fields);
                let text = |field| message.text(field).map(|text| text.as_str().to_owned()).ok();
                assert_eq!(message.mti().expect("a type").to_string(), mti, "{name}");
                assert_eq!(text(7).as_deref(), Some("1126091507"), "{name}");
                assert_eq!(message.number(11), Ok(42), "{name}");
                assert_eq!(text(12).as_deref(), date, "{name}");
                assert_eq!(text(33).as_deref(), Some("123456"), "{name}");
                assert_eq!(text(code_field).as_deref(), Some(code), "{name}");
            }
        }
    }

    #[test]
    fn what_a_request_holds_is_not_shown() {
        let request = Request::other(1, 2).with(2, "secret").with(52, "more");
        let shown = format!("{request:?}");
        assert!(!shown.contains("secret") && !shown.contains("more"), "{shown}");
        assert!(shown.contains("[2, 52]"), "{shown}");
    }
}
