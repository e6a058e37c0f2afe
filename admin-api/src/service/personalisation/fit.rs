//! What a bureau can emboss, and where it can send it. It owns the rules of names and addresses of
//! an order; an order that breaks one is refused with the member that does.

use switch_domain::Country;

use super::order::{DeliveryInput, WayName};
use crate::Problem;
use crate::service::users::Personal;

/// A name as an embosser has it: capitals, and nothing that it does not have.
pub(super) fn embossed(name: &Personal) -> Result<Personal, Problem> {
    let capitals = name.expose().to_ascii_uppercase();
    let fits = |byte: u8| byte.is_ascii_uppercase() || b" .-'".contains(&byte);
    let good = (2..=26).contains(&capitals.len()) && capitals.bytes().all(fits);
    if !good || capitals.trim() != capitals {
        let rule = "2 to 26 letters A to Z, spaces, points, hyphens and apostrophes";
        return Err(Problem::field("holderName", rule));
    }
    Ok(Personal::new(capitals))
}

/// What the file for the bureau can have.
pub(super) fn fits(to: &DeliveryInput) -> Result<(), Problem> {
    let texts = [
        ("addressee", &to.addressee, 100),
        ("street", &to.street, 200),
        ("city", &to.city, 100),
        ("postalCode", &to.postal_code, 16),
    ];
    for (name, text, most) in texts {
        let text = text.expose();
        let good = !text.trim().is_empty() && text.len() <= most;
        if !good || text.chars().any(char::is_control) {
            let rule = format!("1 to {most} bytes of text");
            return Err(Problem::field(format!("delivery.{name}"), rule));
        }
    }
    let country = to.country.expose();
    let two = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !two || Country::from_code(country).is_err() {
        return Err(Problem::field("delivery.country", "two letters of ISO 3166-1"));
    }
    let phone = to.phone.as_ref().map(Personal::expose);
    let is_phone = |phone: &str| {
        let digits = phone.strip_prefix('+').unwrap_or_default();
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if phone.is_some_and(|phone| !is_phone(phone)) {
        return Err(Problem::field("delivery.phone", "+, and 7 to 15 digits"));
    }
    if to.way == WayName::Courier && phone.is_none() {
        return Err(Problem::field("delivery.phone", "a courier needs one"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_embossed_in_capitals_or_refused() {
        let of = |name: &str| embossed(&Personal::new(name.to_owned()));
        assert!(of("Ada O'Neil-Lovelace").is_ok_and(|it| it.expose() == "ADA O'NEIL-LOVELACE"));
        for bad in ["", "A", "Zoë", "ADA 2", " ADA", "ABCDEFGHIJKLMNOPQRSTUVWXYZA", "A\nB"] {
            let problem = of(bad).expect_err("refused");
            assert_eq!(problem.field.as_deref(), Some("holderName"), "{bad}");
        }
    }
}
