//! BER-TLV: what terminals send is kept as it is, what is hostile is refused with its offset.

use bytes::BytesMut;
use codecs::emv::{Tag, TlvFault, TlvList, TlvWriter};
use proptest::prelude::*;
use serde_json::Value;

fn tag(number: u32) -> Tag {
    Tag::new(number).unwrap()
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    let list = TlvList::parse(bytes).unwrap();
    list.iter().map(|tlv| (tlv.tag.to_string(), hex::encode(tlv.value))).collect()
}

fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = TlvWriter::new(&mut out);
    for tlv in TlvList::parse(bytes).unwrap() {
        writer.push(tlv.tag, tlv.value).unwrap();
    }
    out.to_vec()
}

#[test]
fn order_repetitions_and_unknown_tags_are_kept() {
    let bytes = hex::decode("9f3501229f02060000000010009f350121df811801605f2a020840").unwrap();
    let wanted = [
        ("9F35", "22"),
        ("9F02", "000000001000"),
        ("9F35", "21"),
        ("DF8118", "60"),
        ("5F2A", "0840"),
    ];
    let wanted: Vec<_> = wanted.map(|(t, v)| (t.to_string(), v.to_string())).into();
    assert_eq!(pairs(&bytes), wanted);
    assert_eq!(rewritten(&bytes), bytes);
    let list = TlvList::parse(&bytes).unwrap();
    assert_eq!(list.as_bytes(), bytes);
    assert_eq!(list.find(tag(0x9F35)), Some(&[0x22][..]), "the first of two");
    assert_eq!(list.find(tag(0x95)), None);
}

#[test]
fn long_lengths_and_padding_are_read_and_the_original_bytes_stay() {
    let mut bytes = vec![0x00, 0x70, 0x81, 0x80];
    bytes.extend([0x11; 128]);
    bytes.extend([0x00, 0x00, 0x9C, 0x81, 0x01, 0x05]); // padding, then a longer length than needed
    bytes.extend([0x9F, 0x10, 0x82, 0x01, 0x00]);
    bytes.extend([0x22; 256]);
    let list = TlvList::parse(&bytes).unwrap();
    let found: Vec<_> = list.iter().map(|tlv| (tlv.offset, tlv.value.len())).collect();
    assert_eq!(found, [(1, 128), (134, 1), (138, 256)]);
    let mut copied = BytesMut::new();
    let mut writer = TlvWriter::new(&mut copied);
    list.iter().for_each(|tlv| writer.copy(&tlv));
    let without_padding: Vec<u8> = [&bytes[1..132], &bytes[134..]].concat();
    assert_eq!(copied, without_padding, "raw bytes, the long form included");
    assert!(rewritten(&bytes).len() < bytes.len(), "pushed objects get the shortest form");
}

#[test]
fn hostile_bytes_are_refused_with_their_offset() {
    #[rustfmt::skip]
    let table: &[(&str, usize, TlvFault)] = &[
        ("9f", 0, TlvFault::TagCutShort),
        ("9a03210720df81", 5, TlvFault::TagCutShort),
        ("df8181", 0, TlvFault::TagCutShort),
        ("df81818101", 0, TlvFault::TagMalformed),
        ("9f02", 0, TlvFault::LengthCutShort),
        ("9a03210720950582", 5, TlvFault::ValueCutShort { length: 5, left: 1 }),
        ("9f028201", 0, TlvFault::LengthCutShort),
        ("9f02800000", 0, TlvFault::LengthForm(0x80)),
        ("df01888000000000000000", 0, TlvFault::LengthForm(0x88)),
        ("df0184ffffffff", 0, TlvFault::LengthForm(0x84)),
        ("df0183ffffff00", 0, TlvFault::ValueCutShort { length: 0xFF_FFFF, left: 1 }),
        ("9f3663010203", 0, TlvFault::ValueCutShort { length: 0x63, left: 3 }),
        ("9f0607a0000000", 0, TlvFault::ValueCutShort { length: 7, left: 4 }),
    ];
    for (bytes, offset, fault) in table {
        let error = TlvList::parse(&hex::decode(bytes).unwrap()).unwrap_err();
        assert_eq!((error.offset, error.fault), (*offset, *fault), "{bytes}");
    }
    let error = TlvList::parse(&[0x9C, 0x01, 0x00, 0x9F, 0x36, 0x05]).unwrap_err();
    let wanted = "TLV object at byte 3: the value has 5 bytes by its length, 0 are left";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn constructed_objects_open_on_demand_and_not_for_ever() {
    let bytes = hex::decode("9c0100 7008 9f3602 0157 9c0105".replace(' ', "")).unwrap();
    let list = TlvList::parse(&bytes).unwrap();
    let template = list.iter().nth(1).unwrap();
    let children: Vec<_> =
        template.children().unwrap().iter().map(|t| (t.tag.to_string(), t.offset)).collect();
    assert_eq!(children, [("9F36".to_string(), 5), ("9C".to_string(), 10)]);
    let primitive = list.iter().next().unwrap().children().unwrap_err();
    assert_eq!((primitive.offset, primitive.fault), (0, TlvFault::NotConstructed));

    // Other things in a constructed object are its owner's affair until somebody opens it.
    let odd = hex::decode("9c0100ff0102cdcd").unwrap();
    let odd = TlvList::parse(&odd).unwrap().iter().nth(1).unwrap().children().unwrap_err();
    assert_eq!((odd.offset, odd.fault), (6, TlvFault::LengthForm(0xCD)));

    let mut deep = vec![];
    for _ in 0..20 {
        deep = [&[0x70, u8::try_from(deep.len()).unwrap()][..], &deep].concat();
    }
    let mut level = TlvList::parse(&deep).unwrap();
    let fault = loop {
        match level.iter().next().unwrap().children() {
            Ok(children) => level = children,
            Err(error) => break error,
        }
    };
    assert_eq!((fault.offset, fault.fault), (14, TlvFault::TooDeep));
}

#[test]
fn tags_are_what_the_standard_allows() {
    for good in [0x82, 0x95, 0x5F2A, 0x9F02, 0x9F_8101, 0xDF_8118, 0xDF81_8101_u32, 0xFFEE01] {
        assert_eq!(tag(good).number(), good);
    }
    for bad in [0, 0x9F, 0x9F80, 0x8201, 0x9F0201, 0xDF81, 0xDF8181, 0xDF81_8181] {
        assert_eq!(Tag::new(bad), None, "{bad:X}");
    }
    assert!(tag(0x70).is_constructed() && tag(0xFFEE01).is_constructed());
    assert!(!tag(0x9F02).is_constructed() && !tag(0xDF81_8101).is_constructed());
}

#[test]
fn nothing_printable_shows_values() {
    let bytes = hex::decode("5a0899999900000000039f2608a1a2a3a4a5a6a7a8").unwrap();
    let shown = format!("{:?}", TlvList::parse(&bytes).unwrap());
    assert_eq!(shown, "[Tlv(5A, 8 bytes), Tlv(9F26, 8 bytes)]");
}

fn any_tag() -> impl Strategy<Value = Tag> {
    prop_oneof![
        (1u32..=0xFF).prop_filter_map("one byte", Tag::new),
        (0x9F01u32..=0x9F7F).prop_filter_map("two bytes", Tag::new),
        (0x00DF_8101u32..=0x00DF_FF7F).prop_filter_map("three bytes", Tag::new),
        (0xDF81_8101u32..=0xDF81_FF7F).prop_filter_map("four bytes", Tag::new),
    ]
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_and_written_alike(
        objects in prop::collection::vec((any_tag(), any_value()), 0..12)
    ) {
        let mut out = BytesMut::new();
        let mut writer = TlvWriter::new(&mut out);
        for (tag, value) in &objects {
            writer.push(*tag, value).unwrap();
        }
        let read: Vec<_> = TlvList::parse(&out)
            .unwrap()
            .iter()
            .map(|tlv| (tlv.tag, tlv.value.to_vec()))
            .collect();
        prop_assert_eq!(&read, &objects);
        prop_assert_eq!(rewritten(&out), out.to_vec());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        match TlvList::parse(&bytes) {
            Ok(list) => {
                for tlv in list {
                    prop_assert_eq!(&bytes[tlv.offset..tlv.offset + tlv.raw.len()], tlv.raw);
                    let _ = tlv.children();
                }
            }
            Err(error) => prop_assert!(error.offset < bytes.len()),
        }
    }
}

/// Cases collected elsewhere, read when `CARDSWITCH_SAMPLES` names their directory.
#[test]
fn collected_tlv_cases_agree() {
    let Some(directory) = std::env::var_os("CARDSWITCH_SAMPLES") else { return };
    let path = std::path::Path::new(&directory).join("tlv-cases.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for case in cases["cases"].as_array().unwrap() {
        let field55 = case["field55_hex"].as_str().and_then(|text| text.get(6..)); // after its LLL
        let list = case["list"].as_array().into_iter().flatten().filter_map(|v| v.as_str());
        let must_fail = case["expect"].as_str().is_some_and(|text| text.starts_with("error"));
        for text in case["hex"].as_str().into_iter().chain(field55).chain(list) {
            let bytes = hex::decode(text).unwrap();
            assert_eq!(TlvList::parse(&bytes).is_err(), must_fail, "{} {text}", case["id"]);
            if must_fail {
                continue;
            }
            assert_eq!(rewritten(&bytes), bytes, "{}", case["id"]);
            let lower = |text: &Value| text.as_str().unwrap().to_lowercase();
            let wanted = case["tags"].as_array().into_iter().flatten();
            let wanted: Vec<_> = wanted.map(|p| (lower(&p[0]), lower(&p[1]))).collect();
            let found = pairs(&bytes).into_iter().map(|(tag, value)| (tag.to_lowercase(), value));
            assert!(wanted.is_empty() || wanted == found.collect::<Vec<_>>(), "{}", case["id"]);
        }
    }
}
