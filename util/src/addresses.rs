//! How much of something each address has.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex},
};

use crate::lock;

/// How many of something each address has: sockets, or connections.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<HashMap<IpAddr, u32>>);

impl Addresses {
    /// Counts one in, unless the address has `most` already.
    pub fn enter(&self, address: IpAddr, most: u32) -> bool {
        let mut addresses = lock(&self.0);
        let address = counted_address(address);
        let count = addresses.get(&address).copied().unwrap_or_default();
        if count >= most {
            return false;
        }
        addresses.insert(address, count + 1);
        true
    }

    /// Counts one out.
    pub fn exit(&self, address: IpAddr) {
        let mut addresses = lock(&self.0);
        let address = counted_address(address);
        if let Some(count) = addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}

/// One that an address has, counted as long as this lives.
#[derive(Debug)]
pub struct Place(Option<(Arc<Addresses>, IpAddr)>);

impl Place {
    /// One of `address`, unless it has `most` already.
    pub fn of(addresses: &Arc<Addresses>, address: IpAddr, most: u32) -> Option<Self> {
        let counted = || Self(Some((Arc::clone(addresses), address)));
        addresses.enter(address, most).then(counted)
    }

    /// One that is not counted.
    pub const fn uncounted() -> Self {
        Self(None)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((addresses, address)) = &self.0 {
            addresses.exit(*address);
        }
    }
}

/// What an address is counted under: an IPv4 address whole, an IPv6 address by its /64, the
/// smallest network that a provider hands out.
pub fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_as_many_as_allowed() {
        let addresses = Addresses::default();
        let ip = IpAddr::from([192, 0, 2, 1]);
        assert!(addresses.enter(ip, 1));
        assert!(!addresses.enter(ip, 1));
        addresses.exit(ip);
        assert!(addresses.enter(ip, 1));
    }

    #[test]
    fn a_place_is_given_back_and_a_refusal_leaves_nothing() {
        let addresses = Arc::new(Addresses::default());
        let ip = IpAddr::from([192, 0, 2, 1]);
        let place = Place::of(&addresses, ip, 1);
        assert!(place.is_some() && Place::of(&addresses, ip, 1).is_none());
        drop(place);
        assert!(Place::of(&addresses, ip, 0).is_none());
        assert!(lock(&addresses.0).is_empty());
    }

    #[test]
    fn ipv6_clients_are_counted_by_their_64() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(
            counted_address(ip("2001:db8:1:2:3:4:5:6")),
            ip("2001:db8:1:2::")
        );
        assert_eq!(counted_address(ip("198.51.100.1")), ip("198.51.100.1"));
        assert_eq!(
            counted_address(ip("::ffff:198.51.100.1")),
            ip("198.51.100.1")
        );
    }
}
