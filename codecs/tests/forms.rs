//! Forms of fields and bitmaps that no shipped dialect has in one place: lengths in every encoding,
//! what they count, EBCDIC, three bitmaps, bitmaps of fixed size.

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields, Mti, describe};

/// A dialect with these lines in front of its fields, and these fields; no others.
fn dialect(head: &str, fields: &[&str]) -> Dialect {
    let numbers: Vec<u8> =
        fields.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    let last = if head.contains("192") { 192 } else { 128 };
    let undefined: Vec<String> =
        (2..=last).filter(|field| !numbers.contains(field)).map(|f: u8| f.to_string()).collect();
    let text = format!(
        "name = \"test\"\nversion = \"1987\"\nmti = \"bcd\"\nlength = \"ascii\"\n{head}\n\
         undefined = [{}]\n[answers]\n[fields]\n{}\n",
        undefined.join(", "),
        fields.join("\n")
    );
    Dialect::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
}

const BINARY: &str = "bitmap = \"binary\"";

/// Writes one field, and gives its bytes on the wire.
fn written(dialect: &Dialect, field: u8, value: &str) -> String {
    let mut encoder = Encoder::new();
    let mut message = encoder.start(dialect, Mti::AUTHORIZATION_REQUEST);
    let binary = hex::decode(value.trim_start_matches("hex ")).unwrap_or_default();
    if value.starts_with("hex ") {
        message.bytes(field, &binary).unwrap();
    } else {
        message.text(field, value).unwrap();
    }
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    let mut fields = Fields::new();
    dialect.decode(&out, &mut fields).unwrap();
    let read = dialect.view(&out, &fields);
    let mut room = [0; 100];
    match read.text(field) {
        Ok(text) => assert_eq!(text, *value),
        Err(_) => assert_eq!(read.bytes(field, &mut room).unwrap(), binary),
    }
    hex::encode(read.raw(field).unwrap())
}

#[test]
fn lengths_are_written_in_every_encoding_and_count_what_they_are_said_to() {
    let table = [
        // (form of field 48, value, bytes on the wire)
        ("n', length = 'l', max = 9, encoding = 'ascii'", "12345", "353132333435"),
        ("n', length = 'llll', max = 50, encoding = 'ascii'", "12", "303030323132"),
        ("n', length = 'llllll', max = 50, encoding = 'ascii'", "12", "3030303030323132"),
        (
            "n', length = 'll', length_encoding = 'ebcdic', max = 50, encoding = 'ascii'",
            "12",
            "f0f23132",
        ),
        (
            "n', length = 'l', length_encoding = 'binary', max = 255, encoding = 'ascii'",
            "12",
            "023132",
        ),
        (
            "n', length = 'll', length_encoding = 'binary', max = 900, encoding = 'ascii'",
            "12",
            "00023132",
        ),
        ("n', length = 'l', length_encoding = 'bcd', max = 9, encoding = 'ascii'", "12", "023132"),
        (
            "n', length = 'lllll', length_encoding = 'bcd', max = 99, encoding = 'ascii'",
            "12",
            "0000023132",
        ),
        // Digits, packed: counted, or their bytes.
        (
            "n', length = 'll', max = 19, encoding = 'bcd', pad = 'left', nibble = '0'",
            "123",
            "30330123",
        ),
        (
            "n', length = 'll', max = 19, encoding = 'bcd', pad = 'right', nibble = '0'",
            "123",
            "30331230",
        ),
        (
            "n', length = 'll', max = 10, counts = 'bytes', encoding = 'bcd', \
             pad = 'left', nibble = 'f'",
            "123",
            "3032f123",
        ),
        (
            "n', length = 'll', max = 10, counts = 'bytes', encoding = 'bcd', \
             pad = 'right', nibble = 'f'",
            "123",
            "3032123f",
        ),
        (
            "n', length = 'll', max = 10, counts = 'bytes', encoding = 'bcd', \
             pad = 'left', nibble = '0'",
            "1234",
            "30321234",
        ),
        (
            "z', length = 'll', max = 19, counts = 'bytes', encoding = 'bcd', \
             pad = 'right', nibble = 'f'",
            "12=34",
            "303312d34f",
        ),
        // Bytes, in hexadecimal: characters counted, or bytes.
        ("b', length = 'll', max = 20, encoding = 'hex'", "hex a1b2", "303441314232"),
        (
            "b', length = 'll', max = 20, counts = 'bytes', encoding = 'hex'",
            "hex a1b2",
            "303241314232",
        ),
        (
            "b', length = 'fixed', max = 2, counts = 'bytes', encoding = 'hex'",
            "hex a1b2",
            "41314232",
        ),
        ("b', length = 'll', max = 20, encoding = 'raw'", "hex a1b2", "3032a1b2"),
        // EBCDIC: the two code pages differ in three characters.
        ("ans', length = 'fixed', max = 6, encoding = 'ebcdic-037'", "A[]^z9", "c1babbb0a9f9"),
        ("ans', length = 'fixed', max = 6, encoding = 'ebcdic-1047'", "A[]^z9", "c1adbd5fa9f9"),
        ("n', length = 'fixed', max = 4, encoding = 'ebcdic-037'", "0042", "f0f0f4f2"),
        ("x+n', length = 'fixed', max = 4, encoding = 'ebcdic-1047'", "D042", "c4f0f4f2"),
        ("z', length = 'll', max = 37, encoding = 'ebcdic-037'", "12=34", "3035f1f27ef3f4"),
    ];
    for (form, value, wire) in table {
        let form = form.replace('\'', "\"");
        let dialect = dialect(BINARY, &[&format!("48 = {{ name = \"x\", type = \"{form} }}")]);
        assert_eq!(written(&dialect, 48, value), wire, "{form}");
    }
}

#[test]
fn short_values_are_filled_in_the_code_of_the_field() {
    let dialect = dialect(
        BINARY,
        &[
            "3 = { name = \"x\", type = \"n\", length = \"fixed\", max = 4, \
             encoding = \"ebcdic-037\" }",
            "41 = { name = \"x\", type = \"ans\", length = \"fixed\", max = 4, \
             encoding = \"ebcdic-037\" }",
        ],
    );
    let mut encoder = Encoder::new();
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_REQUEST);
    message.text(3, "7").unwrap();
    message.text(41, "AB").unwrap();
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    assert_eq!(hex::encode(&out), "01002000000000800000f0f0f0f7c1c24040");
}

#[test]
fn long_ebcdic_is_read_and_a_byte_that_is_no_character_is_named() {
    let line = "48 = { name = \"x\", type = \"ans\", length = \"lll\", max = 999, \
     encoding = \"ebcdic-037\" }";
    let dialect = dialect(BINARY, &[line]);
    let long = "Z".repeat(999);
    assert_eq!(written(&dialect, 48, &long).len(), 2 * (3 + 999));
    let bytes = hex::decode("0100000000000001000030303 3c1 04c2".replace(' ', "")).unwrap();
    let error = dialect.decode(&bytes, &mut Fields::new()).unwrap_err().to_string();
    assert_eq!(
        error,
        "field 48 (x) at byte 10: expected 3 printable ASCII characters, found a control character \
         at byte 14"
    );
}

const FIELD: &str = "type = \"n\", length = \"fixed\", max = 1, encoding = \"ascii\" }";

fn wire_of(dialect: &Dialect, set: &[u8]) -> String {
    let mut encoder = Encoder::new();
    let mut message = encoder.start(dialect, Mti::AUTHORIZATION_REQUEST);
    for field in set {
        message.number(*field, u64::from(field % 10)).unwrap();
    }
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    let mut fields = Fields::new();
    dialect.decode(&out, &mut fields).unwrap();
    assert_eq!(fields.present().iter().collect::<Vec<_>>(), set);
    hex::encode(out)
}

#[test]
fn a_third_bitmap_is_announced_by_the_second() {
    let lines = [3, 66, 130, 192].map(|field| format!("{field} = {{ name = \"x\", {FIELD}"));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let three = dialect(&format!("{BINARY}\nbitmap_bits = 192"), &lines);
    assert_eq!(wire_of(&three, &[3]), "0100200000000000000033");
    assert_eq!(wire_of(&three, &[3, 66]), "0100a00000000000000040000000000000003336");
    assert_eq!(
        wire_of(&three, &[3, 130, 192]),
        "0100a000000000000000800000000000000040000000000000 01333032".replace(' ', "")
    );
    // Bit 65 set where there is no third bitmap: a field that nobody defined.
    let two = dialect(BINARY, &[&format!("3 = {{ name = \"x\", {FIELD}")]);
    let bytes = hex::decode("0100a000000000000000800000000000000033").unwrap();
    let error = two.decode(&bytes, &mut Fields::new()).unwrap_err();
    assert_eq!(error.field(), 65, "{error}");
}

#[test]
fn bitmaps_of_fixed_size_are_all_there_whatever_their_first_bits_say() {
    let lines = [3, 66].map(|field| format!("{field} = {{ name = \"x\", {FIELD}"));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let fixed = dialect(&format!("{BINARY}\nbitmap_fixed = true"), &lines);
    assert_eq!(wire_of(&fixed, &[3]), "01002000000000000000000000000000000033");
    assert_eq!(wire_of(&fixed, &[3, 66]), "0100200000000000000040000000000000003336");
    let marked = hex::decode("0100a00000000000000040000000000000003336").unwrap();
    let mut fields = Fields::new();
    fixed.decode(&marked, &mut fields).unwrap();
    assert_eq!(fields.present().iter().collect::<Vec<_>>(), [3, 66]);

    let one =
        "3 = { name = \"x\", type = \"n\", length = \"fixed\", max = 1, encoding = \"ascii\" }";
    let text = "name = \"t\"\nversion = \"1987\"\nmti = \"ebcdic\"\nlength = \"ascii\"\n\
                bitmap = \"hex\"\nbitmap_bits = 64\nundefined = [2, \"4-64\"]\n[answers]\n\
                [fields]\n";
    let single = Dialect::from_toml(&format!("{text}{one}")).unwrap();
    assert_eq!(wire_of(&single, &[3]), "f0f1f0f0".to_owned() + &hex::encode("20000000000000003"));
    let mut bytes = vec![0xF0, 0xF1, 0xF0, 0xF0];
    bytes.extend(b"A0000000000000003");
    let error = single.decode(&bytes, &mut Fields::new()).unwrap_err();
    assert_eq!(error.field(), 1, "there is no second bitmap to announce: {error}");
}

/// Keys and characters (or bytes) of what is in field 48.
fn parts(dialect: &Dialect, content: &str) -> Result<Vec<(String, String)>, String> {
    let content = hex::decode(content.replace(' ', "")).unwrap();
    let mut bytes = hex::decode("01000000000000010000").unwrap();
    bytes.extend(format!("{:03}", content.len()).into_bytes());
    bytes.extend(&content);
    let mut fields = Fields::new();
    dialect.decode(&bytes, &mut fields).map_err(|error| error.to_string())?;
    let elements = dialect.view(&bytes, &fields).elements(48).unwrap();
    let shown = elements.iter().map(|one| {
        let text = one.content.text().unwrap_or_else(|| hex::encode(one.content.as_bytes()));
        (one.key.to_string(), text)
    });
    Ok(shown.collect())
}

fn with_elements(elements: &str) -> Dialect {
    let text = format!(
        "name = \"test\"\nversion = \"1987\"\nmti = \"bcd\"\nlength = \"ascii\"\n{BINARY}\n\
         undefined = [\"2-47\", \"49-128\"]\n[answers]\n[fields]\n\
         48 = {{ name = \"data\", type = \"b\", length = \"lll\", max = 999, \
          encoding = \"raw\" }}\n\
         [elements.48]\n{elements}\n"
    );
    Dialect::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn sub_elements_by_place_end_with_the_field() {
    let form = "form = \"positional\"\nunknown = \"reject\"\nparts = [\n\
        { name = \"a\", type = \"n\", length = \"fixed\", max = 2, encoding = \"ascii\" },\n\
        { name = \"b\", type = \"ans\", length = \"ll\", max = 9, encoding = \"ascii\" },\n\
        { name = \"c\", type = \"n\", length = \"fixed\", max = 4, encoding = \"bcd\" }]";
    let dialect = with_elements(form);
    let all = parts(&dialect, "3132 3032 4142 0042").unwrap();
    assert_eq!(all, pairs(&[("1", "12"), ("2", "AB"), ("3", "0042")]));
    assert_eq!(parts(&dialect, "3132").unwrap(), pairs(&[("1", "12")]));
    let error = parts(&dialect, "3141").unwrap_err();
    assert_eq!(
        error,
        "field 48 (data), sub-element 1: expected 2 digits, found a letter at byte 14"
    );
    let error = parts(&dialect, "3132 3039 4142").unwrap_err();
    assert!(error.contains("sub-element 2: expected"), "{error}");
    let error = parts(&dialect, "3132 3032 4142 0042 00").unwrap_err();
    assert!(error.contains("sub-elements: expected the end"), "{error}");
}

#[test]
fn sub_elements_by_tag_pass_unknown_ones_or_refuse_them() {
    let form = |unknown: &str| {
        format!(
            "form = \"tagged\"\nprefix = 1\ntag = \"ascii\"\ntag_length = 2\nlength = \"ll\"\n\
             unknown = \"{unknown}\"\nparts = [{{ key = \"42\", name = \"x\", type = \"n\", \
             length = \"ll\", max = 3, encoding = \"ascii\" }}]"
        )
    };
    let (keep, reject) = (with_elements(&form("keep")), with_elements(&form("reject")));
    // T, 42 of three digits, 99 of two bytes, and 42 again.
    let content = "54 3432 3033 313233 3939 3032 0102 3432 3031 37";
    let wanted = pairs(&[("42", "123"), ("99", "0102"), ("42", "7")]);
    assert_eq!(parts(&keep, content).unwrap(), wanted);
    let error = parts(&reject, content).unwrap_err();
    assert_eq!(
        error,
        "field 48 (data), sub-element 99: expected a sub-element that the dialect describes, found \
         another at byte 21"
    );
    for cut in ["54 34", "54 3432", "54 3432 3033 3132", "54 3432 3034 31323334", "54 3432 3031 41"]
    {
        assert!(parts(&keep, cut).is_err(), "{cut}");
    }
    assert_eq!(parts(&keep, "54").unwrap(), pairs(&[]));
}

#[test]
fn sub_elements_by_bit_and_ber_tlv() {
    let part = |key: u8| {
        format!(
            "{{ key = \"{key}\", name = \"x\", type = \"n\", length = \"fixed\", max = 1, \
             encoding = \"ascii\" }}"
        )
    };
    let by_bit = with_elements(&format!(
        "form = \"bitmapped\"\nbitmap = \"binary\"\nbitmap_bytes = 2\nparts = [{}, {}]",
        part(1),
        part(16)
    ));
    assert_eq!(parts(&by_bit, "8001 37 38").unwrap(), pairs(&[("1", "7"), ("16", "8")]));
    assert_eq!(parts(&by_bit, "0001 38").unwrap(), pairs(&[("16", "8")]));
    assert!(parts(&by_bit, "4000 38").unwrap_err().contains("sub-element 2: expected"));
    assert!(parts(&by_bit, "8001 37").is_err() && parts(&by_bit, "80").is_err());
    assert!(parts(&by_bit, "8000 3737").unwrap_err().contains("the end of the message"));

    let by_hex = with_elements(&format!(
        "form = \"bitmapped\"\nbitmap = \"hex\"\nbitmap_bytes = 1\nparts = [{}]",
        part(1)
    ));
    assert_eq!(parts(&by_hex, "3830 37").unwrap(), pairs(&[("1", "7")]));
    let error = parts(&by_hex, "385A 37").unwrap_err();
    assert!(
        error.contains("expected 2 hexadecimal characters, found a letter at byte 14"),
        "{error}"
    );

    let ber = with_elements("form = \"ber-tlv\"");
    let found = parts(&ber, "9f2701 80 5f2a02 0978").unwrap();
    assert_eq!(found, pairs(&[("9F27", "80"), ("5F2A", "0978")]));
    let error = parts(&ber, "9f2702 80").unwrap_err();
    assert!(error.contains("expected BER-TLV, found the value has 2 bytes"), "{error}");
}

/// Whatever may hold a card's verification value is told by its length only.
#[test]
fn verification_values_are_not_shown() {
    // Bit 2 of what is within: card verification data, packed.
    for (name, mti, field, content) in [
        ("iso2003-binary", "2100", 49, "4000000000000000 9137"),
        ("cmf-like", "2100", 49, "4000000000000000 9137"),
        ("base1-like", "0100", 126, "0080000000000000 9137 000000000000000000000000000000000000"),
        ("iso87-bcd", "0100", 55, "9f2701 80 9f1f02 9137"),
    ] {
        let dialect = Dialect::shipped(name).unwrap();
        let mut encoder = Encoder::new();
        let mut message = encoder.start(&dialect, Mti::parse(mti).unwrap());
        message.bytes(field, &hex::decode(content.replace(' ', "")).unwrap()).unwrap();
        let mut out = BytesMut::new();
        message.finish(&mut out).unwrap();
        let mut fields = Fields::new();
        dialect.decode(&out, &mut fields).unwrap();
        let lines = describe(&dialect, &out, &fields);
        assert!(lines.iter().any(|line| line.path.starts_with(&field.to_string())), "{name}");
        for line in lines {
            assert!(!line.raw.contains("9137") && !line.value.contains("9137"), "{name}: {line:?}");
        }
    }
}
