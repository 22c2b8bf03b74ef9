//! The port that clients connect to: which path is whose.

use std::{net::IpAddr, rc::Rc, sync::Arc};

use bytes::Bytes;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use sluice_contract::Code;
use sluice_engineio::Engine;
use sluice_net::{Handler, HandlerFuture, HttpResponse, Peer, response};
use sluice_socketio::SocketIo;
use sluice_util::Place;

use crate::{hub::HubCounters, native::NativeFront, shared::Shared, socketio::SocketIoFront};

/// Where clients of the plain protocol connect to.
const NATIVE_PATH: &str = "/ws";

/// Both protocols of one worker.
pub(crate) struct Front {
    pub(crate) socketio: Rc<Engine<SocketIo<SocketIoFront>>>,
    pub(crate) native: Rc<NativeFront>,
    pub(crate) counters: Arc<HubCounters>,
}
    pub(crate) shared: Arc<Shared>,

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
                let kind = "text/plain; charset=utf-8";
                let answer = response(StatusCode::NOT_FOUND, kind, Bytes::from(body));
                Box::pin(std::future::ready(HttpResponse::Plain(answer)))
            }
        }
    }
}

impl Handler for Front {
    fn handle(self: Rc<Self>, request: Request<Incoming>, peer: Peer) -> HandlerFuture {
        Box::pin(async move {
            let answer = Rc::clone(&self).answer(request, peer).await;
            self.count(&answer);
            answer
        })
    }
}
    fn arrive(&self, address: IpAddr) -> Option<Place> {
        let Shared {
            admission, policy, ..
        } = &*self.shared;
        admission.arrive(&policy.load(), address)
    }

