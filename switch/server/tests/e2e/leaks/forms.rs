//! Every form in which a value could lie somewhere, and the search for all of them in one pass.
//! Must know nothing of where is searched.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

/// The shortest form that is searched for: shorter ones stand anywhere by chance.
const SHORTEST: usize = 7;

/// Values by what they are called, in all forms.
#[derive(Default)]
pub(crate) struct Wanted {
    names: Vec<String>,
    forms: Vec<Vec<u8>>,
    known: BTreeSet<Vec<u8>>,
}

/// The search for values in any number of places.
pub(crate) struct Search {
    names: Vec<String>,
    forms: AhoCorasick,
    longest: usize,
}

impl Wanted {
    /// A value of characters: a track, a number, a PIN in the words around it.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        let mut ways = vec![value.to_owned()];
        if value.contains('=') {
            ways.extend([value.replace('=', "D"), value.replace('=', "d")]);
        }
        for way in ways {
            self.bytes(name, way.as_bytes());
            self.bytes(name, &ebcdic(&way));
        }
        let nibbles: Option<Vec<u8>> = value.chars().map(nibble).collect();
        if let Some(nibbles) = nibbles {
            // From the first digit on, and with the first digit in the byte before.
            for from in [0, 1] {
                let pairs = nibbles.get(from..).unwrap_or_default().chunks_exact(2);
                let packed: Vec<u8> = pairs.map(|pair| pair[0] << 4 | pair[1]).collect();
                self.bytes(name, &packed);
            }
        }
    }

    /// A value of bytes: as they are, in hexadecimal digits of either case, and in base64 wherever
    /// it begins.
    pub(crate) fn bytes(&mut self, name: &str, value: &[u8]) {
        let digits = [hex::encode(value), hex::encode_upper(value)];
        let forms = [value.to_vec()].into_iter().chain(digits.map(String::into_bytes));
        for form in forms.chain((0..3).map(|shift| base64(value, shift))) {
            if form.len() >= SHORTEST && self.known.insert(form.clone()) {
                self.names.push(name.to_owned());
                self.forms.push(form);
            }
        }
    }

    /// A clear PIN, in its block and in words.
    pub(crate) fn pin(&mut self, pin: &str, pan: &str) {
        let field = format!("{:F<16}", format!("0{}{pin}", pin.len()));
        let field = hex::decode(field).expect("digits");
        let number = hex::decode(format!("0000{}", &pan[pan.len() - 13..pan.len() - 1]));
        let number = number.expect("digits");
        let together: Vec<u8> = field.iter().zip(number).map(|(a, b)| a ^ b).collect();
        self.bytes("clear PIN field", &field);
        self.bytes("clear PIN block", &together);
        for before in ["pin=", "PIN ", "pin: ", "\"pin\":\""] {
            self.text("clear PIN", &format!("{before}{pin}"));
        }
    }

    /// A printed code, with what would stand before it.
    pub(crate) fn code(&mut self, name: &str, pan: &str, code: &str) {
        for before in ["cvv2=", "cvv2: ", "\"cvv2\":\"", "\"cvv\":\"", "code=\"", pan] {
            self.text(name, &format!("{before}{code}"));
        }
    }

    pub(crate) fn search(self) -> Search {
        let longest = self.forms.iter().map(Vec::len).max().unwrap_or(0);
        let forms = AhoCorasick::new(&self.forms).expect("forms");
        Search { names: self.names, forms, longest }
    }
}

impl Search {
    /// By how much two pieces of one place have to overlap.
    pub(crate) const fn overlap(&self) -> usize {
        self.longest
    }

    /// Which values lie in these bytes.
    pub(crate) fn found(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let found = self.forms.find_overlapping_iter(bytes);
        found.map(|one| self.names[one.pattern().as_usize()].as_str()).collect()
    }
}

fn nibble(character: char) -> Option<u8> {
    match character {
        '0'..='9' => Some(character as u8 - b'0'),
        '=' => Some(0x0D),
        _ => None,
    }
}

/// Digits, letters and the signs of tracks in EBCDIC; the code pages agree on all but the caret.
fn ebcdic(text: &str) -> Vec<u8> {
    let letter = |from: char, base: u8, character: char| base + (character as u8 - from as u8);
    text.chars()
        .map(|character| match character {
            '0'..='9' => letter('0', 0xF0, character),
            'A'..='I' => letter('A', 0xC1, character),
            'J'..='R' => letter('J', 0xD1, character),
            'S'..='Z' => letter('S', 0xE2, character),
            'a'..='i' => letter('a', 0x81, character),
            'j'..='r' => letter('j', 0x91, character),
            's'..='z' => letter('s', 0xA2, character),
            '=' => 0x7E,
            '/' => 0x61,
            ' ' => 0x40,
            '^' => 0xB0,
            other => other as u8,
        })
        .collect()
}

/// The characters of base64 that these bytes alone decide, with so many bytes before them.
fn base64(bytes: &[u8], shift: usize) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let before = std::iter::repeat_n(0, shift);
    let bits: Vec<u8> = before
        .chain(bytes.iter().copied())
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let whole = bits.chunks_exact(6).skip((shift * 8).div_ceil(6));
    whole
        .map(|six| DIGITS[six.iter().fold(0, |number, bit| number << 1 | usize::from(*bit))])
        .collect()
}

#[test]
fn every_form_of_a_value_is_found() {
    let track = "9999991299990017=49122010000012345";
    let mut wanted = Wanted::default();
    wanted.text("track", track);
    wanted.bytes("block", &[0x1F, 0x80, 0xFF, 0x00, 0x12, 0x34, 0x56, 0x78]);
    let search = wanted.search();
    let packed: Vec<u8> = vec![
        0x99, 0x99, 0x99, 0x12, 0x99, 0x99, 0x00, 0x17, 0xD4, 0x91, 0x22, 0x01, 0x00, 0x00, 0x01,
        0x23, 0x45,
    ];
    let shifted: Vec<u8> = vec![
        0x29, 0x99, 0x99, 0x91, 0x29, 0x99, 0x90, 0x01, 0x7D, 0x49, 0x12, 0x20, 0x10, 0x00, 0x00,
        0x12, 0x34, 0x5F,
    ];
    let rows: [(&[u8], &str); 9] = [
        (b"..9999991299990017=49122010000012345..", "track"),
        (b"9999991299990017D49122010000012345", "track"),
        (b"39393939393931323939393930303137 3D", ""),
        (b"x39393939393931323939393930303137443439313232303130303030303132333435", "track"),
        (&packed, "track"),
        (&shifted, "track"),
        (b"OTk5OTk5MTI5OTk5MDAxNz00OTEyMjAxMDAwMDAxMjM0NQ==", "track"), // no byte before
        (b"xxx1f80ff0012345678", "block"),
        (b"9999991299990017=4912201000001234", ""),
    ];
    for (bytes, name) in rows {
        let expected: BTreeSet<&str> = [name].into_iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(search.found(bytes), expected, "{}", String::from_utf8_lossy(bytes));
    }
    let one_before = [&[0xF2][..], &ebcdic(track)].concat();
    assert_eq!(search.found(&one_before).len(), 1);
}
