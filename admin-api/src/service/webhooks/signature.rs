//! How a message is signed: the Standard Webhooks scheme, version 1. It owns what is covered by a
//! signature (the identifier, the second of the try, the body) and how several stand in one header.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The header that goes with a message: one signature for each key, separated by blanks. A receiver
/// takes the message where one of them fits, so that keys can be changed.
#[must_use]
pub(crate) fn signatures(keys: &[&[u8]], id: &str, second: i64, body: &str) -> String {
    let covered = format!("{id}.{second}.{body}");
    let sign = |key: &&[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, covered.as_bytes())))
    };
    keys.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example by which implementations of the scheme are compared with each other.
    // covers: API-18
    #[test]
    fn the_example_of_the_scheme_is_signed_as_everybody_signs_it() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let signed = |keys: &[&[u8]]| {
            let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
            signatures(keys, id, 1_614_265_330, body)
        };
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed(&[&key]), expected);
        let both = signed(&[&[7; 32], &key]);
        let (other, this) = both.split_once(' ').expect("two");
        assert_eq!(this, expected);
        assert!(other.starts_with("v1,") && other != expected);
    }

    #[test]
    fn everything_that_is_covered_counts() {
        let of = |id, second, body| signatures(&[&[7; 32]], id, second, body);
        let one = of("a", 1, "{}");
        for other in [of("b", 1, "{}"), of("a", 2, "{}"), of("a", 1, "{ }")] {
            assert_ne!(one, other);
        }
    }
}
