//! Whatever is said of where a request came from, a client's address is its peer's, or one that a
//! trusted proxy says; and no origin breaks what compares it.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use sluice_policy::{Origins, TrustedProxies};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fuzz_target!(|input: (Vec<&str>, Vec<&str>)| {
    let (lines, others) = input;
    let Ok(proxies) = TrustedProxies::parse(&["10.0.0.0/8"]) else {
        panic!("the network should be read")
    };
    let said = |peer| proxies.client_ip(peer, lines.iter().copied(), others.iter().copied());
    assert_eq!(said(STRANGER), STRANGER);
    let client = said(PROXY);
    assert_eq!(client, client.to_canonical());
    let _ = TrustedProxies::parse(&lines);
    let Some((origin, host)) = lines.first().zip(others.first()) else {
        return;
    };
    for secure in [None, Some(false), Some(true)] {
        if let Ok(origins) = Origins::parse(&lines) {
            let _ = origins.allows(Some(origin), Some(host), secure);
        }
        if let Ok(own) = Origins::parse::<&str>(&[]) {
            let _ = own.allows(Some(origin), Some(host), secure);
        }
    }
});
