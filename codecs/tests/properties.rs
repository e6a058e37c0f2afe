//! What holds for every message: it is read as it was written, written again as it was read, and no
//! bytes whatever bring the decoder down.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields, Mti, describe};
use proptest::prelude::*;

mod sets;
use sets::{Value, any_message};

fn ascii() -> Dialect {
    Dialect::shipped("iso87-ascii").unwrap()
}

fn bcd() -> Dialect {
    Dialect::shipped("iso87-bcd").unwrap()
}

fn any_message_of_any_dialect() -> impl Strategy<Value = (&'static str, Mti, Vec<(u8, Value)>)> {
    let names: Vec<_> = Dialect::shipped_names().collect();
    prop::sample::select(names).prop_flat_map(|name| {
        let message = any_message(&Dialect::shipped(name).unwrap());
        (Just(name), message).prop_map(|(name, (mti, set))| (name, mti, set))
    })
}

fn encoded(dialect: &Dialect, mti: Mti, fields: &[(u8, Value)]) -> BytesMut {
    let mut encoder = Encoder::new();
    let mut message = encoder.start(dialect, mti);
    for (field, value) in fields {
        value.set(*field, &mut message);
    }
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    out
}

/// Encode, decode: the same values. Then copied field by field: the same bytes.
fn round_trip(dialect: &Dialect, mti: Mti, set: &[(u8, Value)]) -> Result<(), TestCaseError> {
    let bytes = encoded(dialect, mti, set);
    let mut fields = Fields::new();
    dialect.decode(&bytes, &mut fields).unwrap();
    let message = dialect.view(&bytes, &fields);
    prop_assert_eq!(message.mti(), Some(mti));
    prop_assert_eq!(message.present(), set.iter().map(|(field, _)| *field).collect());
    for (field, value) in set {
        let mut buffer = [0; 1000];
        match value {
            Value::Text(text) => {
                let read = message.text(*field).unwrap();
                prop_assert_eq!(read.as_str(), text);
            }
            Value::Bytes(bytes) => {
                prop_assert_eq!(message.bytes(*field, &mut buffer).unwrap(), &bytes[..]);
            }
        }
        if let Ok(number) = message.number(*field) {
            let digits = message.digits(*field, &mut buffer).unwrap();
            prop_assert_eq!(std::str::from_utf8(digits).unwrap().parse(), Ok(number));
        }
    }
    let mut encoder = Encoder::new();
    let mut copy = encoder.start(dialect, mti);
    for field in message.present() {
        prop_assert!(copy.echo(field, &message).unwrap());
    }
    let mut again = BytesMut::new();
    copy.finish(&mut again).unwrap();
    prop_assert_eq!(&again, &bytes);
    Ok(())
}

/// Decodes anything, and looks at everything that is said to be there.
fn survives(dialect: &Dialect, bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut fields = Fields::new();
    let result = dialect.decode(bytes, &mut fields);
    let message = dialect.view(bytes, &fields);
    let _ = describe(dialect, bytes, &fields);
    let mut buffer = [0; 1000];
    for field in message.present() {
        let raw = message.raw(field).unwrap();
        prop_assert!(raw.ends_with(message.content(field).unwrap()));
        let _ = (message.number(field), message.digits(field, &mut buffer));
        let shown = message.text(field).is_ok() || message.bytes(field, &mut buffer).is_ok();
        prop_assert!(shown, "field {field} is presented as read");
    }
    if let Err(error) = &result {
        prop_assert!(error.offset() <= bytes.len() && error.found_at() <= bytes.len());
        prop_assert!(error.to_string().starts_with("field "));
    } else {
        prop_assert_eq!(fields.present(), fields.announced());
    }
    Ok(())
}

proptest! {
    #[test]
    fn messages_are_read_as_they_were_written((name, mti, set) in any_message_of_any_dialect()) {
        round_trip(&Dialect::shipped(name).unwrap(), mti, &set)?;
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for name in Dialect::shipped_names() {
            survives(&Dialect::shipped(name).unwrap(), &bytes)?;
        }
    }

    #[test]
    fn any_bytes_behind_a_good_head_are_survived(
        bitmap in any::<[u8; 8]>(),
        rest in "[0-9 -~]{0,300}",
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        survives(&bcd(), &[&[0x01, 0x00], &bitmap[..], &bytes].concat())?;
        let bitmap = hex::encode(bitmap);
        survives(&ascii(), &[b"0100", bitmap.as_bytes(), rest.as_bytes()].concat())?;
    }

    #[test]
    fn a_few_wrong_bytes_are_survived(
        (mti, set) in any_message(&ascii()),
        (bcd_mti, bcd_set) in any_message(&bcd()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        for (dialect, mti, set) in [(ascii(), mti, set), (bcd(), bcd_mti, bcd_set)] {
            let mut bytes = encoded(&dialect, mti, &set);
            for (at, byte) in &edits {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            survives(&dialect, &bytes)?;
            survives(&dialect, &bytes[..cut.index(bytes.len())])?;
        }
    }

    #[test]
    fn a_message_cut_anywhere_is_never_taken_for_whole(
        (mti, set) in any_message(&bcd()),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = encoded(&bcd(), mti, &set);
        let mut fields = Fields::new();
        let cut = &bytes[..cut.index(bytes.len())];
        let error = bcd().decode(cut, &mut fields).unwrap_err();
        prop_assert!(error.is_structural() && error.found_at() == cut.len());
    }

    #[test]
    fn numbers_are_written_whole_or_refused(number in any::<u64>(), field in 3u8..28) {
        for dialect in [ascii(), bcd()] {
            let room = usize::from(dialect.spec(field).unwrap().max);
            let mut encoder = Encoder::new();
            let mut message = encoder.start(&dialect, Mti::NETWORK_REQUEST);
            let fits = number.to_string().len() <= room;
            prop_assert_eq!(message.number(field, number).is_ok(), fits);
            if !fits {
                continue;
            }
            let mut out = BytesMut::new();
            message.finish(&mut out).unwrap();
            let mut fields = Fields::new();
            dialect.decode(&out, &mut fields).unwrap();
            prop_assert_eq!(dialect.view(&out, &fields).number(field), Ok(number));
        }
    }
}

/// Messages collected elsewhere, read when `CARDSWITCH_SAMPLES` names their directory. Their
/// layouts differ from the shipped ones, so most can only be survived.
#[test]
fn collected_messages_are_survived() {
    let Some(directory) = std::env::var_os("CARDSWITCH_SAMPLES") else { return };
    let path = std::path::Path::new(&directory).join("moov-testdata.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut known = 0;
    for case in file["cases"].as_array().unwrap() {
        let bytes = hex::decode(case["message_hex"].as_str().unwrap()).unwrap();
        survives(&ascii(), &bytes).unwrap();
        survives(&bcd(), &bytes).unwrap();
        let mut fields = Fields::new();
        let result = ascii().decode(&bytes, &mut fields);
        let id = case["id"].as_str().unwrap();
        let hostile =
            id.contains("fuzz") || id.contains("issue-36") || id == "moov-f3-subfield-error";
        assert!(!hostile || result.is_err(), "{id}");
        if id == "moov-0100-min" {
            result.unwrap();
            let dialect = ascii();
            let message = dialect.view(&bytes, &fields);
            assert_eq!((message.number(3), message.number(4)), (Ok(123_456), Ok(100)));
            known += 1;
        }
    }
    assert_eq!(known, 1);
}
