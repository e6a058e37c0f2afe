//! An authenticator application: reads the secret that was handed over, and shows codes (RFC 6238).

use aws_lc_rs::hmac;

pub(crate) fn code_at(uri: &str, seconds: i64) -> String {
    let secret = uri.split("secret=").nth(1).expect("a secret").split('&').next().expect("text");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &unbase32(secret));
    let tag = hmac::sign(&key, &seconds.div_euclid(30).to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().expect("four")) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

fn unbase32(text: &str) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let five = letters.iter().position(|known| *known == letter).expect("base 32");
        held = (held << 5 | u32::try_from(five).expect("small")) & 0xFFFF;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).expect("a byte"));
        }
    }
    bytes
}
