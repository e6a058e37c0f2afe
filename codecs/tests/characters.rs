//! Which byte may stand where: every byte in every place of a field, in every type and encoding and
//! for every length, with other fields in front and behind. The decoder looks at several bytes at a
//! time, so a byte's neighbours must make no difference.

use codecs::iso8583::{Dialect, Fields};

/// MTI 0100 packed, a bitmap of 47, 48 and 49; 47 is 8 bytes and 49 one byte, of any value.
const HEAD: [u8; 10] = [0x01, 0x00, 0, 0, 0, 0, 0, 0x03, 0x80, 0];
const AROUND: [u8; 2] = [0x00, 0xFF];

/// Each type and encoding, and which bytes of one character it admits.
type Row = (&'static str, &'static str, fn(u8) -> bool);

const ROWS: [Row; 11] = [
    ("n", "ascii", |byte| byte.is_ascii_digit()),
    ("a", "ascii", letter),
    ("an", "ascii", |byte| byte.is_ascii_digit() || letter(byte)),
    ("ans", "ascii", |byte| (b' '..=b'~').contains(&byte)),
    ("z", "ascii", |byte| byte.is_ascii_digit() || b"=Dd".contains(&byte)),
    ("b", "hex", |byte| byte.is_ascii_hexdigit()),
    ("b", "raw", |_| true),
    ("n", "ebcdic-037", |byte| (0xF0..=0xF9).contains(&byte)),
    ("a", "ebcdic-1047", ebcdic_letter),
    ("n", "bcd", |byte| byte >> 4 <= 9 && byte & 0x0F <= 9),
    ("z", "bcd", |byte| [byte >> 4, byte & 0x0F].iter().all(|half| *half <= 9 || *half == 0xD)),
];

fn letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b' '
}

fn ebcdic_letter(byte: u8) -> bool {
    matches!(byte, 0x40 | 0x81..=0x89 | 0x91..=0x99 | 0xA2..=0xA9)
        || matches!(byte, 0xC1..=0xC9 | 0xD1..=0xD9 | 0xE2..=0xE9)
}

fn dialect(kind: &str, encoding: &str) -> Dialect {
    let pad = if encoding == "bcd" { ", pad = 'right', nibble = 'f'" } else { "" };
    let text = format!(
        "name = 'test'\nversion = '1987'\nmti = 'bcd'\nbitmap = 'binary'\nbitmap_bits = 64\n\
         length = 'ascii'\nundefined = ['2-46', '50-64']\n[answers]\n[fields]\n\
         47 = {{ name = 'in front', type = 'b', length = 'fixed', max = 8, encoding = 'raw' }}\n\
         48 = {{ name = 'it', type = '{kind}', length = 'll', max = 98, \
         encoding = '{encoding}'{pad} }}\n\
         49 = {{ name = 'behind', type = 'b', length = 'fixed', max = 1, encoding = 'raw' }}\n"
    );
    Dialect::from_toml(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// A message whose field 48 is `content`.
fn message(content: &[u8], characters: usize, around: u8) -> Vec<u8> {
    let length = format!("{characters:02}");
    [&HEAD[..], &[around; 8], length.as_bytes(), content, &[around]].concat()
}

#[test]
fn every_byte_in_every_place_is_admitted_or_refused_whatever_is_around_it() {
    let mut fields = Fields::new();
    for (kind, encoding, admits) in ROWS {
        let dialect = dialect(kind, encoding);
        let packed = usize::from(encoding == "bcd") + 1;
        let good = (0..=255).rev().find(|byte| admits(*byte)).unwrap();
        for length in (0..=9).chain([12, 15, 16, 17, 24, 25]) {
            if encoding == "hex" && length % 2 == 1 {
                continue;
            }
            let mut content = vec![good; length];
            for place in 0..length.max(1) {
                for byte in 0..=255 {
                    let wrong = length > 0 && !admits(byte);
                    if let Some(slot) = content.get_mut(place) {
                        *slot = byte;
                    }
                    for around in AROUND {
                        let bytes = message(&content, length * packed, around);
                        let result = dialect.decode(&bytes, &mut fields);
                        let row = (kind, encoding, length, place, byte, around);
                        assert_eq!(result.is_err(), wrong, "{row:02X?} {result:?}");
                        assert_eq!(fields.present().contains(48), !wrong, "{row:02X?}");
                        assert!(fields.present().contains(47) && fields.present().contains(49));
                        if let Err(error) = result {
                            assert_eq!(error.found_at(), HEAD.len() + 10 + place, "{row:02X?}");
                        }
                    }
                }
                content.fill(good);
            }
        }
    }
}

#[test]
fn an_odd_packed_digit_is_filled_up_as_the_dialect_says_and_no_other_way() {
    let mut fields = Fields::new();
    for kind in ["n", "z"] {
        let dialect = dialect(kind, "bcd");
        for digits in (1..=31).step_by(2) {
            for last in 0..=255u8 {
                let mut content = vec![0x12; digits / 2];
                content.push(last);
                let digit = last >> 4 <= 9 || kind == "z" && last >> 4 == 0xD;
                let good = digit && last & 0x0F == 0xF;
                let result = dialect.decode(&message(&content, digits, 0xFF), &mut fields);
                assert_eq!(result.is_ok(), good, "{kind} {digits} {last:02X} {result:?}");
            }
        }
    }
}
