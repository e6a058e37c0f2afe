//! The URL of an endpoint, as a partner writes it. It owns which texts are one: HTTPS, a name of
//! the public DNS or an address in its one usual form, and nothing that another reader of URLs
//! would take for another host.

use std::net::IpAddr;

use axum::http::Uri;
use axum::http::uri::{Authority, Scheme};

use super::addresses::AddressRules;
use crate::Problem;

/// The longest.
pub(super) const LONGEST: usize = 512;
/// Names that are of this machine or of a network of its own, whatever a resolver says.
const OWN_NAMES: [&str; 6] = ["localhost", "local", "internal", "localdomain", "onion", "arpa"];

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl {
    uri: Uri,
    host: Host,
}

/// By what it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// By a name.
    Name(String),
    /// By an address.
    Address(IpAddr),
}

impl EndpointUrl {
    /// Reads one.
    ///
    /// # Errors
    /// It is none, or one to which nothing goes.
    pub fn parse(text: &str, rules: AddressRules) -> Result<Self, Problem> {
        let wrong = |what: &str| Problem::field("url", what);
        let form = "write https://host/path, without a user or a fragment";
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("at most 512 visible characters of ASCII"));
        }
        if text.contains(['@', '#', '\\']) {
            return Err(wrong(form));
        }
        let uri: Uri = text.parse().map_err(|_| wrong(form))?;
        let host = uri.host().ok_or_else(|| wrong(form))?;
        if uri.scheme() != Some(&Scheme::HTTPS) || !has_a_port(&uri, host) {
            return Err(wrong(form));
        }
        let host = host_of(host, rules).ok_or_else(|| {
            wrong("the host must be a public name, or an address of the public Internet")
        })?;
        Ok(Self { uri, host })
    }

    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What stands behind the host.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    pub(super) const fn host(&self) -> &Host {
        &self.host
    }
}

/// Whether what stands behind the host is a port, or nothing: a port that is none would be taken
/// for the usual one.
fn has_a_port(uri: &Uri, host: &str) -> bool {
    let authority = uri.authority().map_or("", Authority::as_str);
    match authority.strip_prefix(host) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').and_then(|port| port.parse().ok()) > Some(0_u16),
        None => false,
    }
}

fn host_of(text: &str, rules: AddressRules) -> Option<Host> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(six) => Some(IpAddr::V6(six.parse().ok()?)),
        None => text.parse().ok().map(IpAddr::V4),
    };
    if let Some(address) = address {
        return rules.allows(address).then_some(Host::Address(address));
    }
    is_public_name(text, rules).then(|| Host::Name(text.to_ascii_lowercase()))
}

/// A name of the public DNS: labels of letters, digits and hyphens, the last of which is no number.
/// What ends in a number is an address to many readers (`0x7f.1`, `2130706433`, `0177.0.0.1`).
fn is_public_name(text: &str, rules: AddressRules) -> bool {
    let text = text.to_ascii_lowercase();
    let labels: Vec<&str> = text.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some(last) = labels.last() else { return false };
    if text.len() > 253 || !labels.iter().all(is_label) || !starts_with_letter(last) {
        return false;
    }
    if rules.loopback && text == "localhost" {
        return true;
    }
    labels.len() > 1 && !OWN_NAMES.contains(last)
}

fn starts_with_letter(label: &str) -> bool {
    label.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: API-07
    #[test]
    fn what_is_no_place_on_the_public_internet_is_refused_as_it_is_written() {
        let good = [
            "https://hooks.example.com/cards",
            "https://hooks.example.com:8443/cards?tenant=1",
            "https://xn--bcher-kva.example",
            "https://HOOKS.example.com/",
            "https://8.8.8.8/hook",
            "https://[2001:4860:4860::8888]/hook",
        ];
        for text in good {
            assert!(EndpointUrl::parse(text, AddressRules::default()).is_ok(), "{text}");
        }
        let bad = [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "ftp://hooks.example.com/",
            "https://",
            "https:///x",
            "//hooks.example.com/",
            "https://u:p@hooks.example.com/",
            "https://hooks.example.com/#a",
            "https://hooks.example.com\\@127.0.0.1/",
            "https://hooks.example.com:0/",
            "https://hooks.example.com:99999/",
            "https://hooks.example.com:/",
            "https://localhost/",
            "https://a.localhost/",
            "https://LOCALHOST/",
            "https://printer/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://a.b.onion/",
            "https://1.0.0.127.in-addr.arpa/",
            "https://hooks.example.com./",
            "https://.example.com/",
            "https://a..example/",
            "https://-a.example/",
            "https://a_b.example/",
            // Loopback and metadata in all the clothes that some reader takes off.
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://0/",
            "https://127.0.0.1.:443/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fe80::1%25eth0]/",
            "https://[fd00:ec2::254]/",
            "https://[2002:7f00:1::]/",
            "https://::1/",
            "https://1.2.3/",
            "https://1.2.3.4.5/",
            "https://1.2.3.0x4/",
            "https://hooks.example.0x7f/",
            "https://\u{2460}27.0.0.1/",
            "https://hooks.example.com/a b",
        ];
        for text in bad {
            let refused = EndpointUrl::parse(text, AddressRules::default());
            let problem = refused.expect_err(text);
            assert_eq!((problem.code, problem.field.as_deref()), ("INVALID_REQUEST", Some("url")));
        }
        let long = format!("https://hooks.example.com/{}", "a".repeat(LONGEST));
        assert!(EndpointUrl::parse(&long, AddressRules::default()).is_err());
    }

    // covers: API-07
    #[test]
    fn developers_may_name_their_own_machine_and_nothing_else_of_their_own() {
        let own = AddressRules { loopback: true };
        for text in ["https://localhost:8443/x", "https://127.0.0.1:1/", "https://[::1]:1/"] {
            assert!(EndpointUrl::parse(text, own).is_ok(), "{text}");
        }
        for text in ["http://localhost/", "https://10.0.0.1/", "https://127.1/", "https://printer/"]
        {
            assert!(EndpointUrl::parse(text, own).is_err(), "{text}");
        }
    }
}
