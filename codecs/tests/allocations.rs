//! What reading and writing ask of the allocator: nothing for a good message, in any dialect; and
//! for hostile bytes never more than four times what came in.

use allocation_counter::measure;
use bytes::BytesMut;
use codecs::emv::TlvList;
use codecs::framing::{Framing, HeaderForm, LengthHeader, Trailer};
use codecs::iso8583::{Dialect, Encoder, Fields, Mti};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use tokio_util::codec::Decoder;

mod sets;
use sets::{Value, any_message};

fn shipped() -> impl Iterator<Item = Dialect> {
    Dialect::shipped_names().map(|name| Dialect::shipped(name).unwrap())
}

/// Writes a message and reads it, the second time beside a counter.
fn assert_none(dialect: &Dialect, mti: Mti, set: &[(u8, Value)]) {
    let (mut encoder, mut fields, mut out) = (Encoder::new(), Fields::new(), BytesMut::new());
    let mut once = |out: &mut BytesMut| {
        out.clear();
        let mut message = encoder.start(dialect, mti);
        for (field, value) in set {
            value.set(*field, &mut message);
        }
        message.finish(out).unwrap();
    };
    once(&mut out);
    let writing = measure(|| once(&mut out));
    assert_eq!(writing.count_total, 0, "writing in {}", dialect.name());
    let reading = measure(|| dialect.decode(&out, &mut fields).unwrap());
    assert_eq!(reading.count_total, 0, "reading in {}", dialect.name());
    assert_eq!(fields.present().len() as usize, set.len());
}

#[test]
fn a_counter_is_at_work() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![0u8; 100]))).bytes_max, 100);
}

#[test]
fn reading_and_writing_allocate_nothing_in_any_dialect() {
    for dialect in shipped() {
        let mut runner = TestRunner::deterministic();
        for _ in 0..50 {
            let message = any_message(&dialect).new_tree(&mut runner).unwrap();
            let (mti, set) = message.current();
            assert_none(&dialect, mti, &set);
        }
    }
}

#[test]
fn looking_whether_sub_elements_are_good_allocates_nothing() {
    let text = |text: &str| Value::Text(text.into());
    let bytes = |text: &str| Value::Bytes(hex::decode(text).unwrap());
    // By place, by tag (one that the dialect does not know among them), by a bitmap.
    let table = [
        ("mip-like", 43, text("CORNER SHOP            SPRINGFIELD   USA")),
        ("mip-like", 48, text("T2001S9903ABC9203123")),
        ("mip-like", 61, text("10251000060008401234567890")),
        ("cmf-like", 43, bytes("4000000000000000044e414d45")),
    ];
    for (name, field, value) in table {
        let dialect = Dialect::shipped(name).unwrap();
        assert!(dialect.has_elements(field));
        assert_none(&dialect, Mti::AUTHORIZATION_REQUEST, &[(field, value)]);
    }
}

/// Peak of what is held meanwhile, against four times what came in.
fn assert_little(came_in: usize, what: &str, work: impl FnOnce()) {
    let held = measure(work).bytes_max;
    assert!(held <= 4 * came_in as u64, "{what}: {held} bytes for {came_in}");
}

fn hostile(dialects: &[Dialect], bytes: &[u8]) {
    let mut fields = Fields::new();
    for dialect in dialects {
        assert_little(bytes.len(), dialect.name(), || {
            let _ = std::hint::black_box(dialect.decode(bytes, &mut fields));
        });
    }
    assert_little(bytes.len(), "BER-TLV", || {
        let objects = TlvList::parse(bytes).into_iter().flatten();
        objects.for_each(|object| {
            std::hint::black_box(object.children()).ok();
        });
    });
}

proptest! {
    #[test]
    fn hostile_bytes_take_no_more_than_four_times_their_length(
        bytes in prop::collection::vec(any::<u8>(), 1..400),
        head in prop::sample::select(vec!["", "0100", "f0f1f0f0", "30313030", "30383030"]),
    ) {
        let head = hex::decode(head).unwrap();
        hostile(&shipped().collect::<Vec<_>>(), &[&head[..], &bytes].concat());
    }

    #[test]
    fn spoiled_messages_take_no_more_than_four_times_their_length(
        name in prop::sample::select(Dialect::shipped_names().collect::<Vec<_>>()),
        seed in any::<[u8; 32]>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let dialect = Dialect::shipped(name).unwrap();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
        let (mti, set) = any_message(&dialect).new_tree(&mut runner).unwrap().current();
        let (mut encoder, mut out) = (Encoder::new(), BytesMut::new());
        let mut message = encoder.start(&dialect, mti);
        set.iter().for_each(|(field, value)| value.set(*field, &mut message));
        message.finish(&mut out).unwrap();
        for (at, byte) in edits {
            let at = at.index(out.len());
            out[at] = byte;
        }
        hostile(&[dialect], &out);
    }

    /// A frame is as long as its length says, and that is at most `max_frame`.
    #[test]
    fn hostile_frames_take_no_more_than_four_times_the_longest(
        bytes in prop::collection::vec(any::<u8>(), 1..200),
        form in prop::sample::select(vec![
            LengthHeader::Binary2, LengthHeader::Binary4, LengthHeader::Ascii(4),
            LengthHeader::Bcd2, LengthHeader::None,
        ]),
        header in prop::sample::select(vec![
            HeaderForm::None, HeaderForm::Tpdu, HeaderForm::Station,
        ]),
        small in any::<bool>(),
    ) {
        prop_assume!(form != LengthHeader::None || header != HeaderForm::Station);
        let mut framing = Framing::new(form);
        framing.header = header;
        framing.trailer = if form == LengthHeader::None { Trailer::Etx } else { Trailer::None };
        framing.max_frame = 300;
        // Lengths that are likely to be announced and kept.
        let head: &[u8] = if small { b"\0\x0c" } else { b"" };
        let came_in = [head, &bytes].concat();
        let mut codec = framing.codec().unwrap();
        let mut source = BytesMut::from(&came_in[..]);
        assert_little(framing.max_frame.max(came_in.len()), "a frame", || {
            while let Ok(Some(frame)) = codec.decode(&mut source) {
                drop(frame);
            }
        });
    }
}
