//! The first look at a request: its origin, its address, and whether there is room for it.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderName, StatusCode, header, request::Parts};
use sluice_contract::Code;
use sluice_engineio::Refusal;
use sluice_net::Peer;

use crate::shared::Shared;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED: HeaderName = header::FORWARDED;

/// Seconds after which a client that found the gateway full may come again.
const RETRY_AFTER: u32 = 5;

/// A connection that was let in, counted as long as this lives.
pub(crate) struct Admitted {
    shared: Arc<Shared>,
    address: IpAddr,
    /// The token of an `Authorization: Bearer` header.
    pub(crate) bearer: Option<Box<str>>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.shared.disconnect();
        self.shared.addresses.exit(self.address);
    }
}

/// Lets a connection in, or says why not.
pub(crate) fn admit(
    shared: &Arc<Shared>,
    head: &Parts,
    peer: Peer,
) -> Result<Admitted, (Code, Refusal)> {
    let policy = shared.policy.load();
    let limits = &policy.limits;
    let address = limits.trusted_proxies.client_ip(
        peer.address.ip(),
        texts(&head.headers, &X_FORWARDED_FOR),
        texts(&head.headers, &FORWARDED),
    );
    if shared.is_draining() {
        return Err((Code::Draining, DRAINING));
    }
    if !shared.addresses.enter(address, limits.connections_per_ip) {
        return Err((Code::IpConnectionsExceeded, TOO_MANY));
    }
    if !shared.connect(u64::from(policy.max_connections)) {
        shared.addresses.exit(address);
        return Err((Code::GatewayFull, FULL));
    }
    Ok(Admitted {
        shared: Arc::clone(shared),
        address,
        bearer: bearer(&head.headers),
    })
}

const TOO_MANY: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: 4,
    message: "Too many connections from this address; close some first",
    retry_after: Some(RETRY_AFTER),
};

/// An answer that the stock client tries again after, unlike a refusal within Socket.IO.
const DRAINING: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: 4,
    message: "The gateway is draining; connect again to reach another one",
    retry_after: Some(1),
};

const FULL: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    code: 4,
    message: "The gateway is full; connect again later",
    retry_after: Some(RETRY_AFTER),
};

/// Whether a browser's page from this request's origin may connect.
pub(crate) fn origin_allowed(shared: &Shared, head: &Parts) -> bool {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    // An origin that is no text is not allowed, and not the same as none.
    let origin = match head.headers.get(header::ORIGIN) {
        None => None,
        Some(value) => Some(value.to_str().unwrap_or("invalid")),
    };
    shared
        .policy
        .load()
        .origins
        .allows(origin, text(header::HOST))
}

fn bearer(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().into())
}

fn texts<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl DoubleEndedIterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
}
