//! Where authentication codes stand, in every shipped dialect: behind all other fields, over all
//! bytes before them; and what a dialect file may not say of it.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, EncodeFault, Encoder, FieldSet, Fields, Mti};

fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::shipped_names().map(|name| Dialect::shipped(name).unwrap())
}

fn set(fields: &[u8]) -> FieldSet {
    fields.iter().copied().collect()
}

#[test]
fn the_code_stands_in_the_last_field_of_the_last_bitmap() {
    for dialect in dialects() {
        let one = if dialect.name() == "base1-like" { 128 } else { 64 };
        for (others, expected) in [
            (&[][..], Some(one)),
            (&[2, 39][..], Some(one)),
            (&[63], Some(one)),
            (&[2, 65], Some(128)),
            (&[2, 127], Some(128)),
            (&[2, 128], None),
            (&[2, 130], None),
        ] {
            assert_eq!(dialect.mac_field(set(others)), expected, "{} {others:?}", dialect.name());
        }
    }
    let text = Dialect::shipped_toml("iso87-bcd").unwrap();
    let fixed = text.replace("mac_fields", "bitmap_fixed = true\nmac_fields");
    assert_eq!(Dialect::from_toml(&fixed).unwrap().mac_field(set(&[2])), Some(128));
}

#[test]
fn a_code_is_put_where_room_was_left_and_found_there_over_all_before_it() {
    for dialect in dialects() {
        for more in [false, true] {
            let mti = Mti::from_digits([dialect.version().mti_digit(), 8, 1, 0]).unwrap();
            let mut encoder = Encoder::new();
            let mut message = encoder.start(&dialect, mti);
            message.text(11, "000042").unwrap();
            if more {
                message.text(102, "1234").unwrap();
            }
            let field = message.leave_room_for_mac().unwrap();
            let behind = message.leave_room_for_mac().map_err(|error| error.fault().clone());
            if field == 128 {
                assert_eq!(behind, Err(EncodeFault::NoRoomForMac));
            }
            let mut out = BytesMut::new();
            message.finish(&mut out).unwrap();
            let field = behind.unwrap_or(field);
            let code = [0xA1, 0xB2, 0xC3, 0xD4];
            let mut over = Vec::new();
            let put = dialect.put_mac(field, &mut out, |covered, room| {
                over = covered.to_vec();
                room[..4].copy_from_slice(&code);
                Ok::<_, ()>(4)
            });
            assert_eq!(put, Ok(true));

            let mut fields = Fields::new();
            dialect.decode(&out, &mut fields).unwrap();
            let message = dialect.view(&out, &fields);
            let found = message.authenticated().expect("a code");
            assert_eq!((found.field, found.covered), (field, &over[..]), "{}", dialect.name());
            let mut room = [0; 8];
            let read = message.bytes(field, &mut room).unwrap();
            assert_eq!(read, [0xA1, 0xB2, 0xC3, 0xD4, 0, 0, 0, 0], "{}", dialect.name());
            assert!(out.starts_with(&over) && over.len() < out.len());
        }
    }
}

#[test]
fn a_code_that_has_no_room_is_not_written() {
    let dialect = Dialect::shipped("iso87-bcd").unwrap();
    let mut message = [7; 12];
    for (field, length, expected) in [(64, 8, true), (64, 9, false), (63, 4, false), (0, 4, false)]
    {
        let mut bytes = message;
        let put = dialect.put_mac(field, &mut bytes, |_, _| Ok::<_, ()>(length));
        assert_eq!(put, Ok(expected), "{field} {length}");
        assert_eq!(bytes == message, !expected);
    }
    let short = dialect.put_mac(64, &mut message[..7], |_, _| Ok::<_, ()>(8));
    assert_eq!(short, Ok(false));
    assert_eq!(dialect.put_mac(64, &mut message, |_, _| Err("down")), Err("down"));
    assert_eq!(message, [7; 12]);
}

#[test]
fn a_message_without_a_code_behind_everything_has_none() {
    let dialect = Dialect::shipped("iso87-bcd").unwrap();
    let mut encoder = Encoder::new();
    for (set, expected) in [(&[11][..], None), (&[11, 64][..], Some(64)), (&[11, 64, 70], None)] {
        let mut message = encoder.start(&dialect, Mti::NETWORK_REQUEST);
        for field in set {
            match field {
                64 => message.bytes(64, &[1; 8]).unwrap(),
                _ => message.number(*field, 1).unwrap(),
            }
        }
        let mut out = BytesMut::new();
        message.finish(&mut out).unwrap();
        let mut fields = Fields::new();
        dialect.decode(&out, &mut fields).unwrap();
        let found = dialect.view(&out, &fields).authenticated();
        assert_eq!(found.map(|found| found.field), expected, "{set:?}");
    }
}

#[test]
fn fields_that_cannot_carry_a_code_are_refused_with_their_line() {
    let base = Dialect::shipped_toml("iso87-bcd").unwrap();
    let line = base.lines().position(|line| line.starts_with("mac_fields")).unwrap() + 1;
    for (listed, field, problem) in [
        ("[64, 64]", 64, "stands twice in mac_fields"),
        ("[65]", 65, "not defined in this dialect"),
        ("[192]", 192, "not defined in this dialect"),
        ("[52]", 52, "it must be the last of a bitmap"),
        ("[96]", 96, "it must be the last of a bitmap"),
    ] {
        let text = base.replace("mac_fields = [64, 128]", &format!("mac_fields = {listed}"));
        let error = Dialect::from_toml(&text).unwrap_err();
        assert_eq!((error.line(), error.field()), (line, Some(field)), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
    let short = base.replace(
        "type = \"b\", length = \"fixed\", max = 8",
        "type = \"b\", length = \"fixed\", max = 3",
    );
    let error = Dialect::from_toml(&short).unwrap_err().to_string();
    assert!(error.contains("of 4 to 32 bytes"), "{error}");
    let echoed = base.replace("\"0810\" = [7,", "\"0810\" = [64, 7,");
    let error = Dialect::from_toml(&echoed).unwrap_err().to_string();
    assert!(error.contains("is echoed in 0810"), "{error}");
}
