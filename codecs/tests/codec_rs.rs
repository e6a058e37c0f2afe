//! iso8583-codec-rs, a second independent codec in Rust, told the fields of our dialects as its
//! JSON specification: each side reads what the other wrote.
//!
//! Left out is what it cannot say: packed fields with a sign or a track separator. Of an odd packed
//! number it gives out the zero in front as well. What it calls code page 037 is 1047.

use bytes::BytesMut;
use codecs::iso8583::{
    BitmapEncoding, Dialect, Encoder, Encoding, FieldSpec, FieldType, Fields, LengthForm,
    NumeralEncoding,
};
use iso8583_codec_rs::field_spec::LoadedSpec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

mod sets;
use sets::{Value, any_message};

const DIALECTS: [&str; 3] = ["iso87-ascii", "iso87-bcd", "iso87-ebcdic-1047"];

const fn numeral(encoding: NumeralEncoding) -> &'static str {
    match encoding {
        NumeralEncoding::Ascii => "ascii",
        NumeralEncoding::Ebcdic => "ebcdic",
        NumeralEncoding::Bcd => "bcd",
        NumeralEncoding::Binary => "binary",
    }
}

/// How it says a field; `None` where it cannot.
fn their_field(field: u8, spec: &FieldSpec) -> Option<Json> {
    let signed_or_track = matches!(spec.kind, FieldType::SignedAmount | FieldType::Track);
    let encoding = match spec.encoding {
        Encoding::Bcd if signed_or_track => return None,
        Encoding::Ascii | Encoding::Hex => "ascii",
        Encoding::Ebcdic037 | Encoding::Ebcdic1047 => "ebcdic",
        Encoding::Bcd => "bcd",
        Encoding::Raw => "binary",
    };
    let prefix = match spec.length {
        LengthForm::Fixed => "fixed",
        LengthForm::Ll => "LLVAR",
        LengthForm::Lll => "LLLVAR",
        LengthForm::Llll => "LLLLVAR",
        _ => return None,
    };
    Some(json!({
        "de": field, "name": "field", "type": "string", "length": spec.max, "prefix": prefix,
        "encoding": encoding, "prefix_encoding": numeral(spec.length_encoding),
    }))
}

fn their_spec(dialect: &Dialect) -> LoadedSpec {
    let fields = dialect.defined().iter();
    let fields = fields.filter_map(|field| their_field(field, dialect.spec(field)?));
    let text = json!({
        "version": "1987",
        "defaults": {
            "mti_encoding": numeral(dialect.mti_encoding()),
            "bitmap_encoding": match dialect.bitmap_encoding() {
                BitmapEncoding::Hex => "hex",
                BitmapEncoding::Binary => "binary",
            },
        },
        "fields": fields.collect::<Vec<_>>(),
    });
    iso8583_codec_rs::load_spec(&text.to_string()).unwrap()
}

/// The characters by which it knows a value.
fn characters(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => hex::encode_upper(bytes),
    }
}

proptest! {
    #[test]
    fn each_side_reads_what_the_other_wrote(
        (name, mti, set) in prop::sample::select(&DIALECTS[..]).prop_flat_map(|name| {
            any_message(&Dialect::shipped(name).unwrap())
                .prop_map(move |(mti, set)| (name, mti, set))
        })
    ) {
        let dialect = Dialect::shipped(name).unwrap();
        let spec = their_spec(&dialect);
        let known = |field: &u8| spec.get_field(u32::from(*field)).is_some();
        let set: Vec<_> = set.into_iter().filter(|(field, _)| known(field)).collect();
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&dialect, mti);
        let mut theirs = serde_json::Map::new();
        for (field, value) in &set {
            value.set(*field, &mut message);
            theirs.insert(format!("de{field:03}_field"), characters(value).into());
        }
        let mut ours = BytesMut::new();
        message.finish(&mut ours).unwrap();

        let read = iso8583_codec_rs::iso8583::parse_bytes(&ours, &spec).unwrap();
        prop_assert_eq!(read["mti"].as_str(), Some(&mti.to_string()[..]));
        prop_assert_eq!(read["fields"].as_object().unwrap().len(), set.len());
        for (field, value) in &set {
            let packed = dialect.spec(*field).unwrap().encoding == Encoding::Bcd;
            let expected = characters(value);
            let read = read["fields"][format!("de{field:03}_field")].as_str().unwrap();
            let odd = packed && read.len() == expected.len() + 1;
            let read = if odd { read.strip_prefix('0').unwrap() } else { read };
            prop_assert_eq!(read, expected, "field {} of {}", field, name);
        }

        let message = json!({ "mti": mti.to_string(), "fields": theirs });
        let written = iso8583_codec_rs::iso8583::publish_bytes(&message, &spec).unwrap();
        prop_assert_eq!(&written[..], &ours[..]);
        let mut fields = Fields::new();
        dialect.decode(&written, &mut fields).unwrap();
        prop_assert_eq!(fields.present(), set.iter().map(|(field, _)| *field).collect());
    }
}
