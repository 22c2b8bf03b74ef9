//! The port that clients connect to: which path is whose.

use std::{net::IpAddr, rc::Rc, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Version, header, request::Parts, uri::Authority};
use hyper::body::Incoming;
use sluice_contract::Code;
use sluice_engineio::Engine;
use sluice_net::{Handler, HandlerFuture, HttpResponse, Patience, Peer, response};
use sluice_socketio::SocketIo;
use sluice_util::Place;

use crate::{hub::HubCounters, native::NativeFront, shared::Shared, socketio::SocketIoFront};

/// Where clients of the plain protocol connect to.
const NATIVE_PATH: &str = "/ws";

const NO_HOST: &str = "A request of HTTP/1.1 names its host: send one Host header.\n";

/// Both protocols of one worker.
pub(crate) struct Front {
    pub(crate) socketio: Rc<Engine<SocketIo<SocketIoFront>>>,
    pub(crate) native: Rc<NativeFront>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: Arc<HubCounters>,
}

impl Front {
    /// Counts a request that is none of the protocols'; other refusals are counted where they are
    /// made.
    fn count(&self, answer: &HttpResponse) {
        let HttpResponse::Plain(response) = answer else {
            return;
        };
        let code = match response.status() {
            StatusCode::BAD_REQUEST => Code::BadRequest,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Code::MessageTooLarge,
            StatusCode::UPGRADE_REQUIRED => Code::UpgradeRequired,
            _ => return,
        };
        self.counters.failed(code);
    }

    fn answer(self: Rc<Self>, request: Request<Incoming>, peer: Peer) -> HandlerFuture {
        let (head, body) = request.into_parts();
        if !names_its_host(&head) {
            return text(StatusCode::BAD_REQUEST, NO_HOST.into());
        }
        let request = Request::from_parts(head, body);
        match request.uri().path() {
            path if self.socketio.serves(path) => Rc::clone(&self.socketio).handle(request, peer),
            NATIVE_PATH => {
                let (head, _) = request.into_parts();
                let answer = self.native.open(&head, peer);
                Box::pin(std::future::ready(answer))
            }
            _ => {
                let path = self.socketio.path();
                let body = format!(
                    "Nothing is here. Socket.IO clients connect to {path}, others to /ws.\n"
                );
                text(StatusCode::NOT_FOUND, body.into())
            }
        }
    }
}

fn text(status: StatusCode, body: Bytes) -> HandlerFuture {
    let answer = response(status, "text/plain; charset=utf-8", body);
    Box::pin(std::future::ready(HttpResponse::Plain(answer)))
}

/// Whether a request says once, and as a host is written, which one it is for. Requests of HTTP/1.1
/// must (RFC 9112, section 3.2).
fn names_its_host(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => head.version < Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    }
}

/// Whether this is a host, with or without a port. It may be empty where the address has none.
fn is_host(host: &HeaderValue) -> bool {
    let bytes = host.as_bytes();
    bytes.is_empty() || (!bytes.contains(&b'@') && Authority::try_from(bytes).is_ok())
}

impl Handler for Front {
    fn patience(&self) -> Patience {
        Patience {
            idle: self.shared.policy.load().keep_alive,
            ..Patience::default()
        }
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        let policy = self.shared.policy.load();
        policy.proxy_protocol && policy.limits.trusted_proxies.contains(address)
    }

    fn arrive(&self, address: IpAddr) -> Option<Place> {
        let Shared {
            admission, policy, ..
        } = &*self.shared;
        admission.arrive(&policy.load(), address)
    }

    fn handle(self: Rc<Self>, request: Request<Incoming>, peer: Peer) -> HandlerFuture {
        Box::pin(async move {
            let answer = Rc::clone(&self).answer(request, peer).await;
            self.count(&answer);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(version: Version, hosts: &[&[u8]]) -> bool {
        let mut request = Request::get("/ws").version(version);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        names_its_host(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_request_names_its_host_once_where_its_version_demands_it() {
        for good in ["a", "a.example:8080", "[::1]:3000", "192.0.2.1", ""] {
            assert!(named(Version::HTTP_11, &[good.as_bytes()]), "{good}");
        }
        for wrong in [&b"a b"[..], b"a/b", b"ann@a", b"a:b:c", b"\xe9", b"a,b?"] {
            assert!(!named(Version::HTTP_11, &[wrong]), "{wrong:?}");
        }
        assert!(!named(Version::HTTP_11, &[]));
        assert!(!named(Version::HTTP_11, &[b"a", b"a"]));
        assert!(named(Version::HTTP_10, &[]));
        assert!(!named(Version::HTTP_10, &[b"a", b"b"]));
    }
}
