//! The codec under criterion, for somebody who changes it: what each part costs in each of several
//! dialects, against a baseline that criterion keeps. Judges nothing: bounds are in `codec`, and
//! `instructions` says what a rise is.

#[path = "../codec/message.rs"]
mod message;

use std::hint::black_box;

use bytes::BytesMut;
use codecs::emv::TlvList;
use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Encoder, Fields, Mti};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio_util::codec::Decoder;

use self::message::{ascii, fields, packed, write};

fn dialects() -> [(&'static str, Dialect); 4] {
    let shipped = |name| Dialect::shipped(name).expect("shipped");
    [
        ("ascii", ascii()),
        ("hex", shipped("iso87-ascii")),
        ("bcd", packed()),
        ("ebcdic", shipped("iso87-ebcdic-037")),
    ]
}

fn wire(dialect: &Dialect) -> BytesMut {
    let mut out = BytesMut::new();
    write(dialect, &mut Encoder::new(), &fields(), &mut out);
    out
}

fn messages(criterion: &mut Criterion) {
    for (name, dialect) in dialects() {
        let (set, bytes) = (fields(), wire(&dialect));
        let (mut read, mut encoder, mut out) = (Fields::new(), Encoder::new(), BytesMut::new());
        criterion.bench_function(&format!("decode/{name}"), |bencher| {
            bencher.iter(|| dialect.decode(black_box(&bytes), &mut read));
        });
        criterion.bench_function(&format!("encode/{name}"), |bencher| {
            bencher.iter(|| write(&dialect, &mut encoder, black_box(&set), &mut out));
        });
        let request = dialect.view(&bytes, &read);
        criterion.bench_function(&format!("answer/{name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                let mut answer = encoder.start(&dialect, Mti::AUTHORIZATION_RESPONSE);
                answer.echo_answer_fields(black_box(&request)).expect("of the same dialect");
                answer.text(39, "00").expect("it fits");
                answer.finish(&mut out).expect("it is short");
            });
        });
        criterion.bench_function(&format!("amount/{name}"), |bencher| {
            bencher.iter(|| black_box(&request).number(4));
        });
    }
}

fn within_fields(criterion: &mut Criterion) {
    let dialect = Dialect::shipped("mip-like").expect("shipped");
    let (mut encoder, mut bytes) = (Encoder::new(), BytesMut::new());
    let mut message = encoder.start(&dialect, Mti::AUTHORIZATION_REQUEST);
    message.text(48, "T2001S9903ABC").expect("it fits");
    message.text(61, "10251000060008401234567890").expect("it fits");
    message.finish(&mut bytes).expect("it is short");
    let mut read = Fields::new();
    criterion.bench_function("sub-elements/mip-like", |bencher| {
        bencher.iter(|| dialect.decode(black_box(&bytes), &mut read));
    });
    let chip = hex::decode("9f2608010203040506070882021c009f360200429f1007060a0a03a4a000");
    let chip = chip.expect("hexadecimal");
    criterion.bench_function("tlv", |bencher| bencher.iter(|| TlvList::parse(black_box(&chip))));
}

fn frames(criterion: &mut Criterion) {
    let mut codec = Framing::new(LengthHeader::Binary2).codec().expect("it can work");
    let body = wire(&ascii());
    let mut stream = BytesMut::new();
    criterion.bench_function("frame", |bencher| {
        bencher.iter(|| {
            codec.append(None, black_box(&body), &mut stream).expect("it is short");
            codec.decode(&mut stream)
        });
    });
}

criterion_group!(benches, messages, within_fields, frames);
criterion_main!(benches);
