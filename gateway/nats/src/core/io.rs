//! What a part of the core may do: send, ask, deliver, and know the time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{RngExt as _, rngs::SmallRng};
use rustc_hash::FxHashMap;
use sluice_backbone::{BackboneEvent, Completion, Error, Publication, Workers};
use sluice_contract::Names;
use sluice_rooms::Message;
use tokio::sync::oneshot;

use super::Purpose;
use crate::link::protocol::encode::header_size;

/// Headers to send, in order.
pub type Fields = Vec<(&'static str, String)>;

/// Something for the link to do, in the order in which it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Get the messages of a subject from now on.
    Subscribe(String),
    /// Get the messages of this subject no more.
    Unsubscribe(String),
    /// Send a message.
    Publish {
        /// The subject that it goes to.
        subject: String,
        /// The request that answers belong to, where any are wanted.
        request: Option<u64>,
        /// Its headers.
        headers: Fields,
        /// Its payload.
        payload: Bytes,
    },
    /// Have the streams made that are not there, and those that are be as they should.
    KeepStreams,
    /// Send an answer to where a packet asked for it.
    Reply {
        /// The subject that it goes to.
        subject: Bytes,
        /// Its payload.
        payload: Bytes,
    },
}

/// A question whose answer has not come yet.
#[derive(Debug)]
struct Open {
    purpose: Purpose,
    due: Instant,
}

/// Questions on their way, by number.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: u64,
    open: FxHashMap<u64, Open>,
}

impl Requests {
    /// How many fields there are.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// What a question was for.
    pub(crate) fn purpose(&self, request: u64) -> Option<Purpose> {
        self.open.get(&request).map(|open| open.purpose.clone())
    }

    /// No further answer is wanted.
    pub(crate) fn close(&mut self, request: u64) {
        self.open.remove(&request);
    }

    /// Takes out the questions whose time is up.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<(u64, Purpose)> {
        let mut due: Vec<_> = self
            .open
            .extract_if(|_, open| open.due <= now)
            .map(|(request, open)| (request, open.purpose))
            .collect();
        due.sort_unstable_by_key(|(request, _)| *request);
        due
    }

    /// Takes out all questions: the connection that they went over is lost.
    pub(crate) fn take_all(&mut self) -> Vec<(u64, Purpose)> {
        let mut all: Vec<_> = self
            .open
            .drain()
            .map(|(request, open)| (request, open.purpose))
            .collect();
        all.sort_unstable_by_key(|(request, _)| *request);
        all
    }
}

/// What a part of the core looks at and acts by, while it is called.
pub(crate) struct Io<'a> {
    pub(crate) now: Instant,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: u64,
    /// The number of this gateway.
    pub(crate) gateway: u32,
    pub(crate) names: &'a Names,
    pub(crate) workers: &'a dyn Workers,
    pub(crate) out: &'a mut Vec<Action>,
    pub(crate) requests: &'a mut Requests,
    pub(crate) rng: &'a mut SmallRng,
    pub(crate) connected: bool,
    /// The most bytes of a message that the servers take, headers and payload together.
    pub(crate) max_payload: usize,
}

impl Io<'_> {
    /// Whether the servers take a message of so many bytes.
    pub(crate) fn fits(&self, headers: &Fields, payload: usize) -> bool {
        header_size(headers) + payload <= self.max_payload
    }

    pub(crate) fn subscribe(&mut self, subject: String) {
        self.out.push(Action::Subscribe(subject));
    }

    pub(crate) fn unsubscribe(&mut self, subject: String) {
        self.out.push(Action::Unsubscribe(subject));
    }

    pub(crate) fn publish(&mut self, subject: String, headers: Fields, payload: impl Into<Bytes>) {
        self.out.push(Action::Publish {
            subject,
            request: None,
            headers,
            payload: payload.into(),
        });
    }

    pub(crate) fn reply(&mut self, subject: Bytes, payload: impl Into<Bytes>) {
        self.out.push(Action::Reply {
            subject,
            payload: payload.into(),
        });
    }

    /// Asks, and has the answers brought to the part that `purpose` names. Without one in time,
    /// the part hears that too.
    pub(crate) fn request(
        &mut self,
        subject: String,
        headers: Fields,
        payload: impl Into<Bytes>,
        purpose: Purpose,
        within: Duration,
    ) -> u64 {
        self.requests.last += 1;
        let request = self.requests.last;
        let due = self.now + within;
        self.requests.open.insert(request, Open { purpose, due });
        self.out.push(Action::Publish {
            subject,
            request: Some(request),
            headers,
            payload: payload.into(),
        });
        request
    }

    /// A random number below `bound`, which must not be 0.
    pub(crate) fn random(&mut self, bound: u64) -> u64 {
        self.rng.random_range(0..bound)
    }

    pub(crate) fn random_id(&mut self) -> u64 {
        self.rng.random()
    }

    /// The message that is published.
    pub(crate) fn accept(&mut self, publication: Publication) -> Message {
        let (time, now) = (self.time, self.now);
        publication.accepted(|| self.random_id(), time, now)
    }

    /// Tells whoever waits, behind what the worker was given before.
    pub(crate) fn answer<T: Send + 'static>(
        &self,
        worker: usize,
        tell: oneshot::Sender<Result<T, Error>>,
        answer: Result<T, Error>,
    ) {
        let answer = Completion::new(tell, move || answer);
        self.workers
            .deliver(worker, BackboneEvent::Completion(answer));
    }
}
