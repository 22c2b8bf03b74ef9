//! Whose word about a client's address is believed.

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, Ipv6Addr},
    str::from_utf8,
};

use ipnet::IpNet;

/// How many addresses of forwarding headers are looked at before the walk ends.
const MAX_HOPS: usize = 32;

/// The networks of the proxies in front of the gateway.
///
/// A forwarding header is only as true as whoever wrote it, so it is read from the right, the
/// end that the nearest proxy wrote, and no further than the first address that is not a trusted
/// proxy: that address is the client's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Box<[IpNet]>,
}

/// A trusted proxy that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither an IP address nor a network: write `10.0.0.0/8`, `fd00::/8` or `10.1.2.3`"
)]
pub struct ProxyError(pub String);

impl TrustedProxies {
    /// Reads networks (`10.0.0.0/8`, `fd00::/8`) and single addresses.
    pub fn parse<S: AsRef<str>>(networks: &[S]) -> Result<Self, Vec<(usize, ProxyError)>> {
        let mut parsed = Vec::with_capacity(networks.len());
        let mut errors = Vec::new();
        for (index, text) in networks.iter().enumerate() {
            match parse_network(text.as_ref()) {
                Some(network) => parsed.push(network),
                None => errors.push((index, ProxyError(text.as_ref().to_owned()))),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            networks: IpNet::aggregate(&parsed).into(),
        })
    }

    /// Whether `address` is one of the proxies.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// The address of the client behind `peer`.
    ///
    /// `x_forwarded_for` and `forwarded` (RFC 7239) are the values of these headers in the order
    /// in which they came, one item a header line. Where both are there, `X-Forwarded-For`
    /// counts: nearly every proxy writes it, and most let a client's own `Forwarded` through
    /// untouched. Values may be bytes, since a client may send any: a part that is no address, or no
    /// text, ends the walk at the proxy that passed it on. The answer of an IPv4 address mapped into
    /// IPv6 is the IPv4 address.
    pub fn client_ip<'h, T, X, F>(&self, peer: IpAddr, x_forwarded_for: X, forwarded: F) -> IpAddr
    where
        T: AsRef<[u8]> + ?Sized + 'h,
        X: DoubleEndedIterator<Item = &'h T>,
        F: DoubleEndedIterator<Item = &'h T>,
    {
        let peer = peer.to_canonical();
        if self.networks.is_empty() || !self.contains(peer) {
            return peer;
        }
        let mut hops = x_forwarded_for.rev().flat_map(from_the_right).peekable();
        if hops.peek().is_some() {
            return self.walk(peer, hops.map(|hop| parse_address(hop?)));
        }
        let hops = forwarded.rev().flat_map(from_the_right);
        self.walk(peer, hops.map(|hop| forwarded_for(hop?)))
    }

    fn walk(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        for hop in hops.take(MAX_HOPS) {
            let Some(address) = hop else { break };
            client = address;
            if !self.contains(client) {
                break;
            }
        }
        client
    }
}

/// The parts of a header line, from the last to the first; one that is no text is none.
fn from_the_right<T: AsRef<[u8]> + ?Sized>(line: &T) -> impl Iterator<Item = Option<&str>> {
    let parts = line.as_ref().rsplit(|&byte| byte == b',');
    parts.map(|part| from_utf8(part).ok())
}

fn parse_network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>()
        .map(|network| network.trunc())
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .ok()
}

/// An address as proxies write it: bare, with a port, or in brackets with a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text
        .strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .unwrap_or(text);
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let port_fits = port.is_empty() || port.strip_prefix(':')?.parse::<u16>().is_ok();
        return port_fits
            .then(|| address.parse::<Ipv6Addr>().ok())?
            .map(canonical);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = text.split_once(':')?;
    port.parse::<u16>().ok()?;
    address.parse().ok().map(IpAddr::V4)
}

fn canonical(address: Ipv6Addr) -> IpAddr {
    IpAddr::V6(address).to_canonical()
}

/// The `for` parameter of one element of a `Forwarded` header (RFC 7239 section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| parse_address(value))?
    })
}
