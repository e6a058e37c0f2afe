//! Machine instructions that reading and writing one message take, counted by valgrind: the same on
//! a busy machine as on a quiet one. Compares with the counts committed beside this file, and fails
//! where one rose by more than 5 %. Must measure nothing else: what a nanosecond is, `codec` says.

mod callgrind;
#[path = "../codec/message.rs"]
mod message;

use std::hint::black_box;
use std::process::ExitCode;

use bytes::BytesMut;
use codecs::iso8583::{Dialect, Encoder, Fields};

use self::message::{ascii, fields, packed, write};

const BENCH: callgrind::Bench = callgrind::Bench {
    counted: &[
        "decode_ascii",
        "decode_bcd",
        "decode_ebcdic",
        "encode_ascii",
        "encode_bcd",
        "encode_ebcdic",
    ],
    expected: include_str!("expected.json"),
    expected_path: "codecs/benches/instructions/expected.json",
    report: "instructions.json",
    alike: None,
};

fn main() -> ExitCode {
    callgrind::main(&BENCH, run)
}

/// Does the work that is counted.
fn run(name: &str, calls: u64) {
    let dialect = match name.rsplit('_').next() {
        Some("ascii") => ascii(),
        Some("bcd") => packed(),
        _ => Dialect::shipped("iso87-ebcdic-037").expect("shipped"),
    };
    let set = fields();
    let (mut encoder, mut wire) = (Encoder::new(), BytesMut::new());
    write(&dialect, &mut encoder, &set, &mut wire);
    let mut read = Fields::new();
    let mut out = BytesMut::new();
    for _ in 0..calls {
        if name.starts_with("decode") {
            dialect.decode(black_box(&wire), &mut read).expect("readable");
            black_box(&read);
        } else {
            write(&dialect, &mut encoder, black_box(&set), &mut out);
            black_box(&out);
        }
    }
}
