//! A customer's personal data: what is taken, and in which words anything else is refused. It owns
//! the limits of each member; a refusal names the member and never repeats what stood in it.

use jiff::civil::Date;
use switch_domain::Timestamp;

use super::Personal;
use super::rules::{is_country, is_email, is_phone, is_postal_code, is_text, member, optional};
use crate::Problem;

/// Nobody was born before.
const FIRST_BIRTH_YEAR: i16 = 1900;

/// Personal data as they came, to be looked at.
#[derive(Clone, Default)]
pub struct ProfileInput {
    /// 1 to 80 characters.
    pub given_name: String,
    /// 1 to 80 characters.
    pub family_name: String,
    /// `YYYY-MM-DD`, of a day that was.
    pub birth_date: String,
    /// An address at a host.
    pub email: Option<String>,
    /// `+`, and 7 to 15 digits.
    pub phone: Option<String>,
    /// 1 to 120 characters.
    pub street: Option<String>,
    /// 1 to 80 characters.
    pub city: Option<String>,
    /// 1 to 16 letters, digits, spaces and hyphens.
    pub postal_code: Option<String>,
    /// Two capital letters of ISO 3166-1.
    pub country: Option<String>,
    /// As `de` or `de-AT`.
    pub language: Option<String>,
}

impl std::fmt::Debug for ProfileInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProfileInput (personal)")
    }
}

/// Personal data that were looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // as in `ProfileInput`
pub struct Profile {
    pub given_name: Personal,
    pub family_name: Personal,
    pub birth_date: Personal,
    pub email: Option<Personal>,
    pub phone: Option<Personal>,
    pub street: Option<Personal>,
    pub city: Option<Personal>,
    pub postal_code: Option<Personal>,
    pub country: Option<Personal>,
    pub language: Option<Personal>,
}

impl Profile {
    /// What came, once every member keeps its rule.
    ///
    /// # Errors
    /// The first member that does not, by name.
    pub fn of(input: ProfileInput, now: Timestamp) -> Result<Self, Problem> {
        let name = |text: &str| is_text(text, 80);
        let street = |text: &str| is_text(text, 120);
        let born = |text: &str| is_birth_date(text, now);
        Ok(Self {
            given_name: member("givenName", "1 to 80 characters", input.given_name, name)?,
            family_name: member("familyName", "1 to 80 characters", input.family_name, name)?,
            birth_date: member("birthDate", "a past day YYYY-MM-DD", input.birth_date, born)?,
            email: optional(
                "email",
                "an address of at most 254 characters",
                input.email,
                is_email,
            )?,
            phone: optional("phone", "+ and 7 to 15 digits", input.phone, is_phone)?,
            street: optional("street", "1 to 120 characters", input.street, street)?,
            city: optional("city", "1 to 80 characters", input.city, name)?,
            postal_code: optional(
                "postalCode",
                "1 to 16 letters, digits, spaces and hyphens",
                input.postal_code,
                is_postal_code,
            )?,
            country: optional("country", "two capitals of ISO 3166-1", input.country, is_country)?,
            language: optional("language", "as de or de-AT", input.language, is_language)?,
        })
    }
}

fn is_birth_date(text: &str, now: Timestamp) -> bool {
    let (year, month, day) = now.date();
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let Some(born) = shaped.then(|| text.parse::<Date>().ok()).flatten() else { return false };
    let today = (year, i64::from(month), i64::from(day));
    let born_on = (i32::from(born.year()), i64::from(born.month()), i64::from(born.day()));
    born.year() >= FIRST_BIRTH_YEAR && born_on <= today
}

fn is_language(text: &str) -> bool {
    let lower = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase());
    let region = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_uppercase());
    match text.split_once('-') {
        None => (2..=3).contains(&text.len()) && lower(text),
        Some((language, of)) => (2..=3).contains(&language.len()) && lower(language) && region(of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 27 November 2026.
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_737_600);

    fn with(set: impl FnOnce(&mut ProfileInput)) -> Result<Profile, Problem> {
        let mut input = ProfileInput {
            given_name: "Zoë".into(),
            family_name: "O'Hara".into(),
            birth_date: "1990-02-28".into(),
            ..Default::default()
        };
        set(&mut input);
        Profile::of(input, NOW)
    }

    type Set = fn(&mut ProfileInput, &str);

    /// Member, how it is set, what is taken, what is not.
    const ROWS: &[(&str, Set, &[&str], &[&str])] = &[
        (
            "givenName",
            |i, v| i.given_name = v.into(),
            &["A", "Łukasz", "José María", "李"],
            &["", " ", " A", "A ", "A\nB", "A\u{202E}B", "A\u{0}"],
        ),
        (
            "birthDate",
            |i, v| i.birth_date = v.into(),
            &["1900-01-01", "2000-02-29", "2026-11-27"],
            &[
                "",
                "1899-12-31",
                "2026-11-28",
                "2001-02-29",
                "1990-13-01",
                "1990-1-1",
                "19900228",
                "1990-02-28T00",
            ],
        ),
        (
            "email",
            |i, v| i.email = Some(v.into()),
            &["a@b.example", "first.last+tag@sub.host-1.example"],
            &[
                "",
                "a",
                "a@b",
                "@b.example",
                "a@.example",
                "a@b..example",
                "a b@c.example",
                ".a@b.example",
                "a@-b.example",
                "ä@b.example",
                "a@b.example\r\nBcc: x@y.example",
            ],
        ),
        (
            "phone",
            |i, v| i.phone = Some(v.into()),
            &["+4366012345", "+123456789012345"],
            &["", "+", "4366012345", "+123456", "+1234567890123456", "+0123456789", "+43 660 123"],
        ),
        (
            "postalCode",
            |i, v| i.postal_code = Some(v.into()),
            &["1010", "SW1A 1AA", "12345-6789"],
            &["", "12345678901234567", "10'10"],
        ),
        (
            "country",
            |i, v| i.country = Some(v.into()),
            &["AT", "DE"],
            &["", "at", "XX", "AUT", "040"],
        ),
        (
            "language",
            |i, v| i.language = Some(v.into()),
            &["de", "de-AT", "ast"],
            &["", "d", "DE", "de-at", "de_AT", "de-AUT", "deutsch"],
        ),
    ];

    #[test]
    fn every_member_takes_what_keeps_its_rule_and_a_refusal_names_it() {
        for (name, set, taken, refused) in ROWS {
            for value in *taken {
                assert!(with(|i| set(i, value)).is_ok(), "{name} takes {value:?}");
            }
            for value in *refused {
                let problem = with(|i| set(i, value)).expect_err(value);
                assert_eq!(problem.code, "INVALID_REQUEST");
                assert_eq!(problem.field.as_deref(), Some(*name), "{problem}");
                let shown = value.len() > 4 && problem.detail.contains(value);
                assert!(!shown, "{problem} repeats what stood there");
            }
        }
    }

    #[test]
    fn members_are_as_long_as_they_may_be_and_no_longer() {
        for (name, set, most) in [
            ("givenName", ROWS[0].1, 80),
            ("familyName", (|i, v| i.family_name = v.into()) as Set, 80),
            ("street", |i, v| i.street = Some(v.into()), 120),
            ("city", |i, v| i.city = Some(v.into()), 80),
        ] {
            assert!(with(|i| set(i, &"ł".repeat(most))).is_ok(), "{name}");
            let problem = with(|i| set(i, &"ł".repeat(most + 1))).expect_err(name);
            assert_eq!(problem.field.as_deref(), Some(name), "{problem}");
        }
        let email = |local: usize| format!("{}@b.example", "a".repeat(local));
        assert!(with(|i| i.email = Some(email(64))).is_ok());
        assert!(with(|i| i.email = Some(email(65))).is_err());
    }

    #[test]
    fn nothing_personal_is_printed() {
        let profile = with(|i| {
            i.email = Some("secret@host.example".into());
            i.street = Some("Secret street 1".into());
        });
        let profile = profile.expect("a profile");
        for printed in [format!("{profile:?}"), format!("{profile:#?}")] {
            for secret in ["Zoë", "Hara", "1990", "ecret"] {
                assert!(!printed.contains(secret), "{printed}");
            }
        }
        let input = ProfileInput { given_name: "Secret".into(), ..Default::default() };
        assert_eq!(format!("{input:?}"), "ProfileInput (personal)");
    }
}
