//! That a form was made by us for this session, and sent from a page of ours. It owns both looks: a
//! value in every form that only who has the session's cookie could be shown, and what the browser
//! says of where a request comes from.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::session::Token;

/// The member of a form that proves it.
pub(crate) const MEMBER: &str = "form";

/// What the forms of a session carry. Made of its token, so that every process of a switch knows
/// it, and nothing of the token is in it.
pub(crate) fn proof(token: &Token) -> String {
    let mut hash = Sha256::new();
    hash.update(b"cardswitch panel: a form of this session\0");
    hash.update(token.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Whether a form has it.
pub(crate) fn is_proved(token: &Token, typed: Option<&str>) -> bool {
    let typed = typed.unwrap_or_default();
    proof(token).as_bytes().ct_eq(typed.as_bytes()).into()
}

/// Whether the browser says that a page of ours sent it. One that says neither is too old to be
/// kept from sending what others had it send.
pub(crate) fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| text(header::HOST) == Some(host))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use zeroize::Zeroizing;

    use super::*;

    fn token(text: &str) -> Token {
        Token::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_form_is_of_one_session() {
        let ours = proof(&token("abc"));
        assert!(is_proved(&token("abc"), Some(&ours)));
        assert!(!is_proved(&token("abd"), Some(&ours)));
        assert!(!is_proved(&token("abc"), Some("")));
        assert!(!is_proved(&token("abc"), None));
        assert!(!ours.contains("abc"));
    }

    #[test]
    fn a_form_comes_from_a_page_of_ours() {
        let said = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            is_from_here(&headers.collect())
        };
        assert!(said(&[("sec-fetch-site", "same-origin")]));
        assert!(!said(&[("sec-fetch-site", "cross-site")]));
        assert!(!said(&[("sec-fetch-site", "same-site")]));
        assert!(said(&[("origin", "https://panel.test"), ("host", "panel.test")]));
        assert!(!said(&[("origin", "https://other.test"), ("host", "panel.test")]));
        assert!(!said(&[("origin", "null"), ("host", "panel.test")]));
        assert!(!said(&[("host", "panel.test")]));
    }
}
