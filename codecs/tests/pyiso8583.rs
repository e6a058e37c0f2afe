//! Messages packed by pyiso8583, an independent codec: read value by value, and written again byte
//! for byte.

use std::collections::BTreeMap;

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, FieldType, Fields, Mti};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("vectors/pyiso8583.json")).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn field_values(vector: &Value) -> impl Iterator<Item = (u8, &str)> {
    let fields = vector["fields"].as_object().unwrap();
    fields.iter().map(|(field, value)| (field.parse().unwrap(), value.as_str().unwrap()))
}

#[test]
fn pyiso8583_and_this_codec_read_and_write_the_same_bytes() {
    let mut fields = Fields::new();
    let mut encoder = Encoder::new();
    let mut checked = BTreeMap::<String, [u32; 129]>::new();
    for vector in vectors() {
        let dialect = Dialect::shipped(vector["dialect"].as_str().unwrap()).unwrap();
        let wire = hex::decode(vector["wire"].as_str().unwrap().replace(':', "")).unwrap();
        let mti = Mti::parse(vector["mti"].as_str().unwrap()).unwrap();
        checked.entry(dialect.name().to_owned()).or_insert([0; 129]);

        dialect.decode(&wire, &mut fields).unwrap();
        let message = dialect.view(&wire, &fields);
        assert_eq!(message.mti(), Some(mti));
        let mut writer = encoder.start(&dialect, mti);
        let mut count = 0;
        for (field, value) in field_values(&vector) {
            if dialect.spec(field).unwrap().kind == FieldType::Binary {
                let mut buffer = [0; 10_000];
                let bytes = message.bytes(field, &mut buffer).unwrap();
                assert_eq!(hex::encode_upper(bytes), value, "field {field}");
                writer.bytes(field, bytes).unwrap();
            } else {
                assert_eq!(message.text(field).unwrap(), value, "field {field}");
                writer.text(field, value).unwrap();
            }
            count += 1;
            checked.get_mut(dialect.name()).unwrap()[usize::from(field)] += 1;
        }
        assert_eq!(message.present().len(), count, "no field more");
        let mut out = BytesMut::new();
        writer.finish(&mut out).unwrap();
        assert_eq!(hex::encode(&out), hex::encode(&wire));
    }
    assert_eq!(checked.len(), 6, "{:?}", checked.keys());
    for (name, counts) in checked {
        // That package takes 65 for a third bitmap.
        for field in Dialect::shipped(&name).unwrap().defined().iter().filter(|field| *field != 65)
        {
            assert!(counts[usize::from(field)] >= 2, "field {field} of {name}, long and short");
        }
    }
}
