//! Serial numbers of partners' certificates. It owns their form: sixteen bytes from the system's
//! random generator, the first of them from 40 to 7F, so that each has 32 digits wherever it is
//! shown and no length tells anything.

use aws_lc_rs::rand;
use x509_parser::certificate::X509Certificate;

/// A serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 16]);

/// The text is no serial number of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a serial number has 32 hexadecimal digits, as `openssl x509 -serial` shows it")]
pub struct NoSerial;

impl Serial {
    /// A new one; none where the system's random generator failed.
    pub(super) fn random() -> Option<Self> {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).ok()?;
        let [first, ..] = &mut bytes;
        *first = (*first & 0x3f) | 0x40;
        Some(Self(bytes))
    }

    /// What a certificate says; none where no certificate of ours could say it.
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Option<Self> {
        Self::from_slice(certificate.raw_serial())
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Display for Serial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl std::str::FromStr for Serial {
    type Err = NoSerial;

    fn from_str(text: &str) -> Result<Self, NoSerial> {
        let digits: String = text.chars().filter(|&character| character != ':').collect();
        let mut bytes = [0; 16];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NoSerial)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_differ_are_of_one_length_and_read_back() {
        let made: Vec<Serial> = (0..64).map(|_| Serial::random().expect("random")).collect();
        let different: std::collections::BTreeSet<_> = made.iter().collect();
        assert_eq!(different.len(), made.len());
        for serial in made {
            let text = serial.to_string();
            assert_eq!(text.len(), 32);
            assert!(('4'..='7').contains(&text.chars().next().expect("a digit")), "{text}");
            assert_eq!(text.to_lowercase().parse(), Ok(serial));
        }
        let colons: Serial =
            "40:00:00:00:00:00:00:00:00:00:00:00:00:00:00:AB".parse().expect("as browsers show it");
        assert_eq!(colons.to_string(), "400000000000000000000000000000AB");
        for wrong in
            ["", "40", "4000000000000000000000000000000", "no serial number of ours at all"]
        {
            assert_eq!(wrong.parse::<Serial>(), Err(NoSerial), "{wrong}");
        }
    }
}
