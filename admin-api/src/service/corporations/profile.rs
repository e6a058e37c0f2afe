//! What is known of a corporation: what is taken, and in which words anything else is refused. It
//! owns the limits of each member; a refusal names the member and never repeats what stood in it.
//! Of a sole trader all of it is personal.

use crate::Problem;
use crate::service::users::{Personal, rules};

/// What is known of a corporation as it came, to be looked at.
#[derive(Clone, Default)]
pub struct CorporationInput {
    /// 1 to 120 characters.
    pub legal_name: String,
    /// Of the register in its country: 1 to 40 characters.
    pub registration_number: String,
    /// Two capital letters of ISO 3166-1.
    pub country: String,
    /// 1 to 120 characters.
    pub street: String,
    /// 1 to 80 characters.
    pub city: String,
    /// 1 to 16 letters, digits, spaces and hyphens.
    pub postal_code: String,
    /// Whom to ask: 1 to 80 characters.
    pub contact_name: Option<String>,
    /// An address at a host.
    pub email: Option<String>,
    /// `+`, and 7 to 15 digits.
    pub phone: Option<String>,
}

/// What is known of a corporation, once it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // as in `CorporationInput`
pub struct CorporationProfile {
    pub legal_name: Personal,
    pub registration_number: Personal,
    pub country: Personal,
    pub street: Personal,
    pub city: Personal,
    pub postal_code: Personal,
    pub contact_name: Option<Personal>,
    pub email: Option<Personal>,
    pub phone: Option<Personal>,
}

impl CorporationProfile {
    /// What came, once every member keeps its rule.
    ///
    /// # Errors
    /// The first member that does not, by name.
    pub fn of(input: CorporationInput) -> Result<Self, Problem> {
        use rules::{is_country, is_email, is_phone, is_postal_code, is_text, member, optional};
        let text = |most: usize| move |text: &str| is_text(text, most);
        let number = "1 to 40 characters";
        let postal = "1 to 16 letters, digits, spaces and hyphens";
        let email = "an address of at most 254 characters";
        Ok(Self {
            legal_name: member("legalName", "1 to 120 characters", input.legal_name, text(120))?,
            registration_number: member(
                "registrationNumber",
                number,
                input.registration_number,
                text(40),
            )?,
            country: member("country", "two capitals of ISO 3166-1", input.country, is_country)?,
            street: member("street", "1 to 120 characters", input.street, text(120))?,
            city: member("city", "1 to 80 characters", input.city, text(80))?,
            postal_code: member("postalCode", postal, input.postal_code, is_postal_code)?,
            contact_name: optional(
                "contactName",
                "1 to 80 characters",
                input.contact_name,
                text(80),
            )?,
            email: optional("email", email, input.email, is_email)?,
            phone: optional("phone", "+ and 7 to 15 digits", input.phone, is_phone)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: impl FnOnce(&mut CorporationInput)) -> Result<CorporationProfile, Problem> {
        let mut input = CorporationInput {
            legal_name: "Analytical Engines GmbH".into(),
            registration_number: "FN 123456a".into(),
            country: "AT".into(),
            street: "Hauptstrasse 1".into(),
            city: "Wien".into(),
            postal_code: "1010".into(),
            ..CorporationInput::default()
        };
        set(&mut input);
        CorporationProfile::of(input)
    }

    type Set = fn(&mut CorporationInput);

    #[test]
    fn every_member_has_its_rule_and_a_refusal_names_it_and_repeats_nothing() {
        assert!(with(|_| {}).is_ok());
        let rows: [(&str, Set); 10] = [
            ("legalName", |i| i.legal_name = "x".repeat(121)),
            ("legalName", |i| i.legal_name = "SECRET\u{202E}".into()),
            ("registrationNumber", |i| i.registration_number = String::new()),
            ("country", |i| i.country = "SECRET".into()),
            ("street", |i| i.street = " SECRET".into()),
            ("city", |i| i.city = "x".repeat(81)),
            ("postalCode", |i| i.postal_code = "SECRET'".into()),
            ("contactName", |i| i.contact_name = Some("SECRET\n".into())),
            ("email", |i| i.email = Some("SECRET".into())),
            ("phone", |i| i.phone = Some("SECRET".into())),
        ];
        for (name, set) in rows {
            let problem = with(set).expect_err(name);
            assert_eq!(problem.field.as_deref(), Some(name), "{problem}");
            assert!(!problem.detail.contains("SECRET"), "{problem}");
        }
        let printed = format!("{:?}", with(|_| {}).expect("a profile"));
        assert!(!printed.contains("Analytical") && !printed.contains("123456"), "{printed}");
    }
}
