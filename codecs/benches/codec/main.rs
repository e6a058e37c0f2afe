//! What reading and writing one message costs, beside a plain loop over the same bytes and beside
//! two other codecs in Rust. Prints a table, and writes `codec.json` where `BENCH_DIR` says.
//! Everything is measured by turns, and the median of the rounds counts.

mod codec_rs;
mod message;
mod plain;

use std::hint::black_box;
use std::time::Instant;

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields};
use iso8583_rs::iso8583::iso_spec::{new_msg, spec};
use serde_json::{Map, Value as Json};

use self::codec_rs::CodecRs;
use self::message::{Value, ascii, fields, packed, write};
use self::plain::Plain;

const ROUNDS: usize = 15;
/// What one round of a contender takes at least.
const ROUND_NANOS: u128 = 20_000_000;

struct Contender<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
    /// Calls of a round.
    calls: u32,
    nanos: Vec<f64>,
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, run: impl FnMut() + 'a) -> Contender<'a> {
        let mut run: Box<dyn FnMut() + 'a> = Box::new(run);
        let mut calls = 1;
        loop {
            let began = Instant::now();
            (0..calls).for_each(|_| run());
            if began.elapsed().as_nanos() >= ROUND_NANOS {
                return Contender { name, run, calls, nanos: Vec::new() };
            }
            calls *= 2;
        }
    }

    fn round(&mut self) {
        let began = Instant::now();
        (0..self.calls).for_each(|_| (self.run)());
        self.nanos.push(began.elapsed().as_nanos() as f64 / f64::from(self.calls));
    }

    /// Median, least and most.
    fn spread(&self) -> (f64, f64, f64) {
        let mut sorted = self.nanos.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        (sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1])
    }
}

fn main() {
    let set = fields();
    let (ascii, packed) = (ascii(), packed());
    let wire = |dialect: &Dialect| {
        let mut out = BytesMut::new();
        write(dialect, &mut Encoder::new(), &set, &mut out);
        out.to_vec()
    };
    let (ascii_wire, packed_wire) = (wire(&ascii), wire(&packed));
    assert_eq!(ascii_wire.len(), 354);
    let mut contenders = contenders(&set, [(&ascii, &ascii_wire), (&packed, &packed_wire)]);
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            contenders.iter_mut().for_each(Contender::round);
        } else {
            contenders.iter_mut().rev().for_each(Contender::round);
        }
    }
    report(&contenders);
}

fn contenders<'a>(
    set: &'a [(u8, Value)],
    [(ascii, ascii_wire), (packed, packed_wire)]: [(&'a Dialect, &'a Vec<u8>); 2],
) -> Vec<Contender<'a>> {
    let plain = Plain::new();
    let again = Plain::new();
    let mut spans = [(0, 0); 65];
    let mut copied = Vec::new();
    let mut spans_too = spans;
    let decode = |dialect: &'a Dialect, wire: &'a [u8]| {
        let mut fields = Fields::new();
        move || {
            dialect.decode(black_box(wire), &mut fields).expect("readable");
            black_box(&fields);
        }
    };
    let encode = |dialect: &'a Dialect| {
        let (mut encoder, mut out) = (Encoder::new(), BytesMut::new());
        move || {
            write(dialect, &mut encoder, black_box(set), &mut out);
            black_box(&out);
        }
    };
    let peer = spec("");
    let (text, plain_set) = peer_message(set);
    let peer_set = plain_set;
    let other = CodecRs::new(ascii, set);
    let writer = CodecRs::new(ascii, set);
    vec![
        Contender::new("copy_through_decode", move || {
            black_box(plain.decode(black_box(ascii_wire), &mut spans)).expect("readable");
        }),
        Contender::new("copy_through_encode", move || {
            again.copy_through(black_box(ascii_wire), &mut spans_too, &mut copied).expect("whole");
            black_box(&copied);
        }),
        Contender::new("decode_ascii", decode(ascii, ascii_wire)),
        Contender::new("decode_bcd", decode(packed, packed_wire)),
        Contender::new("encode_ascii", encode(ascii)),
        Contender::new("encode_bcd", encode(packed)),
        Contender::new("iso8583_rs_decode", move || {
            black_box(peer.parse(black_box(&mut text.clone()))).expect("readable");
        }),
        Contender::new("iso8583_rs_encode", move || {
            let segment = peer.get_message_from_header("0100").expect("known");
            let mut message = new_msg(peer, segment);
            message.set("message_type", "0100").expect("set");
            for (field, value) in &peer_set {
                message.set_on(u32::from(*field), value).expect("set");
            }
            black_box(message.assemble()).expect("whole");
        }),
        Contender::new("iso8583_codec_rs_decode", move || {
            black_box(other.decode(black_box(ascii_wire)));
        }),
        Contender::new("iso8583_codec_rs_encode", move || {
            black_box(writer.encode());
        }),
    ]
}

/// The message as the peer can have it: binary fields in hexadecimal characters.
fn peer_message(set: &[(u8, Value)]) -> (Vec<u8>, Vec<(u8, String)>) {
    let text = Dialect::shipped_toml("iso87-ascii").expect("shipped");
    let text = text.replace("bitmap = \"hex\"", "bitmap = \"binary\"");
    let dialect = Dialect::from_toml(&text).expect("a dialect");
    // Its field 55 has room for 127 bytes.
    let short = set.iter().cloned().map(|(field, value)| match value {
        Value::Bytes(bytes) => (field, Value::Bytes(bytes.into_iter().take(127).collect())),
        value @ Value::Text(_) => (field, value),
    });
    let short: Vec<_> = short.collect();
    let mut out = BytesMut::new();
    write(&dialect, &mut Encoder::new(), &short, &mut out);
    let characters = short.into_iter().map(|(field, value)| match value {
        Value::Text(text) => (field, text.to_owned()),
        Value::Bytes(bytes) => (field, hex::encode_upper(bytes)),
    });
    (out.to_vec(), characters.collect())
}

/// The table, the ratios, and the file.
fn report(contenders: &[Contender<'_>]) {
    let median = |name: &str| {
        let found = contenders.iter().find(|contender| contender.name == name);
        found.map_or(f64::NAN, |contender| contender.spread().0)
    };
    println!("{:24} {:>8}  least-most of {ROUNDS} rounds, ns", "", "ns");
    for contender in contenders {
        let (middle, least, most) = contender.spread();
        println!("{:24} {middle:8.1}  [{least:.1}-{most:.1}]", contender.name);
    }
    let mut json = Map::new();
    for contender in contenders {
        json.insert(format!("{}_ns", contender.name), contender.spread().0.into());
    }
    for (ours, yardstick, most) in [
        ("decode_ascii", "copy_through_decode", 1.6),
        ("decode_bcd", "copy_through_decode", 1.6),
        ("encode_ascii", "copy_through_encode", 2.3),
        ("encode_bcd", "copy_through_encode", 2.3),
    ] {
        let ratio = median(ours) / median(yardstick);
        let verdict = if ratio <= most { "PASS" } else { "FAIL" };
        println!("{verdict}  {ours} / {yardstick}: {ratio:.2} (at most {most})");
        json.insert(format!("{ours}_ratio"), ratio.into());
    }
    let peers = ["iso8583_rs_decode", "iso8583_codec_rs_decode"];
    let fastest = peers.into_iter().min_by(|a, b| median(a).total_cmp(&median(b)));
    let fastest = fastest.expect("there are peers");
    let lead = median(fastest) / median("decode_ascii");
    let verdict = if lead >= 10.0 { "PASS" } else { "FAIL" };
    println!("{verdict}  {fastest} / decode_ascii: {lead:.1} (at least 10)");
    let names = [
        ("decode_ns_ascii", "decode_ascii"),
        ("decode_ns_bcd", "decode_bcd"),
        ("encode_ns_ascii", "encode_ascii"),
        ("encode_ns_bcd", "encode_bcd"),
    ];
    for (member, name) in names {
        json.insert(member.into(), median(name).into());
    }
    let directory = std::env::var("BENCH_DIR").unwrap_or_else(|_| "target/bench".into());
    let path = std::path::Path::new(&directory).join("codec.json");
    let text = serde_json::to_string_pretty(&Json::Object(json)).expect("JSON");
    let written = std::fs::create_dir_all(&directory).and_then(|()| std::fs::write(&path, text));
    written.expect("the report can be written");
    println!("written: {}", path.display());
}
