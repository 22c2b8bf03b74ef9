//! How many connections each client address has.

use std::{collections::HashMap, net::IpAddr, sync::Mutex};

use sluice_policy::counted_address;
use sluice_util::lock;

/// How many connections each client address has.
#[derive(Debug, Default)]
pub(super) struct Addresses(Mutex<HashMap<IpAddr, u32>>);

impl Addresses {
    /// Counts a connection in, unless the address has `most` already.
    pub(super) fn enter(&self, address: IpAddr, most: u32) -> bool {
        let mut addresses = lock(&self.0);
        let count = addresses.entry(counted_address(address)).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        true
    }

    /// Counts a connection out.
    pub(super) fn exit(&self, address: IpAddr) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_as_many_connections_as_allowed() {
        let addresses = Addresses::default();
        let ip = IpAddr::from([192, 0, 2, 1]);
        assert!(addresses.enter(ip, 1));
        assert!(!addresses.enter(ip, 1));
        addresses.exit(ip);
        assert!(addresses.enter(ip, 1));
    }
}
