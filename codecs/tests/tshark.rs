//! tshark, the packet analyser, reads frames that we wrote: 1987 in ASCII, length of two bytes in
//! front, on a port of our own. The packets are put into a file, so nothing is captured and no
//! right is needed.
//!
//! Left out is what tshark 4 reads otherwise than the standard's table has it, and then nothing of
//! what follows: any 36, letters in 34, 92 and 93, half of 53, 86 to 89 of 15 digits, empty fields.

use std::collections::BTreeMap;
use std::process::Command;

use bytes::BytesMut;
use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Encoder, FieldType, Fields};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

mod sets;
use sets::{Value, any_message};

const PORT: u16 = 8583;
const MESSAGES: usize = 200;
const SHOWN: usize = 90;
const NOT_READ: [u8; 9] = [34, 36, 53, 86, 87, 88, 89, 92, 93];

/// One IPv4 packet with a TCP segment, as a capture file has it.
fn packet(sequence: u32, payload: &[u8]) -> Vec<u8> {
    let total = u16::try_from(40 + payload.len()).unwrap();
    let mut ip = [0u8; 20];
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&total.to_be_bytes());
    ip[8..10].copy_from_slice(&[64, 6]);
    ip[12..20].copy_from_slice(&[127, 0, 0, 1, 127, 0, 0, 1]);
    let mut tcp = [0u8; 20];
    tcp[..2].copy_from_slice(&40_000u16.to_be_bytes());
    tcp[2..4].copy_from_slice(&PORT.to_be_bytes());
    tcp[4..8].copy_from_slice(&sequence.to_be_bytes());
    tcp[12..16].copy_from_slice(&[0x50, 0x18, 0x20, 0x00]);
    let size = u32::from(total).to_le_bytes();
    [&[0; 8][..], &size, &size, &ip, &tcp, payload].concat()
}

/// A capture file of IP packets without a link layer.
fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = 0xA1B2_C3D4u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 101, 0, 0, 0]);
    let mut sequence = 1;
    for frame in frames {
        file.extend(packet(sequence, frame));
        sequence += u32::try_from(frame.len()).unwrap();
    }
    file
}

/// What is said of each frame: the values by field, of each that has one; `MALFORMED` too.
fn told(file: &std::path::Path) -> Option<Vec<BTreeMap<String, String>>> {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(file)
        .args(["-d", &format!("tcp.port=={PORT},iso8583"), "-T", "json", "-J", "iso8583"])
        .args(["-o", "iso8583.len_endian:Big endian"])
        .args(["-o", "iso8583.charset:Digits represented as ASCII Characters"])
        .args(["-o", "iso8583.binencode:Bin data represented as Hex Ascii characters"])
        .output()
        .ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let packets: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let layer = |packet: &serde_json::Value| {
        let layer = packet["_source"]["layers"]["iso8583"].as_object().unwrap();
        let mut values = BTreeMap::new();
        for (name, value) in layer {
            let value = value.as_str().unwrap_or_default();
            values.insert(name.replace("iso8583.", ""), value.to_owned());
        }
        values
    };
    Some(packets.iter().map(layer).collect())
}

/// The value as it shows it: characters; binary in hexadecimal.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => hex::encode(bytes),
    }
}

/// It shows no more than 240 characters of a value, so no value has more: the long ones are of
/// variable length. It refuses spaces and punctuation in some fields, so letters stand there.
fn simplify(kind: FieldType, value: &mut Value) {
    match value {
        Value::Bytes(bytes) => bytes.truncate(SHOWN / 2),
        Value::Text(_) if kind == FieldType::Track => {}
        Value::Text(text) => {
            text.truncate(SHOWN);
            *text = text.replace(|c: char| !c.is_ascii_alphanumeric(), "X");
        }
    }
}

#[test]
fn tshark_reads_what_we_wrote_as_we_read_it() {
    let dialect = Dialect::shipped("iso87-ascii").unwrap();
    let codec = Framing::new(LengthHeader::Binary2).codec().unwrap();
    let mut runner = TestRunner::deterministic();
    let (mut encoder, mut fields) = (Encoder::new(), Fields::new());
    let (mut frames, mut sets) = (Vec::new(), Vec::new());
    for _ in 0..MESSAGES {
        let (mti, mut set) = any_message(&dialect).new_tree(&mut runner).unwrap().current();
        set.retain(|(field, value)| !NOT_READ.contains(field) && !shown(value).is_empty());
        for (field, value) in &mut set {
            simplify(dialect.spec(*field).unwrap().kind, value);
        }
        let mut body = BytesMut::new();
        let mut message = encoder.start(&dialect, mti);
        set.iter().for_each(|(field, value)| value.set(*field, &mut message));
        message.finish(&mut body).unwrap();
        dialect.decode(&body, &mut fields).unwrap();
        let mut frame = BytesMut::new();
        if codec.append(None, &body, &mut frame).is_err() {
            continue; // longer than a frame may be
        }
        frames.push(frame.to_vec());
        sets.push((mti.to_string(), set));
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("frames.pcap");
    std::fs::write(&file, capture(&frames)).unwrap();
    let Some(told) = told(&file) else {
        panic!("there is no tshark, which `make test` installs");
    };
    assert_eq!(told.len(), sets.len());
    for (told, (mti, set)) in told.iter().zip(&sets) {
        assert_eq!(told.get("mti"), Some(mti));
        let bits = told.keys().filter(|name| name.starts_with("bit")).count();
        assert_eq!(bits, set.len() + usize::from(told.contains_key("bit1")), "no field more");
        for (field, value) in set {
            let binary = dialect.spec(*field).unwrap().kind == FieldType::Binary;
            let theirs = told.get(&format!("bit{field}")).cloned().unwrap_or_default();
            let theirs = if binary { theirs.replace(':', "").to_lowercase() } else { theirs };
            assert_eq!(theirs, shown(value), "field {field}");
        }
    }
}
