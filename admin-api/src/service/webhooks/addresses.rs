//! Where messages may go: to addresses of the public Internet and nowhere else, so that
//! nobody has the platform ask its own neighbours. It owns which addresses these are, and how a
//! name is looked up: once, and a connection goes to an address that was judged, never to a name.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;

/// A look-up that is on its way.
pub type LookedUp<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Who knows which addresses a name has.
pub trait Resolver: Send + Sync {
    /// Looks a name up.
    fn look_up<'a>(&'a self, name: &'a str) -> LookedUp<'a>;
}

/// Which addresses messages go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressRules {
    /// Those of this machine as well: for a developer.
    pub loopback: bool,
}

/// A name has an address to which nothing goes. It does not say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is, or leads to, an address that is not of the public Internet")]
pub struct RefusedAddress;

/// Blocks of IPv4 that are not of the public Internet, by the registry of special-purpose
/// addresses: the first address, and the bits that tell the block.
const SPECIAL_V4: [([u8; 4], u8); 18] = [
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared with a carrier's customers
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local: clouds' own metadata are here
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // multicast tunnels
    ([192, 88, 99, 0], 24),  // relays of 6to4
    ([192, 168, 0, 0], 16),  // private
    ([192, 175, 48, 0], 24), // AS112
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, and broadcast
];

/// Of IPv6 only global unicast (2000::/3) is public, and of that not these.
const SPECIAL_V6: [([u16; 3], u8); 5] = [
    ([0x2001, 0, 0], 23),         // protocol assignments: Teredo, ORCHID, benchmarks
    ([0x2001, 0x0db8, 0], 32),    // documentation
    ([0x2002, 0, 0], 16),         // 6to4: an address of IPv4 in other clothes
    ([0x2620, 0x4f, 0x8000], 48), // AS112
    ([0x3fff, 0, 0], 20),         // documentation
];

impl AddressRules {
    /// Whether something may go there.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        // An address of IPv4 is judged as one, however it is written.
        let address = address.to_canonical();
        if self.loopback && address.is_loopback() {
            return true;
        }
        match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        }
    }

    /// The addresses of a name, where something may go to all of them.
    ///
    /// # Errors
    /// The name has none, or one that is refused.
    pub async fn look_up(self, resolver: &dyn Resolver, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = resolver.look_up(name).await?;
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        if found.iter().all(|address| self.allows(*address)) {
            return Ok(found);
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, RefusedAddress))
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(first, bits): &([u8; 4], u8)| {
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(*bits))).unwrap_or(0);
        address.to_bits() & mask == Ipv4Addr::from(*first).to_bits()
    };
    !SPECIAL_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |(first, bits): &([u16; 3], u8)| {
        let [a, b, c] = *first;
        let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(*bits))).unwrap_or(0);
        address.to_bits() & mask == Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_bits()
    };
    let [first, ..] = address.segments();
    first & 0xe000 == 0x2000 && !SPECIAL_V6.iter().any(within)
}

/// What the client of HTTP looks names up with.
#[derive(Clone)]
pub(super) struct CheckedResolver {
    rules: AddressRules,
    resolver: Arc<dyn Resolver>,
}

impl CheckedResolver {
    pub(super) fn new(rules: AddressRules, resolver: Arc<dyn Resolver>) -> Self {
        Self { rules, resolver }
    }
}

impl fmt::Debug for CheckedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedResolver").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl tower::Service<Name> for CheckedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { rules, resolver } = self.clone();
        Box::pin(async move {
            let found = rules.look_up(&*resolver, name.as_str()).await?;
            let found: Vec<_> = found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and the last of every special block, and its neighbours where they are public.
    const REFUSED: &str = "
        0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1
        127.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255
        192.0.0.1 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.0
        192.168.255.255 192.175.48.1 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1
        239.255.255.255 240.0.0.0 255.255.255.255
        :: ::1 ::2 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1
        64:ff9b::a00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1 2001:2::1
        2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:a00:1::1 2002:808:808::1
        2620:4f:8000::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fdff::1
        fe80::1 febf::1 fec0::1 ff02::1 ffff::1";
    const ALLOWED: &str = "
        1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
        169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255
        192.169.0.0 198.17.255.255 198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255
        ::ffff:8.8.8.8 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 3ffe::1
        3fff:1000::1";

    // covers: API-07
    #[test]
    fn every_special_block_is_refused_to_its_edges_and_its_neighbours_are_not() {
        let rules = AddressRules::default();
        for (list, allowed) in [(REFUSED, false), (ALLOWED, true)] {
            for text in list.split_whitespace() {
                let address: IpAddr = text.parse().expect("an address");
                assert_eq!(rules.allows(address), allowed, "{text}");
            }
        }
    }

    // covers: API-07
    #[test]
    fn the_setting_of_developers_opens_loopback_and_nothing_else() {
        let rules = AddressRules { loopback: true };
        for text in REFUSED.split_whitespace() {
            let address: IpAddr = text.parse().expect("an address");
            let own = ["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"];
            assert_eq!(rules.allows(address), own.contains(&text), "{text}");
        }
    }

    /// Answers what it was told, each time the next.
    struct Told(std::sync::Mutex<Vec<Vec<&'static str>>>);

    impl Resolver for Told {
        fn look_up<'a>(&'a self, _: &'a str) -> LookedUp<'a> {
            let found = self.0.lock().expect("unpoisoned").remove(0);
            Box::pin(async move { Ok(found.iter().map(|a| a.parse().expect("one")).collect()) })
        }
    }

    // covers: API-07
    #[tokio::test]
    async fn a_name_is_refused_where_any_address_of_it_is_and_whenever_it_leads_there() {
        let told = Told(std::sync::Mutex::new(vec![
            vec!["8.8.8.8", "2001:4860:4860::8888"],
            vec!["8.8.8.8", "10.0.0.1"],
            vec!["::ffff:192.168.1.1"],
            vec![],
            // Rebinding: what was public when it was registered is not when it is called.
            vec!["8.8.8.8"],
            vec!["127.0.0.1"],
        ]));
        let rules = AddressRules::default();
        let mut connects = CheckedResolver::new(rules, Arc::new(told));
        let mut kinds = Vec::new();
        for _ in 0..6 {
            let name: Name = "hooks.example".parse().expect("a name");
            let found = tower::Service::call(&mut connects, name).await;
            kinds.push(found.map(|all| all.len()).map_err(|error| error.kind()));
        }
        let refused = Err(io::ErrorKind::PermissionDenied);
        let none = Err(io::ErrorKind::NotFound);
        assert_eq!(kinds, [Ok(2), refused, refused, none, Ok(1), refused]);
    }
}
