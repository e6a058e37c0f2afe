//! The fuzzer's corpus, gone through by an ordinary compiler: what was found once stays found. What
//! must hold for any bytes is said beside the fuzz targets, and included from there.

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub)] // reachable there
mod checks;
mod sets;

use std::path::{Path, PathBuf};

use bytes::BytesMut;
use codecs::framing::Header;
use codecs::iso8583::{Dialect, Encoder, Mti};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use sets::{Value, any_message};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Every file of a target's corpus, whole and cut short anywhere.
fn replay(target: &str, check: fn(&[u8])) {
    let mut count = 0;
    for entry in std::fs::read_dir(corpus(target)).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        println!("{}", path.display());
        check(&bytes);
        let step = bytes.len() / 64 + 1;
        (0..bytes.len()).step_by(step).for_each(|end| check(&bytes[..end]));
        count += 1;
    }
    assert!(count > 0, "{target} has a corpus");
}

#[test]
fn frames_hold() {
    replay("frame", checks::frame);
}

#[test]
fn messages_hold() {
    replay("message", checks::message);
}

#[test]
fn tlv_holds() {
    replay("tlv", checks::tlv);
}

#[test]
fn packagers_hold() {
    replay("jpos", checks::jpos);
}

#[test]
fn specifications_hold() {
    replay("moov", checks::moov);
}

/// Holds a file of the corpus to what it is made of; writes it where `CARDSWITCH_WRITE_CORPUS` is
/// set.
fn put(target: &str, name: &str, parts: &[&[u8]]) {
    let path = corpus(target).join(name);
    if std::env::var_os("CARDSWITCH_WRITE_CORPUS").is_some() {
        std::fs::create_dir_all(corpus(target)).unwrap();
        std::fs::write(&path, parts.concat()).unwrap();
    }
    let found = std::fs::read(&path).unwrap_or_default();
    let again = "write it anew with CARDSWITCH_WRITE_CORPUS=1";
    assert!(found == parts.concat(), "{} is another: {again}", path.display());
}

#[test]
fn the_corpus_is_of_the_dialects_and_framings_of_today() {
    for (pick, name) in Dialect::shipped_names().enumerate() {
        let dialect = Dialect::shipped(name).unwrap();
        let mut runner = TestRunner::deterministic();
        for number in 1..=3 {
            let tree = any_message(&dialect).new_tree(&mut runner).unwrap();
            let (mti, set) = tree.current();
            let wire = written(&dialect, mti, &set[..set.len().min(4 * number)]);
            put("message", &format!("{name}-{number}"), &[&[pick as u8], &wire]);
        }
    }
    let within = [
        (
            "base1-like",
            62,
            Value::Bytes(hex::decode("c000000000000000c90000000000000042").unwrap()),
        ),
        ("mip-like", 43, Value::Text("CORNER SHOP            SPRINGFIELD   USA".into())),
        ("mip-like", 48, Value::Text("T2001S9903ABC".into())),
        ("cmf-like", 43, Value::Bytes(hex::decode("4000000000000000044e414d45").unwrap())),
    ];
    for (name, field, value) in within {
        let pick = Dialect::shipped_names().position(|shipped| shipped == name).unwrap();
        let mti = Mti::AUTHORIZATION_REQUEST;
        let wire = written(&Dialect::shipped(name).unwrap(), mti, &[(field, value)]);
        put("message", &format!("{name}-within-{field}"), &[&[pick as u8], &wire]);
    }
    frames_of_each_form();
    let chip = "9f2608010203040506070882021c009f360200429f1007060a0a03a4a000500431323334";
    let nested = "700f5f340101bf0c089f5a0131df200100";
    for (name, bytes) in [("chip", chip), ("nested", nested), ("padded", "00009a0326112300")] {
        put("tlv", name, &[&hex::decode(bytes).unwrap()]);
    }
    put("jpos", "ascii", &[JPOS.as_bytes()]);
    put("jpos", "packed", &[JPOS.replace("IFA_", "IFB_").as_bytes()]);
    put("moov", "ascii", &[MOOV.as_bytes()]);
    put("moov", "packed", &[MOOV.replace("ASCII.", "BCD.").as_bytes()]);
}

/// Two frames and a keep-alive in each form.
fn frames_of_each_form() {
    for form in 0..11u8 {
        for header in 0..4u8 {
            let framing = checks::framing(form, header);
            let codec = framing.codec().unwrap();
            let mut out = BytesMut::new();
            let own = Header::take(framing.header, &[&[22, 1, 2][..], &[0; 19]].concat());
            for body in ["0800", "a longer one"] {
                let _ = codec.append(own, body.as_bytes(), &mut out);
                codec.append_keep_alive(&mut out);
            }
            if !out.is_empty() {
                put("frame", &format!("{}-{header}", framing.length), &[&[form, header, 9], &out]);
            }
        }
    }
}

/// A message with every digit zero: nothing in a committed file may look like a card number.
fn written(dialect: &Dialect, mti: Mti, set: &[(u8, Value)]) -> BytesMut {
    let (mut encoder, mut out) = (Encoder::new(), BytesMut::new());
    let mut message = encoder.start(dialect, mti);
    for (field, value) in set {
        let within = dialect.has_elements(*field);
        match value {
            Value::Text(text) if !within => {
                let zeros = text.replace(|c: char| c.is_ascii_digit(), "0");
                Value::Text(zeros).set(*field, &mut message);
            }
            value => value.set(*field, &mut message),
        }
    }
    message.finish(&mut out).unwrap();
    out
}

const JPOS: &str = "<?xml version=\"1.0\"?>
<isopackager>
<isofield id=\"0\" length=\"4\" name=\"MTI\" class=\"org.jpos.iso.IFA_NUMERIC\"/>
<isofield id=\"1\" length=\"16\" name=\"bitmap\" class=\"org.jpos.iso.IFA_BITMAP\"/>
<isofield id=\"2\" length=\"19\" name=\"PAN\" pad=\"true\" class=\"org.jpos.iso.IFA_LLNUM\"/>
<isofield id=\"4\" length=\"12\" name=\"amount\" class=\"org.jpos.iso.IFA_NUMERIC\"/>
<isofield id=\"28\" length=\"9\" name=\"fee\" class=\"org.jpos.iso.IFA_AMOUNT\"/>
<isofield id=\"52\" length=\"8\" name=\"PIN\" class=\"org.jpos.iso.IFA_BINARY\"/>
<isofieldpackager id=\"48\" length=\"255\" name=\"data\" class=\"org.jpos.iso.IFA_LLLCHAR\"/>
</isopackager>
";

const MOOV: &str = r#"{"name": "a specification", "fields": {
"0": {"type": "String", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed"},
"1": {"type": "Bitmap", "length": 8, "enc": "HexToASCII", "prefix": "Hex.Fixed"},
"2": {"type": "String", "length": 19, "description": "PAN", "enc": "ASCII", "prefix": "ASCII.LL"},
"35": {"type": "Track2", "length": 37, "enc": "ASCII", "prefix": "ASCII.LL"},
"52": {"type": "Binary", "length": 8, "enc": "Binary", "prefix": "Binary.Fixed"},
"60": {"type": "String", "length": 99, "enc": "LBCD", "prefix": "BCD.LL"}}}
"#;
