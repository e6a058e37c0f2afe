//! Rules of what is known of people and companies: names, addresses, telephones. It owns each rule
//! once; a refusal names the member and never repeats what stood in it.

use switch_domain::Country;

use super::Personal;
use crate::Problem;

/// Limits of RFC 5321 for an address and its local part.
const EMAIL_MOST: usize = 254;
const LOCAL_MOST: usize = 64;

/// In words.
type Rule<'a> = &'a str;

/// A member that is there, once it keeps its rule.
pub(in crate::service) fn member(
    name: &str,
    rule: Rule<'_>,
    text: String,
    keeps: impl Fn(&str) -> bool,
) -> Result<Personal, Problem> {
    let text = Personal::new(text);
    if keeps(text.expose()) {
        return Ok(text);
    }
    Err(Problem::field(name, rule))
}

/// A member that may be missing.
pub(in crate::service) fn optional(
    name: &str,
    rule: Rule<'_>,
    text: Option<String>,
    keeps: impl Fn(&str) -> bool,
) -> Result<Option<Personal>, Problem> {
    text.map(|text| member(name, rule, text, keeps)).transpose()
}

/// Whether it says something, on one line and in no more characters. Characters that cannot be
/// seen, or turn the direction of writing, are in nobody's name.
pub(in crate::service) fn is_text(text: &str, most: usize) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    // Bytes first: a long text is not walked.
    text.len() <= most.saturating_mul(4)
        && text.chars().count() <= most
        && !text.trim().is_empty()
        && text.trim() == text
        && !text.contains(hidden)
}

/// Whether mail could go there: what comes back is found out by sending, not here.
pub(in crate::service) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let in_local = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= EMAIL_MOST
        && (1..=LOCAL_MOST).contains(&local.len())
        && local.bytes().all(in_local)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && host.contains('.')
        && host.split('.').all(label)
}

pub(in crate::service) fn is_phone(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (7..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
}

pub(in crate::service) fn is_postal_code(text: &str) -> bool {
    let usual = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b'-';
    is_text(text, 16) && text.bytes().all(usual)
}

pub(in crate::service) fn is_country(text: &str) -> bool {
    text.len() == 2
        && text.bytes().all(|b| b.is_ascii_uppercase())
        && Country::from_code(text).is_ok()
}
