//! How the answers of a processor elsewhere are read (docs/processors.md). It owns what is taken
//! for an answer: they come from outside and are taken for hostile (size, shape, value). Nothing of
//! what came is ever part of a fault.

use serde::Deserialize;
use switch_domain::{AsciiText, Expiry, Pan};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{MadeCard, ProcessorReference};
use crate::jwe::Payload;

/// An answer is a few members, one of them a token.
pub(super) const ANSWER_MOST: usize = 8_192;
/// Characters of the code of a refusal.
const CODE_MOST: usize = 40;

/// What is no answer. It repeats nothing of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// It is longer than any answer.
    #[error("the answer has more than 8192 bytes")]
    TooLong,
    /// It has another shape, or unknown members.
    #[error("the answer has not the shape of one")]
    Shape,
    /// It is about something that was not asked.
    #[error("the answer is to another reference")]
    OtherReference,
    /// What it calls the card is no name.
    #[error("the name of the card is not 1 to 40 visible characters, or its number stands in it")]
    Name,
    /// The number is no token that opens.
    #[error("the number is not encrypted to the key of the question")]
    DoesNotOpen,
    /// What is in the token is no number with its month, or of another order.
    #[error("what is encrypted is not the number of this order")]
    Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    reference: Uuid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    reference: Uuid,
    card: String,
    number: String,
}

/// What is encrypted. Borrowed from what is wiped, so that no copy of a digit is left.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside<'a> {
    reference: &'a str,
    number: &'a str,
    expiry: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    code: String,
}

/// A card whose number is still encrypted.
pub(super) struct SealedCard {
    reference: Uuid,
    name: String,
    pub(super) token: String,
}

/// That an act was done: `{"reference": uuid}`.
pub(super) fn done(reference: Uuid, bytes: &[u8]) -> Result<(), BadAnswer> {
    let done: Done = read(bytes)?;
    if done.reference == reference { Ok(()) } else { Err(BadAnswer::OtherReference) }
}

/// A card: `{"reference": uuid, "card": name, "number": token}`.
pub(super) fn made(reference: Uuid, bytes: &[u8]) -> Result<SealedCard, BadAnswer> {
    let made: Made = read(bytes)?;
    if made.reference != reference {
        return Err(BadAnswer::OtherReference);
    }
    let visible = made.card.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || !(1..=40).contains(&made.card.len()) {
        return Err(BadAnswer::Name);
    }
    Ok(SealedCard { reference, name: made.card, token: made.number })
}

impl SealedCard {
    /// With what its token has in it:
    /// `{"reference": uuid, "number": digits, "expiry": "YYMM"}`.
    pub(super) fn opened(&self, payload: &Payload) -> Result<MadeCard, BadAnswer> {
        let number = |_| BadAnswer::Number;
        let inside: Inside<'_> = serde_json::from_slice(payload.json()).map_err(number)?;
        if Uuid::try_parse(inside.reference) != Ok(self.reference) {
            return Err(BadAnswer::OtherReference);
        }
        let pan = Pan::from_digits(inside.number.as_bytes()).map_err(|_| BadAnswer::Number)?;
        let plain = inside.expiry.len() == 4 && inside.expiry.bytes().all(|b| b.is_ascii_digit());
        let yymm = inside.expiry.parse().ok().filter(|_| plain).ok_or(BadAnswer::Number)?;
        let expiry = Expiry::from_yymm(yymm).map_err(|_| BadAnswer::Number)?;
        let reference = self.unlike(inside.number)?;
        Ok(MadeCard { reference, pan, expiry })
    }

    /// The name, which is kept and shown in clear: the number does not stand in it, also not in
    /// groups.
    fn unlike(&self, number: &str) -> Result<ProcessorReference, BadAnswer> {
        let digits: Zeroizing<String> =
            Zeroizing::new(self.name.chars().filter(char::is_ascii_digit).collect());
        if digits.contains(number) {
            return Err(BadAnswer::Name);
        }
        AsciiText::new(self.name.as_bytes()).map_err(|_| BadAnswer::Name)
    }
}

/// Why it will not: the code of a refusal, in capitals and underscores; none where there is none.
pub(super) fn refusal(bytes: &[u8]) -> Option<String> {
    let refusal: Refusal = read(bytes).ok()?;
    let word = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    let fits = (1..=CODE_MOST).contains(&refusal.code.len()) && refusal.code.bytes().all(word);
    fits.then_some(refusal.code)
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, BadAnswer> {
    if bytes.len() > ANSWER_MOST {
        return Err(BadAnswer::TooLong);
    }
    serde_json::from_slice(bytes).map_err(|_| BadAnswer::Shape)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};
    use switch_domain::Timestamp;

    use super::*;
    use crate::jwe::{
        KeyRules, OpenPolicy, Openable, PartnerKey, PlatformKey, PlatformKeys, PublishedKey,
        RsaBits, seal,
    };

    const ID: &str = "6f2c2b5e-8a4f-4a52-9f5e-3d1a2b3c4d5e";
    const NUMBER: &str = "9999991200000018";

    fn id() -> Uuid {
        Uuid::try_parse(ID).expect("an identifier")
    }

    fn card(name: &str) -> Result<SealedCard, BadAnswer> {
        let text = serde_json::json!({ "reference": ID, "card": name, "number": "a.b.c.d.e" });
        made(id(), text.to_string().as_bytes())
    }

    #[test]
    fn an_answer_has_its_members_and_no_others() {
        let done_by = |text: &str| done(id(), text.as_bytes());
        assert_eq!(done_by(&format!(r#"{{"reference":"{ID}"}}"#)), Ok(()));
        let other = ID.replace('6', "7");
        for (text, bad) in [
            (String::new(), BadAnswer::Shape),
            ("[]".into(), BadAnswer::Shape),
            (format!(r#"{{"reference":"{ID}"}}{{}}"#), BadAnswer::Shape),
            (format!(r#"{{"reference":"{ID}","reference":"{ID}"}}"#), BadAnswer::Shape),
            (format!(r#"{{"reference":"{ID}","pan":"{NUMBER}"}}"#), BadAnswer::Shape),
            (format!(r#"{{"reference":"{other}"}}"#), BadAnswer::OtherReference),
            (" ".repeat(ANSWER_MOST + 1), BadAnswer::TooLong),
        ] {
            assert_eq!(done_by(&text), Err(bad), "{text}");
        }
        for name in ["c-1", &"c".repeat(40)] {
            assert!(card(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "\u{e9}", "a\nb", &"c".repeat(41)] {
            assert_eq!(card(name).err(), Some(BadAnswer::Name), "{name}");
        }
    }

    #[test]
    fn a_refusal_says_a_word_and_nothing_else_counts_as_one() {
        let of = |text: &str| refusal(text.as_bytes());
        assert_eq!(of(r#"{"code":"CARD_RETIRED"}"#).as_deref(), Some("CARD_RETIRED"));
        for text in [
            "",
            "{}",
            "<html>",
            r#"{"code":""}"#,
            r#"{"code":"no"}"#,
            r#"{"code":"N0"}"#,
            r#"{"code":1}"#,
            r#"{"code":"NO","why":"x"}"#,
            &format!(r#"{{"code":"{NUMBER}"}}"#),
            &format!(r#"{{"code":"{}"}}"#, "A".repeat(41)),
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_encrypted_is_the_number_of_this_order_and_stands_in_no_name() {
        let rules = KeyRules { allow_2048: true, ..KeyRules::default() };
        let key = PlatformKey::generate(RsaBits::Bits2048, &rules).expect("a key");
        let public = PartnerKey::from_base64(&PublishedKey::of(&key).public_key).expect("a key");
        let keys = PlatformKeys::new(key);
        let opened = |name: &str, inside: &str| {
            let token = seal(&public, inside.as_bytes()).expect("sealed");
            let token = Openable::check(&token, &keys, &OpenPolicy::default(), Timestamp(0));
            let payload = token.and_then(Openable::open).unwrap_or_else(|e| panic!("{e:?}"));
            card(name).expect("a name").opened(&payload)
        };
        let inside = |number: &str, expiry: &str| {
            format!(r#"{{"reference":"{ID}","number":"{number}","expiry":"{expiry}"}}"#)
        };
        let good = opened("c-1", &inside(NUMBER, "3012")).unwrap_or_else(|bad| panic!("{bad}"));
        assert_eq!((good.pan.bin(), good.reference.as_str()), (99_999_912, "c-1"));
        assert_eq!(good.expiry.yymm(), 3012);
        let other = inside(NUMBER, "3012").replace("6f2c", "7f2c");
        assert_eq!(opened("c-1", &other).err(), Some(BadAnswer::OtherReference));
        for bad in [
            inside("", "3012"),
            inside("99999912", "3012"),
            inside("99999912000000A8", "3012"),
            inside("9999 9912 0000 0018", "3012"),
            inside("\\u0039999991200000018", "3012"),
            inside(NUMBER, "3013"),
            inside(NUMBER, "+301"),
            inside(NUMBER, "12/30"),
            format!(r#"{{"reference":"{ID}","number":{NUMBER},"expiry":"3012"}}"#),
            format!(r#"{{"reference":"{ID}","number":"{NUMBER}"}}"#),
        ] {
            assert_eq!(opened("c-1", &bad).err(), Some(BadAnswer::Number));
        }
        for name in [NUMBER, "9999-9912-0000-0018", "pan:9999991200000018:x"] {
            let bad = opened(name, &inside(NUMBER, "3012")).err();
            assert_eq!(bad, Some(BadAnswer::Name));
        }
    }

    proptest! {
        #[test]
        fn bytes_from_outside_never_panic(bytes in any::<Vec<u8>>()) {
            prop_assert!(done(id(), &bytes).is_err() && made(id(), &bytes).is_err());
            prop_assert!(refusal(&bytes).is_none());
        }
    }
}
