//! The cookie that a session is kept in. It owns its name and its terms: for this host alone, over
//! TLS, out of reach of script, sent by no other site; it ends with the browser, and the session
//! itself ends when `/admin` says so.

use axum::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

/// Browsers take a cookie of this name only with `Secure`, `Path=/` and without a domain.
const NAME: &str = "__Host-cardswitch";
const TERMS: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
/// Tokens are shorter.
const LONGEST: usize = 256;

/// The token of a session. It has no printable form.
#[derive(Clone)]
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    pub(crate) const fn new(token: Zeroizing<String>) -> Self {
        Self(token)
    }

    /// Of a request; `None` where it brings none, or two.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|all| all.to_str().ok());
        let mut ours = cookies
            .flat_map(|all| all.split(';'))
            .filter_map(|one| one.trim().strip_prefix(NAME)?.strip_prefix('='));
        let (first, second) = (ours.next()?, ours.next());
        let good = first.len() <= LONGEST && first.bytes().all(|byte| byte.is_ascii_graphic());
        (good && second.is_none()).then(|| Self(Zeroizing::new(first.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// What has a browser keep it.
    pub(crate) fn kept(&self) -> HeaderValue {
        let cookie = Zeroizing::new(format!("{NAME}={}; {TERMS}", self.0.as_str()));
        let mut value = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

/// What has a browser forget it.
pub(crate) fn forgotten() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-cardswitch=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cookies: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        Token::of(&headers).map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_session_is_in_the_cookie_of_its_name_alone() {
        assert_eq!(found(&["a=1; __Host-cardswitch=abc; b=2"]), Some("abc".to_owned()));
        assert_eq!(found(&["cardswitch=abc"]), None);
        assert_eq!(found(&["__Host-cardswitch2=abc"]), None);
        // Of two nobody knows which is meant.
        assert_eq!(found(&["__Host-cardswitch=abc; __Host-cardswitch=def"]), None);
        assert_eq!(found(&["__Host-cardswitch=abc", "__Host-cardswitch=def"]), None);
        assert_eq!(found(&[]), None);
    }
}
