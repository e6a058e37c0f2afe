//! What holds for any bytes: nothing panics, what was read is written and read again alike, and
//! never is more asked of the allocator than four times what came in. The fuzzer looks for
//! bytes for which it does not hold; the tests of `codecs` include this file and go through the
//! corpus with it.

use allocation_counter::measure;
use bytes::BytesMut;
use codecs::emv::{TlvList, TlvWriter};
use codecs::framing::{Frame, Framing, HeaderForm, LengthHeader, Trailer};
use codecs::import::{About, Imported, from_jpos, from_moov};
use codecs::iso8583::{Dialect, Encoder, FieldType, Fields, Message, Version, describe};
use std::sync::LazyLock;
use tokio_util::codec::Decoder;

/// Longest content of a field.
const ROOM: usize = 10_000;

static DIALECTS: LazyLock<Vec<Dialect>> = LazyLock::new(|| {
    Dialect::shipped_names().map(|name| Dialect::shipped(name).expect("shipped")).collect()
});

/// Does the work, which may hold four times `came_in` bytes at most.
fn bounded<T>(came_in: usize, work: impl FnOnce() -> T) -> T {
    let mut done = None;
    let held = measure(|| done = Some(work())).bytes_max;
    assert!(held <= 4 * came_in as u64, "{held} bytes held for {came_in} that came in");
    done.expect("done")
}

/// The first byte picks the dialect, the others are the message.
pub fn message(bytes: &[u8]) {
    let Some((pick, bytes)) = bytes.split_first() else { return };
    let dialects = &*DIALECTS;
    let dialect = &dialects[usize::from(*pick) % dialects.len()];
    let mut fields = Fields::new();
    let result = bounded(bytes.len(), || dialect.decode(bytes, &mut fields));
    let read = dialect.view(bytes, &fields);
    for field in read.present() {
        let raw = read.raw(field).expect("it is present");
        assert!(raw.ends_with(read.content(field).expect("it is present")));
        let _ = (read.number(field), read.elements(field));
    }
    let _ = describe(dialect, bytes, &fields);
    match result {
        Err(error) => {
            assert!(error.found_at() <= bytes.len() && error.offset() <= bytes.len());
            assert!(error.to_string().starts_with("field "));
        }
        Ok(()) => {
            assert_eq!(fields.present(), fields.announced());
            let once = written(dialect, &read);
            let mut again = Fields::new();
            dialect.decode(&once, &mut again).expect("what was written can be read");
            let reread = dialect.view(&once, &again);
            assert_eq!((reread.mti(), reread.present()), (read.mti(), read.present()));
            for field in read.present() {
                assert_eq!(value(&reread, field), value(&read, field), "field {field}");
            }
            assert_eq!(written(dialect, &reread), once);
        }
    }
}

/// A value as one asks for it.
fn value(message: &Message<'_>, field: u8) -> Vec<u8> {
    let mut room = [0; ROOM];
    match message.text(field) {
        Ok(text) => text.as_bytes().to_vec(),
        Err(_) => message.bytes(field, &mut room).expect("text or bytes").to_vec(),
    }
}

/// The same message from its values.
fn written(dialect: &Dialect, message: &Message<'_>) -> BytesMut {
    let mut encoder = Encoder::new();
    let mut writer = encoder.start(dialect, message.mti().expect("it was read"));
    for field in message.present() {
        let value = value(message, field);
        let binary = dialect.spec(field).is_some_and(|spec| spec.kind == FieldType::Binary);
        if binary { writer.bytes(field, &value) } else { writer.digits(field, &value) }
            .expect("what was read can be written");
    }
    let mut out = BytesMut::new();
    writer.finish(&mut out).expect("it is no longer than before");
    out
}

/// The first three bytes pick length, header and how the stream is cut; the others are the stream.
pub fn frame(bytes: &[u8]) {
    let Some(([form, header, cut], stream)) = bytes.split_first_chunk() else { return };
    let framing = framing(*form, *header);
    let whole = frames(&framing, &[stream]);
    let (front, behind) = stream.split_at(usize::from(*cut).min(stream.len()));
    assert_eq!(frames(&framing, &[front, behind]), whole, "however the segments fall");

    let codec = framing.codec().expect("it can work");
    for frame in &whole {
        // Too short for the header of its link, or sent back with a second header: it is not
        // written so.
        let rejected = frame.header.is_some_and(|header| header.reject_code().is_some());
        let headless = framing.header != HeaderForm::None && frame.header.is_none();
        if frame.body.is_empty() || rejected || headless {
            continue;
        }
        let mut out = BytesMut::new();
        codec.append(frame.header, &frame.body, &mut out).expect("it came in so");
        let again = frames(&framing, &[&out]);
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].body, frame.body);
    }
}

/// The framing that two bytes pick.
///
/// # Panics
/// Never.
#[must_use]
pub fn framing(form: u8, header: u8) -> Framing {
    let forms = [
        LengthHeader::Binary2,
        LengthHeader::Binary3,
        LengthHeader::Binary4,
        LengthHeader::Binary2Zero2,
        LengthHeader::Zero2Binary2,
        LengthHeader::Ascii(2),
        LengthHeader::Ascii(4),
        LengthHeader::Ascii(6),
        LengthHeader::Hex4,
        LengthHeader::Bcd2,
        LengthHeader::None,
    ];
    let headers = [HeaderForm::None, HeaderForm::Tpdu, HeaderForm::Station, HeaderForm::Echo(4)];
    let mut framing = Framing::new(forms[usize::from(form & 0x3F) % forms.len()]);
    let none = framing.length == LengthHeader::None;
    framing.inclusive = form & 0x40 != 0 && !none;
    framing.trailer = if form & 0x80 != 0 || none { Trailer::Etx } else { Trailer::None };
    // A station header has no place where only a byte ends a frame: see `Framing::check`.
    let any = headers[usize::from(header) % headers.len()];
    framing.header = if none && any == HeaderForm::Station { HeaderForm::None } else { any };
    framing.max_frame = if framing.length == LengthHeader::Ascii(2) { 90 } else { 300 };
    framing
}

/// All that comes out, up to the first fault.
fn frames(framing: &Framing, segments: &[&[u8]]) -> Vec<Frame> {
    let mut codec = framing.codec().expect("it can work");
    let mut source = BytesMut::new();
    let mut out = Vec::new();
    for segment in segments {
        source.extend_from_slice(segment);
        loop {
            let longest = framing.max_frame.max(source.len());
            match bounded(longest, || codec.decode(&mut source)) {
                Ok(Some(frame)) => {
                    let header = frame.header.map_or(0, |header| header.as_bytes().len());
                    assert!(frame.body.len() + header <= framing.max_frame);
                    out.push(frame);
                }
                Ok(None) => break,
                Err(_) => return out,
            }
        }
    }
    out
}

/// Objects, and what is within them.
pub fn tlv(bytes: &[u8]) {
    let Ok(list) = bounded(bytes.len(), || TlvList::parse(bytes)) else { return };
    let mut out = BytesMut::new();
    let mut writer = TlvWriter::new(&mut out);
    for object in list {
        assert!(object.raw.ends_with(object.value));
        walk(object.children().ok());
        writer.push(object.tag, object.value).expect("it came in so");
    }
    let again = TlvList::parse(&out).expect("what was written can be read");
    assert!(out.len() <= bytes.len(), "written in the shortest form");
    let pairs = |list: TlvList<'_>| {
        list.iter().map(|object| (object.tag, object.value.to_vec())).collect::<Vec<_>>()
    };
    assert_eq!(pairs(again), pairs(list));
}

/// As deep as it goes; that it ends is what is asked.
fn walk(list: Option<TlvList<'_>>) {
    for object in list.into_iter().flatten() {
        walk(object.children().ok());
    }
}

/// A packager file.
pub fn jpos(bytes: &[u8]) {
    import(bytes, from_jpos);
}

/// A specification.
pub fn moov(bytes: &[u8]) {
    import(bytes, from_moov);
}

fn import<E: std::fmt::Display>(
    bytes: &[u8],
    importer: impl Fn(&str, &About) -> Result<Imported, E>,
) {
    let text = String::from_utf8_lossy(bytes);
    let about = About { name: "fuzzed".into(), version: Version::V1987 };
    match importer(&text, &about) {
        Ok(imported) => {
            let dialect = Dialect::from_toml(&imported.toml).expect("what was made compiles");
            assert!(dialect.defined().len() <= 191);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
