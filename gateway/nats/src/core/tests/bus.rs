//! What NATS is to gateways, in memory, with its losses.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use sluice_backbone::{Error, Reply};
use sluice_contract::Names;
use sluice_rooms::{PresenceMode, RoomKey, RoomSettings};

use super::workers::FakeWorkers;
use crate::{
    Headers, Packet,
    core::{Action, At, Completions, Core, Identity, TICK},
};

type Loss = Box<dyn FnMut(&str, usize, usize) -> bool>;

pub(super) struct Node {
    pub(super) core: Core,
    pub(super) workers: Arc<FakeWorkers>,
    subjects: HashSet<String>,
    connected: bool,
    alive: bool,
}

/// Gateways and what is on its way between them.
pub(super) struct Bus {
    pub(super) nodes: Vec<Node>,
    pub(super) at: At,
    /// Whether a message of this subject is lost between these two.
    pub(super) loss: Loss,
    /// The subjects of all that was sent.
    pub(super) sent: Vec<(usize, String, usize)>,
    /// Who asked what under which number.
    asked: Vec<(usize, String, u64)>,
    queue: VecDeque<(usize, Action)>,
}

impl Bus {
    /// So many gateways that know each other.
    pub(super) fn new(gateways: usize) -> Self {
        let mut bus = Self {
            nodes: Vec::new(),
            at: At {
                now: Instant::now(),
                time: 1_000,
            },
            loss: Box::new(|_, _, _| false),
            sent: Vec::new(),
            asked: Vec::new(),
            queue: VecDeque::new(),
        };
        for _ in 0..gateways {
            bus.start();
        }
        bus
    }

    /// One more.
    pub(super) fn start(&mut self) -> usize {
        let name = format!("chat-{}", self.nodes.len());
        self.start_as(&name)
    }

    /// One more, of this name.
    pub(super) fn start_as(&mut self, name: &str) -> usize {
        let at = self.nodes.len();
        let workers = Arc::new(FakeWorkers::default());
        let identity = Identity {
            gateway: at as u32 + 1,
            name: name.into(),
            names: Names::new("default", "chat"),
            seed: at as u64,
        };
        let completions = Arc::new(Completions::new(|| {}));
        self.nodes.push(Node {
            core: Core::new(identity, Arc::clone(&workers) as _, completions),
            workers,
            subjects: HashSet::new(),
            connected: false,
            alive: true,
        });
        self.act(at, |core, _, out| core.start(out));
        self.connect(at);
        at
    }

    /// Does something at a gateway, and brings about all that follows at once.
    pub(super) fn act<T>(
        &mut self,
        node: usize,
        f: impl FnOnce(&mut Core, At, &mut Vec<Action>) -> T,
    ) -> T {
        let mut out = Vec::new();
        let result = f(&mut self.nodes[node].core, self.at, &mut out);
        self.nodes[node].core.completed(self.at, &mut out);
        self.queue
            .extend(out.into_iter().map(|action| (node, action)));
        while let Some((from, action)) = self.queue.pop_front() {
            self.carry(from, action);
        }
        result
    }

    fn carry(&mut self, from: usize, action: Action) {
        match action {
            Action::Subscribe(subject) => {
                assert!(
                    self.nodes[from].subjects.insert(subject),
                    "subscribed twice"
                );
            }
            Action::Unsubscribe(subject) => {
                assert!(self.nodes[from].subjects.remove(&subject), "not subscribed");
            }
            Action::Publish {
                subject,
                request,
                payload,
                ..
            } => {
                self.sent.push((from, subject.clone(), payload.len()));
                let asked = request.map(|request| (from, subject.clone(), request));
                self.asked.extend(asked);
                let reply = request.map(|request| format!("_INBOX.{from}.{request}").into());
                if let Some(request) = request.filter(|_| self.is_for_nobody(from, &subject)) {
                    self.give(from, |core, at, out| {
                        core.answer(at, request, &no_responders(), out);
                    });
                }
                let to: Vec<_> = (0..self.nodes.len())
                    .filter(|to| *to != from && self.reaches(from, *to, &subject))
                    .collect();
                for to in to {
                    let packet = packet(&subject, reply.clone(), &payload);
                    self.give(to, |core, at, out| core.message(at, &packet, out));
                }
            }
            Action::KeepStreams => {}
            Action::Reply { subject, payload } => {
                let inbox = String::from_utf8(subject.to_vec()).unwrap();
                let mut parts = inbox
                    .split('.')
                    .skip(1)
                    .map(|part| part.parse::<u64>().unwrap());
                let (to, request) = (parts.next().unwrap() as usize, parts.next().unwrap());
                if self.is_linked(from) && self.is_linked(to) && !(self.loss)(&inbox, from, to) {
                    let packet = packet(&inbox, None, &payload);
                    self.give(to, |core, at, out| core.answer(at, request, &packet, out));
                }
            }
        }
    }

    fn give(&mut self, to: usize, f: impl FnOnce(&mut Core, At, &mut Vec<Action>)) {
        let mut out = Vec::new();
        let core = &mut self.nodes[to].core;
        f(core, self.at, &mut out);
        core.completed(self.at, &mut out);
        self.queue
            .extend(out.into_iter().map(|action| (to, action)));
    }

    fn is_linked(&self, node: usize) -> bool {
        self.nodes[node].connected && self.nodes[node].alive
    }

    /// Whether it is for a gateway that is not there. Other questions are for what is not here.
    fn is_for_nobody(&self, from: usize, subject: &str) -> bool {
        let listens = |node: &Node| node.subjects.iter().any(|own| matches(own, subject));
        let mut there = (0..self.nodes.len()).filter(|node| self.is_linked(*node));
        self.is_linked(from)
            && subject.contains(".gw.")
            && !there.any(|node| node != from && listens(&self.nodes[node]))
    }

    fn reaches(&mut self, from: usize, to: usize, subject: &str) -> bool {
        let wanted = |pattern: &String| matches(pattern, subject);
        self.is_linked(from)
            && self.is_linked(to)
            && self.nodes[to].subjects.iter().any(wanted)
            && !(self.loss)(subject, from, to)
    }

    /// A message that no gateway has sent.
    pub(super) fn inject(&mut self, to: usize, kind: &str, payload: &[u8]) {
        let packet = packet(
            &format!("sluice.default.chat.{kind}"),
            Some("_INBOX.0.0".into()),
            payload,
        );
        self.act(to, |core, at, out| core.message(at, &packet, out));
    }

    /// What the servers answer to the last question of a gateway.
    pub(super) fn answer(&mut self, to: usize, headers: &str, payload: &[u8]) {
        self.answer_to(to, "", headers, payload);
    }

    /// What the servers answer to its last question whose subject has this in it.
    pub(super) fn answer_to(&mut self, to: usize, word: &str, headers: &str, payload: &[u8]) {
        let headers = Headers::new(headers.as_bytes().to_vec().into());
        let packet = Packet {
            headers,
            ..packet("_INBOX", None, payload)
        };
        let mut asked = self.asked.iter().rev();
        let asked = asked.find(|(from, subject, _)| *from == to && subject.contains(word));
        let request = asked.map_or(0, |(_, _, request)| *request);
        self.act(to, |core, at, out| core.answer(at, request, &packet, out));
    }

    pub(super) fn connect(&mut self, node: usize) {
        self.nodes[node].connected = true;
        self.act(node, Core::connected);
    }

    pub(super) fn disconnect(&mut self, node: usize) {
        self.nodes[node].connected = false;
        self.act(node, Core::disconnected);
    }

    /// Without a word, it is not there any more.
    pub(super) fn kill(&mut self, node: usize) {
        self.nodes[node].alive = false;
    }

    pub(super) fn tick(&mut self) {
        self.at.now += TICK;
        self.at.time += TICK.as_millis() as u64;
        for node in 0..self.nodes.len() {
            if self.nodes[node].alive {
                self.act(node, Core::tick);
            }
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let until = self.at.now + time;
        while self.at.now < until {
            self.tick();
        }
    }

    pub(super) fn run_seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    pub(super) fn join_as(&mut self, node: usize, user: &str, settings: RoomSettings) -> Reply<()> {
        let user = user.into();
        self.act(node, |core, at, out| {
            core.join(at, &room(), &user, &settings, out)
        })
    }

    /// A session joins the room, which announces who comes and goes.
    pub(super) fn join(&mut self, node: usize, user: &str) {
        now(self.join_as(node, user, announced())).unwrap();
    }

    pub(super) fn leave(&mut self, node: usize, user: &str) {
        self.act(node, |core, _, _| core.leave(&room(), &user.into()));
    }

    pub(super) fn members(&mut self, node: usize) -> Reply<sluice_backbone::Members> {
        self.act(node, |core, at, out| core.members(at, &room(), 10_000, out))
    }

    /// Who is in the room as a gateway sees it, in order.
    pub(super) fn view(&mut self, node: usize) -> Vec<String> {
        let members = later(self.members(node)).unwrap();
        assert_eq!(members.users.len(), members.count);
        let users: BTreeSet<_> = members.users.iter().map(ToString::to_string).collect();
        users.into_iter().collect()
    }

    /// What the members at a gateway were told since this was last asked: `+` came, `-` went.
    pub(super) fn news(&self, node: usize) -> Vec<String> {
        let news = self.nodes[node]
            .workers
            .with(|done| std::mem::take(&mut done.news));
        let told = news.iter().flat_map(|news| {
            let joined = news.joined.iter().map(|user| format!("+{user}"));
            joined.chain(news.left.iter().map(|user| format!("-{user}")))
        });
        told.collect()
    }
}

fn packet(subject: &str, reply: Option<Bytes>, payload: &[u8]) -> Packet {
    Packet {
        subject: subject.as_bytes().to_vec().into(),
        reply,
        headers: Headers::default(),
        payload: payload.to_vec().into(),
    }
}

fn no_responders() -> Packet {
    Packet {
        headers: Headers::new("NATS/1.0 503\r\n\r\n".into()),
        ..packet("_INBOX", None, b"")
    }
}

fn matches(pattern: &str, subject: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => subject
            .strip_prefix(start)
            .is_some_and(|rest| !rest.contains('.')),
        None => pattern == subject,
    }
}

pub(super) fn room() -> RoomKey {
    RoomKey::new("/", "team red")
}

pub(super) fn announced() -> RoomSettings {
    RoomSettings {
        presence: PresenceMode::Announced,
        ..RoomSettings::default()
    }
}

pub(super) fn bounded(members: u32) -> RoomSettings {
    RoomSettings {
        members: Some(members),
        ..RoomSettings::default()
    }
}

/// The answer that is there at once.
pub(super) fn now<T>(reply: Reply<T>) -> Result<T, Error> {
    match reply {
        Reply::Now(result) => result,
        Reply::Later(_) => panic!("the answer should be there at once"),
    }
}

/// An answer that need not be there at once, but is there now.
pub(super) fn later<T>(reply: Reply<T>) -> Result<T, Error> {
    match reply {
        Reply::Now(result) => result,
        Reply::Later(mut future) => poll(&mut future).expect("the answer should be there"),
    }
}

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

pub(super) fn poll<T>(answer: &mut Pending<T>) -> Option<Result<T, Error>> {
    match answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// An answer that is not there yet.
pub(super) fn pending<T>(reply: Reply<T>) -> Pending<T> {
    let Reply::Later(mut answer) = reply else {
        panic!("the answer should not be there at once");
    };
    assert!(
        poll(&mut answer).is_none(),
        "the answer should not be there yet"
    );
    answer
}

/// Loses the first message from one to another whose subject has this in it.
pub(super) fn lose_one(word: &'static str, from: usize, to: usize) -> Loss {
    let left = Mutex::new(1);
    Box::new(move |subject, sender, receiver| {
        let mut left = left.lock().unwrap();
        let lost = *left > 0 && subject.contains(word) && (sender, receiver) == (from, to);
        *left -= i32::from(lost);
        lost
    })
}
