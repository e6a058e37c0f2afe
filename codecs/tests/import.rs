//! Layouts of others: what is made of them compiles, says what it left out, and reads and writes
//! messages as the original says.

use bytes::BytesMut;
use codecs::import::{About, ImportError, Imported, from_jpos, from_moov};
use codecs::iso8583::{Dialect, Encoder, Fields, Mti, Version};
use proptest::prelude::*;

fn about() -> About {
    About { name: "imported".into(), version: Version::V1987 }
}

/// A packager file of the usual shape, with these elements behind message type and bitmap.
fn packager(head: &str, fields: &[(u8, u32, &str)]) -> String {
    let element = |(id, length, class): &(u8, u32, &str)| {
        format!(
            "<isofield id=\"{id}\" length=\"{length}\" name=\"field {id}\" pad=\"true\" \
             class=\"org.jpos.iso.{class}\"/>"
        )
    };
    let fields: String = fields.iter().map(element).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE isopackager PUBLIC \"-//x//EN\" \"generic.dtd\">\n\
         <isopackager>{head}{fields}</isopackager>"
    )
}

/// A packager file with these elements, whatever they are.
fn packager_with(head: &str, inner: &str) -> String {
    format!("<isopackager>{head}{inner}</isopackager>")
}

/// Message type and bitmap in these classes.
fn head(mti: &str, bitmap: &str) -> String {
    format!(
        "<isofield id=\"0\" length=\"4\" name=\"MTI\" class=\"org.jpos.iso.{mti}\"/>\
         <isofield id=\"1\" length=\"16\" name=\"bitmap\" class=\"org.jpos.iso.{bitmap}\"/>"
    )
}

/// Writes a message and reads it; its bytes behind the bitmap.
fn wire(imported: &Imported, set: &[(u8, &str)]) -> String {
    let dialect = Dialect::from_toml(&imported.toml).unwrap();
    let mut encoder = Encoder::new();
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_REQUEST);
    for (field, value) in set {
        match value.strip_prefix("hex ") {
            Some(bytes) => message.bytes(*field, &hex::decode(bytes).unwrap()).unwrap(),
            None => message.text(*field, value).unwrap(),
        }
    }
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    let mut fields = Fields::new();
    dialect.decode(&out, &mut fields).unwrap();
    let read = dialect.view(&out, &fields);
    let mut behind = Vec::new();
    for (field, value) in set {
        match value.strip_prefix("hex ") {
            Some(bytes) => {
                let mut room = [0; 100];
                assert_eq!(hex::encode(read.bytes(*field, &mut room).unwrap()), bytes);
            }
            None => assert_eq!(read.text(*field).unwrap(), **value),
        }
        behind.extend(read.raw(*field).unwrap());
    }
    hex::encode(behind)
}

#[test]
fn packagers_come_to_the_forms_that_their_classes_mean() {
    let bcd = head("IFB_NUMERIC", "IFB_BITMAP");
    let ascii = head("IFA_NUMERIC", "IFA_BITMAP");
    let ebcdic = head("IFE_NUMERIC", "IFB_BITMAP");
    let table = [
        (&bcd, 19, "IFB_LLNUM", "123", "030123"),
        (&bcd, 12, "IFB_NUMERIC", "000000001250", "000000001250"),
        (&bcd, 99, "IFB_LLCHAR", "AB", "024142"),
        (&bcd, 999, "IFB_LLLCHAR", "AB", "00024142"),
        (&bcd, 255, "IFB_LLHCHAR", "AB", "024142"),
        (&bcd, 255, "IFB_LLLHBINARY", "hex a1b2", "0002a1b2"),
        (&bcd, 99, "IFB_LLBINARY", "hex a1b2", "02a1b2"),
        (&bcd, 9, "IFB_AMOUNT", "D00000125", "4400000125"),
        (&bcd, 9, "IF_CHAR", "ABCDEFGHI", "414243444546474849"),
        (&ascii, 19, "IFA_LLNUM", "123", "3033313233"),
        (&ascii, 6, "IFA_NUMERIC", "000042", "303030303432"),
        (&ascii, 8, "IFA_BINARY", "hex 0102030405060708", &hex::encode("0102030405060708")),
        (&ascii, 999, "IFA_LLLCHAR", "AB", "3030324142"),
        (&ebcdic, 19, "IFE_LLNUM", "123", "f0f3f1f2f3"),
        (&ebcdic, 2, "IFE_CHAR", "A1", "c1f1"),
    ];
    for (head, length, class, value, wanted) in table {
        let imported = from_jpos(&packager(head, &[(48, length, class)]), &about()).unwrap();
        assert_eq!(imported.remarks, Vec::<String>::new(), "{class}");
        assert_eq!(wire(&imported, &[(48, value)]), wanted, "{class}");
    }
}

#[test]
fn what_is_not_known_is_left_out_and_said() {
    let file = packager(
        &head("IFB_NUMERIC", "IFB_BITMAP"),
        &[(3, 6, "IFB_NUMERIC"), (4, 12, "IFX_ODD"), (5, 0, "IF_NOP")],
    );
    let imported = from_jpos(&file, &about()).unwrap();
    assert_eq!(imported.remarks, ["field 4: class IFX_ODD is not known"]);
    let dialect = Dialect::from_toml(&imported.toml).unwrap();
    assert_eq!(dialect.defined().iter().collect::<Vec<_>>(), [3]);

    let headless = packager("", &[(3, 6, "IFB_NUMERIC")]);
    let error = from_jpos(&headless, &about()).unwrap_err();
    assert!(matches!(error, ImportError::Head { field: 0, .. }), "{error}");
    for wrong in ["", "<x/>", "<isopackager>", "{}"] {
        assert!(matches!(from_jpos(wrong, &about()), Err(ImportError::Malformed(_))), "{wrong}");
    }
}

const MOOV: &str = r#"{
  "name": "ISO 8583 of the usual shape",
  "fields": {
    "0": {"type": "String", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed"},
    "1": {"type": "Bitmap", "length": 8, "enc": "HexToASCII", "prefix": "Hex.Fixed"},
    "2": {"type": "String", "length": 19, "description": "PAN", "enc": "ASCII",
          "prefix": "ASCII.LL"},
    "3": {"type": "Numeric", "length": 6, "description": "Processing Code", "enc": "ASCII",
          "prefix": "ASCII.Fixed", "padding": {"type": "Left", "pad": "0"}},
    "35": {"type": "Track2", "length": 37, "description": "Track 2", "enc": "ASCII",
           "prefix": "ASCII.LL"},
    "43": {"type": "Composite", "length": 40, "description": "Acceptor", "prefix": "ASCII.Fixed",
           "tag": {"sort": "StringsByInt"}, "subfields": {"1": {"type": "Odd"}}},
    "52": {"type": "Binary", "length": 8, "description": "PIN", "enc": "Binary",
           "prefix": "Binary.Fixed"},
    "55": {"type": "Binary", "length": 255, "description": "ICC", "enc": "HexToASCII",
           "prefix": "ASCII.LLL"},
    "60": {"type": "String", "length": 99, "description": "", "enc": "LBCD", "prefix": "BCD.LL"},
    "61": {"type": "String", "length": 9, "enc": "Rot13", "prefix": "ASCII.LL"}
  }
}"#;

#[test]
fn specifications_come_to_the_forms_that_their_words_mean() {
    let imported = from_moov(MOOV, &about()).unwrap();
    assert_eq!(
        imported.remarks,
        [
            "field 43: what is within it is not imported",
            "field 61: String Rot13 ASCII.LL is not known"
        ]
    );
    let acceptor = "CORNER SHOP              SPRINGFIELD  US";
    let set = [
        (2, "9999991234"),
        (3, "000000"),
        (35, "9999991234=2912"),
        (43, acceptor),
        (52, "hex 0102030405060708"),
        (55, "hex 9f260102"),
        (60, "123"),
    ];
    let wanted = [
        &hex::encode("109999991234000000159999991234=2912"),
        &hex::encode(acceptor),
        "0102030405060708",
        &hex::encode("0049F260102"),
        "031230",
    ];
    assert_eq!(wire(&imported, &set), wanted.concat());
    for wrong in ["", "[]", "{}", r#"{"fields": {}}"#] {
        assert!(from_moov(wrong, &about()).is_err(), "{wrong}");
    }
}

/// The parts of a field of a message, by key.
fn parts_of(imported: &Imported, field: u8, value: &str) -> Vec<(String, String)> {
    let dialect = Dialect::from_toml(&imported.toml).unwrap();
    let mut encoder = Encoder::new();
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_REQUEST);
    message.text(field, value).unwrap();
    let mut out = BytesMut::new();
    message.finish(&mut out).unwrap();
    let mut fields = Fields::new();
    dialect.decode(&out, &mut fields).unwrap();
    let read = dialect.view(&out, &fields);
    let elements = read.elements(field).unwrap();
    elements.iter().map(|one| (one.key.to_string(), one.content.text().unwrap())).collect()
}

const WITHIN: &str = r#"{
  "fields": {
    "0": {"type": "String", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed"},
    "1": {"type": "Bitmap", "length": 8, "enc": "HexToASCII", "prefix": "Hex.Fixed"},
    "43": {"type": "Composite", "length": 40, "description": "Acceptor", "prefix": "ASCII.Fixed",
           "tag": {"sort": "StringsByInt"}, "subfields": {
             "1": {"type": "String", "length": 25, "description": "Name", "enc": "ASCII",
                   "prefix": "ASCII.Fixed"},
             "10": {"type": "String", "length": 2, "description": "Country", "enc": "ASCII",
                    "prefix": "ASCII.Fixed"},
             "2": {"type": "String", "length": 13, "description": "City", "enc": "ASCII",
                   "prefix": "ASCII.Fixed"}}},
    "48": {"type": "Composite", "length": 99, "description": "Private", "prefix": "ASCII.LLL",
           "tag": {"length": 2, "enc": "ASCII", "sort": "StringsByInt",
                   "padding": {"type": "Left", "pad": "0"}}, "subfields": {
             "1": {"type": "String", "length": 5, "description": "One", "enc": "ASCII",
                   "prefix": "ASCII.LL"},
             "17": {"type": "Numeric", "length": 9, "enc": "ASCII", "prefix": "ASCII.LL"}}}
  }
}"#;

#[test]
fn what_is_within_fields_is_imported_where_it_is_understood() {
    let part = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    let imported = from_moov(WITHIN, &about()).unwrap();
    assert_eq!(imported.remarks, Vec::<String>::new());
    let acceptor = "CORNER SHOP              SPRINGFIELD  US";
    let [name, city] = ["CORNER SHOP              ", "SPRINGFIELD  "];
    let wanted = [part("1", name), part("2", city), part("3", "US")];
    assert_eq!(parts_of(&imported, 43, acceptor), wanted);
    let wanted = [part("17", "0042"), part("01", "AB")];
    assert_eq!(parts_of(&imported, 48, "170400420102AB"), wanted);

    let within = |packager: &str, class: &str| {
        let head = head("IFA_NUMERIC", "IFA_BITMAP");
        let inner = format!(
            "<isofieldpackager id=\"60\" length=\"99\" name=\"p\" class=\"x.IFA_LLLCHAR\" \
             packager=\"org.jpos.iso.packager.{packager}\">\
             <isofield id=\"1\" length=\"3\" name=\"kind\" class=\"x.IFA_NUMERIC\"/>\
             <isofield id=\"4\" length=\"9\" name=\"rest\" class=\"x.{class}\"/>\
             </isofieldpackager>"
        );
        from_jpos(&packager_with(&head, &inner), &about()).unwrap()
    };
    let imported = within("GenericSubFieldPackager", "IFA_LLCHAR");
    assert_eq!(imported.remarks, Vec::<String>::new());
    assert_eq!(parts_of(&imported, 60, "12302XY"), [part("1", "123"), part("2", "XY")]);
    for (packager, class) in
        [("GenericPackager", "IFA_LLCHAR"), ("GenericSubFieldPackager", "IFX_ODD")]
    {
        let imported = within(packager, class);
        assert_eq!(imported.remarks, ["field 60: what is within it is not imported"]);
        assert!(!imported.toml.contains("[elements"));
    }
}

proptest! {
    #[test]
    fn any_file_is_imported_or_refused(
        text in "[ -~]{0,200}",
        inner in "[a-zA-Z0-9_<>\"=/. ]{0,80}",
    ) {
        let _ = from_jpos(&text, &about());
        let _ = from_moov(&text, &about());
        let _ = from_jpos(&format!("<isopackager>{inner}</isopackager>"), &about());
    }
}
