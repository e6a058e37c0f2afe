//! The fields of a command, read from front to back. Must refuse what is no field of its kind with
//! the error code of its own.

use switch_domain::Pan;

/// An error code.
pub(super) type Code = [u8; 2];

/// Not verified.
pub(super) const NOT_VERIFIED: Code = *b"01";
/// A key whose scheme is not known.
pub(super) const KEY_SCHEME: Code = *b"26";
/// A key that is for something else.
pub(super) const KEY_USAGE: Code = *b"28";
/// A key that is not under this master key.
pub(super) const KEY_PARITY: Code = *b"10";
/// Data that cannot be read.
pub(super) const INVALID: Code = *b"15";
/// A PIN block format that there is not, or not for this.
pub(super) const FORMAT: Code = *b"23";

/// What is left of a command.
pub(super) struct Fields<'a> {
    left: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { left: data }
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Code> {
        let (bytes, left) = self.left.split_at_checked(count).ok_or(INVALID)?;
        self.left = left;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Code> {
        self.bytes(N)?.try_into().map_err(|_| INVALID)
    }

    /// The next characters, where they are these.
    pub(super) fn is(&mut self, expected: &[u8]) -> Result<(), Code> {
        if self.bytes(expected.len())? == expected { Ok(()) } else { Err(INVALID) }
    }

    pub(super) fn digits(&mut self, count: usize) -> Result<&'a [u8], Code> {
        let digits = self.bytes(count)?;
        if digits.iter().all(u8::is_ascii_digit) { Ok(digits) } else { Err(INVALID) }
    }

    /// A number of so many decimal digits.
    pub(super) fn number(&mut self, count: usize) -> Result<usize, Code> {
        let digits = self.digits(count)?;
        Ok(digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
    }

    /// A number of so many hexadecimal digits.
    pub(super) fn hex_number(&mut self, count: usize) -> Result<usize, Code> {
        let text = std::str::from_utf8(self.bytes(count)?).map_err(|_| INVALID)?;
        usize::from_str_radix(text, 16).map_err(|_| INVALID)
    }

    /// So many bytes, as hexadecimal digits.
    pub(super) fn hex(&mut self, count: usize) -> Result<Vec<u8>, Code> {
        let digits = self.bytes(count * 2)?;
        let value = |digit: u8| char::from(digit).to_digit(16).ok_or(INVALID);
        let pairs = digits.chunks(2);
        pairs
            .map(|pair| {
                let [high, low] = [value(pair[0])?, value(pair[1])?];
                u8::try_from(high * 16 + low).map_err(|_| INVALID)
            })
            .collect()
    }

    /// Up to a semicolon, which goes too.
    pub(super) fn until_semicolon(&mut self) -> Result<&'a [u8], Code> {
        let end = self.left.iter().position(|byte| *byte == b';').ok_or(INVALID)?;
        let field = self.bytes(end)?;
        self.bytes(1)?;
        Ok(field)
    }

    /// A key: a scheme, and what follows of it.
    pub(super) fn key(&mut self) -> Result<&'a str, Code> {
        let length = match self.left.first().ok_or(INVALID)? {
            b'U' | b'X' => 33,
            b'T' | b'Y' => 49,
            b'S' | b'R' => {
                let digits = self.left.get(2..6).ok_or(INVALID)?;
                let text = std::str::from_utf8(digits).map_err(|_| INVALID)?;
                text.parse::<usize>().map_err(|_| INVALID)? + 1
            }
            _ => return Err(KEY_SCHEME),
        };
        std::str::from_utf8(self.bytes(length)?).map_err(|_| INVALID)
    }

    /// A whole card number, ended by a semicolon.
    pub(super) fn pan(&mut self) -> Result<Pan, Code> {
        Pan::from_digits(self.until_semicolon()?).map_err(|_| INVALID)
    }

    /// What is left, without taking it.
    pub(super) const fn peek(&self) -> &'a [u8] {
        self.left
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    /// Nothing more may follow.
    pub(super) fn end(&self) -> Result<(), Code> {
        if self.left.is_empty() { Ok(()) } else { Err(INVALID) }
    }
}

#[test]
fn fields_are_read_to_their_end() {
    let mut fields = Fields::new(b"U00112233445566778899AABBCCDDEEFF12;0AxyzFF");
    assert_eq!(fields.key().unwrap().len(), 33);
    assert_eq!(fields.until_semicolon().unwrap(), b"12");
    assert_eq!(fields.hex(1).unwrap(), [0x0A]);
    assert_eq!(fields.digits(1), Err(INVALID));
    assert_eq!(fields.bytes(2).unwrap(), b"yz");
    assert_eq!(fields.end(), Err(INVALID));
    assert_eq!(fields.hex_number(2).unwrap(), 255);
    assert!(fields.end().is_ok());
    assert_eq!(Fields::new(b"S10048").key(), Err(INVALID));
    assert_eq!(Fields::new(b"Q").key(), Err(KEY_SCHEME));
    assert_eq!(Fields::new(b"007").number(3), Ok(7));
}
