//! The first look at a socket and at a request: its address, its origin, and whether there is room.

mod rates;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use sluice_backend::{ClientRequest, Handshake};
use sluice_contract::Code;
use sluice_engineio::Refusal;
use sluice_net::Peer;
use sluice_policy::{Policy, Rate};
use sluice_util::{Addresses, Place};

use self::rates::Rates;
use crate::{handshake, holders::Holders};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED: HeaderName = header::FORWARDED;

/// Seconds after which a client that found the gateway full may come again.
const RETRY_AFTER: u32 = 5;

/// How many sockets an address may have for each connection that it may have, besides those that
/// speak WebSocket by now: a client that polls waits on one, sends on another and tries to upgrade on
/// a third.
const SOCKETS_PER_CONNECTION: u32 = 3;

/// A connection that was let in, counted as long as this lives.
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    /// Where the client is, as far as proxies that are believed say.
    pub(crate) address: IpAddr,
    /// The token of an `Authorization: Bearer` header.
    pub(crate) bearer: Option<Box<str>>,
    /// What the backend is told of the request, where it is to be told.
    pub(crate) request: Option<Arc<ClientRequest>>,
}

impl Admitted {
    /// What the backend is told of a client that asks for a namespace with this `auth`.
    pub(crate) fn handshake(&self, policy: &Policy, auth: &str) -> Option<Handshake> {
        self.request.as_ref().map(|request| Handshake {
            request: Arc::clone(request),
            auth: handshake::auth(policy, auth),
        })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.open.fetch_sub(1, Ordering::Relaxed);
        self.admission.addresses.exit(self.address);
    }
}

/// Which connections this gateway has, and whether it takes more.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// Connections open now, WebSocket and polling.
    open: AtomicU64,
    peak: AtomicU64,
    addresses: Addresses,
    /// Sockets on which HTTP is spoken.
    sockets: Arc<Addresses>,
    /// Tokens that were refused: each has cost the check of a signature.
    bad_tokens: Rates,
    /// What is remembered of users and addresses.
    pub(crate) holders: Holders,
    draining: AtomicBool,
}

impl Admission {
    /// How many connections are open now.
    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How many were open at once at most.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Whether nobody is let in, because the gateway drains.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Lets nobody in from now on, or whom there is room for again.
    pub(crate) fn set_draining(&self, draining: bool) {
        self.draining.store(draining, Ordering::Relaxed);
    }

    /// A place for a socket, unless its address has as many as it may. Those of trusted proxies are
    /// their clients', whose addresses are not known yet.
    pub(crate) fn arrive(&self, policy: &Policy, address: IpAddr) -> Option<Place> {
        let limits = &policy.limits;
        if limits.trusted_proxies.contains(address) {
            return Some(Place::uncounted());
        }
        let most = limits.connections_per_ip;
        let most = most.saturating_mul(SOCKETS_PER_CONNECTION);
        Place::of(&self.sockets, address, most)
    }

    /// Lets a connection in, or says why not.
    pub(crate) fn admit(
        self: &Arc<Self>,
        policy: &Policy,
        head: &Parts,
        peer: Peer,
    ) -> Result<Admitted, (Code, Refusal)> {
        let limits = &policy.limits;
        let address = limits.trusted_proxies.client_ip(
            peer.address.ip(),
            lines(&head.headers, &X_FORWARDED_FOR),
            lines(&head.headers, &FORWARDED),
        );
        if self.is_draining() {
            return Err((Code::Draining, DRAINING));
        }
        let now = self.holders.now_ms();
        if self.bad_tokens.is_spent(address, now, bad_tokens(policy)) {
            return Err((Code::IpBadTokensExceeded, TOO_MANY_BAD_TOKENS));
        }
        if !self.addresses.enter(address, limits.connections_per_ip) {
            return Err((Code::IpConnectionsExceeded, TOO_MANY));
        }
        if !self.count_in(u64::from(policy.max_connections)) {
            self.addresses.exit(address);
            return Err((Code::GatewayFull, FULL));
        }
        Ok(Admitted {
            admission: Arc::clone(self),
            address,
            bearer: bearer(&head.headers),
            request: handshake::kept(policy, head, address),
        })
    }

    /// A client from this address has shown a token that was refused.
    pub(crate) fn charge_bad_token(&self, policy: &Policy, address: IpAddr) {
        let now = self.holders.now_ms();
        self.bad_tokens.charge(address, now, bad_tokens(policy));
    }

    /// Counts a connection in, if the gateway has room for it.
    fn count_in(&self, most: u64) -> bool {
        let now = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        if now > most {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.peak.fetch_max(now, Ordering::Relaxed);
        true
    }
}

const TOO_MANY: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: 4,
    message: "Too many connections from this address; close some first",
    retry_after: Some(RETRY_AFTER),
};

const TOO_MANY_BAD_TOKENS: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: 4,
    message: "Too many refused tokens from this address; get a good one and connect again later",
    retry_after: Some(1),
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

/// How many bad tokens an address may show: one a second for each connection that it may have, so
/// that clients who come back all at once with tokens that have expired do not lock each other out.
fn bad_tokens(policy: &Policy) -> Rate {
    Rate::per_second(policy.limits.connections_per_ip)
}

/// Whether a browser's page from this request's origin may connect.
pub(crate) fn origin_allowed(policy: &Policy, head: &Parts, peer: Peer) -> bool {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    // An origin that is no text is not allowed, and not the same as none.
    let origin = match head.headers.get(header::ORIGIN) {
        None => None,
        Some(value) => Some(value.to_str().unwrap_or("invalid")),
    };
    let secure = is_secure(policy, head, peer);
    policy.origins.allows(origin, text(header::HOST), secure)
}

/// Whether a request was sent over TLS. Of one that came without, only a proxy that is trusted can
/// say so; what others may have taken TLS off is not known.
fn is_secure(policy: &Policy, head: &Parts, peer: Peer) -> Option<bool> {
    if peer.tls {
        return Some(true);
    }
    if !policy.limits.trusted_proxies.contains(peer.address.ip()) {
        return None;
    }
    let said = lines(&head.headers, &X_FORWARDED_PROTO).next_back()?;
    let said = said.rsplit(|&byte| byte == b',').next()?.trim_ascii();
    Some(said.eq_ignore_ascii_case(b"https") || said.eq_ignore_ascii_case(b"wss"))
}

fn bearer(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().into())
}

fn lines<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl DoubleEndedIterator<Item = &'a [u8]> {
    let values = headers.get_all(name).into_iter();
    values.map(HeaderValue::as_bytes)
}
