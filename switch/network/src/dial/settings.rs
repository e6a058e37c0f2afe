//! How a link dials: where to, in which order, and how patiently. It owns which of these settings
//! can work; it never connects.

use std::net::SocketAddr;
use std::time::Duration;

/// The settings of a link that dials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialling {
    /// Where to, the preferred one first: `host:port` or `address:port`. Names are resolved anew
    /// for every attempt.
    pub addresses: Vec<String>,
    /// How long resolving a name may take, and connecting to one address of it.
    pub connect_deadline: Duration,
    /// The longest wait before the next attempt; it doubles with every round of failures.
    pub first_wait: Duration,
    /// Where that doubling ends.
    pub longest_wait: Duration,
}

impl Dialling {
    /// To these addresses, with the usual patience: waits of up to 0.2 s, growing to 30 s.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            addresses: addresses.into_iter().map(Into::into).collect(),
            connect_deadline: Duration::from_secs(5),
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(30),
        }
    }

    /// The first setting that cannot work, and why.
    pub(crate) fn unfit(&self) -> Option<(&'static str, String)> {
        if self.addresses.is_empty() {
            return Some(("dial", "name at least one address".into()));
        }
        if let Some(wrong) = self.addresses.iter().find(|text| host_of(text).is_none()) {
            let hint = "write host:port, as switch.example:8583, 192.0.2.7:8583 or [::1]:8583";
            return Some(("dial", format!("{wrong:?} is no address; {hint}")));
        }
        if self.connect_deadline.is_zero() {
            return Some(("connect_deadline", "must be above zero".into()));
        }
        if self.first_wait.is_zero() || self.longest_wait < self.first_wait {
            let fault = "waits must be above zero, and the longest not shorter than the first";
            return Some(("first_wait", fault.into()));
        }
        None
    }
}

/// The host of `host:port`, without the brackets of an IPv6 address; `None` where this is none.
#[must_use]
pub fn host_of(address: &str) -> Option<String> {
    if let Ok(address) = address.parse::<SocketAddr>() {
        return (address.port() > 0).then(|| address.ip().to_string());
    }
    let (host, port) = address.rsplit_once(':')?;
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let named = !host.is_empty() && host.chars().all(letters);
    let open = port.parse::<u16>().is_ok_and(|port| port > 0);
    (named && open).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (address, host) in [
            ("switch.example:8583", Some("switch.example")),
            ("192.0.2.7:8583", Some("192.0.2.7")),
            ("[2001:db8::7]:8583", Some("2001:db8::7")),
            ("localhost:1", Some("localhost")),
            ("switch.example", None),
            ("switch.example:", None),
            ("switch.example:0", None),
            ("192.0.2.7:0", None),
            ("switch.example:70000", None),
            (":8583", None),
            ("2001:db8::7:8583", None),
            ("a host:8583", None),
        ] {
            assert_eq!(host_of(address).as_deref(), host, "{address}");
        }
    }
}
