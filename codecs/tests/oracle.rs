//! iso8583_rs, an independent codec, as a peer: each side reads what the other wrote. It gets
//! well-formed messages only, since it panics on others; that is why it is never on the wire.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields};
use iso8583_rs::iso8583::iso_spec::{new_msg, spec};
use proptest::prelude::*;

mod sets;
use sets::{Value, any_message};

/// The ASCII dialect with a binary bitmap, the only one that iso8583_rs knows.
fn dialect() -> Dialect {
    let text = Dialect::shipped_toml("iso87-ascii").unwrap();
    assert!(text.contains("bitmap = \"hex\""));
    Dialect::from_toml(&text.replace("bitmap = \"hex\"", "bitmap = \"binary\"")).unwrap()
}

/// The characters on the wire: binary fields are hexadecimal in this dialect.
fn characters(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => hex::encode_upper(bytes),
    }
}

proptest! {
    #[test]
    fn each_side_reads_what_the_other_wrote((mti, set) in any_message(&dialect())) {
        let dialect = dialect();
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&dialect, mti);
        let oracle = spec("");
        let segment = oracle.get_message_from_header(&mti.to_string()).unwrap();
        let mut theirs = new_msg(oracle, segment);
        theirs.set("message_type", &mti.to_string()).unwrap();
        for (field, value) in &set {
            value.set(*field, &mut message);
            theirs.set_on(u32::from(*field), &characters(value)).unwrap();
        }
        let mut ours = BytesMut::new();
        message.finish(&mut ours).unwrap();

        let read = oracle.parse(&mut ours.to_vec()).unwrap();
        for (field, value) in &set {
            let theirs = read.bmp_child_value(u32::from(*field)).unwrap();
            prop_assert_eq!(theirs, characters(value), "field {}", field);
        }

        let written = theirs.assemble().unwrap();
        prop_assert_eq!(&written[..], &ours[..]);
        let mut fields = Fields::new();
        dialect.decode(&written, &mut fields).unwrap();
        prop_assert_eq!(fields.present(), set.iter().map(|(field, _)| *field).collect());
    }
}
