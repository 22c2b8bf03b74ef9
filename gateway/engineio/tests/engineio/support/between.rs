//! What is between gateways: frames in their order, which a test may lose, hold back or look at.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use sluice_codec::peer::{Answer, Tell};
use sluice_engineio::{Answering, Inbound, Joined, PeerCounters, Peers, Unreachable};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
};

#[derive(Clone)]
pub struct Between(Arc<Shared>);

type Frame = (u32, u32, &'static str, Bytes);

struct Shared {
    state: Mutex<State>,
    /// Changes whenever the state does, for calls that wait.
    changed: watch::Sender<()>,
    tells: mpsc::UnboundedSender<Frame>,
    runtime: Handle,
    max_tunnels: usize,
}

#[derive(Default)]
struct State {
    gateways: HashMap<u32, Inbound>,
    cut: HashSet<u32>,
    dead: HashSet<u32>,
    /// How many frames with bytes are still to be lost.
    to_lose: usize,
    /// Which gateways do not say what their sids are made with.
    keyless: HashSet<u32>,
    /// What was asked, by its kind.
    asked: Vec<String>,
    /// Which part of the frames fares badly, in each of the ways there are.
    disturbed: f64,
    late: Option<Frame>,
    holds: bool,
    held: usize,
    windows: Windows,
    parted: Parted,
}

/// What happened since a gateway was last cut off.
#[derive(Default)]
struct Parted {
    /// What was told and did not arrive, and by whom.
    lost: Vec<(u32, Tell)>,
    /// Who asked and got no answer.
    unanswered: HashSet<u32>,
}

impl Parted {
    /// Whether bytes were lost, sent again and lost again.
    fn lost_twice(&self) -> bool {
        let mut seen = HashSet::new();
        self.lost.iter().any(|(from, tell)| match tell {
            Tell::Data {
                tunnel,
                offset,
                bytes,
                ..
            } => !bytes.is_empty() && !seen.insert((from, tunnel, offset)),
            _ => false,
        })
    }
}

/// What is under way in each direction of each tunnel, by who sends.
#[derive(Default)]
struct Windows {
    sent: HashMap<(u32, u64), u64>,
    written: HashMap<(u32, u64), u64>,
    most: u64,
}

impl Windows {
    fn told(&mut self, from: u32, to: u32, tell: &Tell) {
        if let Tell::Data {
            tunnel,
            offset,
            bytes,
            ..
        } = tell
        {
            let end = offset + bytes.len() as u64;
            self.sent.insert((from, *tunnel), end);
            let written = self.written.get(&(from, *tunnel)).copied().unwrap_or(0);
            // What is sent again may be written by now.
            self.most = self.most.max(end.saturating_sub(written));
        }
        if let Tell::Data { tunnel, marks, .. } | Tell::Ack { tunnel, marks } = tell {
            self.written.insert((to, *tunnel), marks.written);
        }
    }
}

impl State {
    fn parts(&self, from: u32, to: u32) -> bool {
        let gone = |number| self.cut.contains(number) || self.dead.contains(number);
        gone(&from) || gone(&to)
    }

    /// What comes of a frame, in this order.
    fn fate(&mut self, frame: Frame) -> Vec<Frame> {
        if !matches!(
            Tell::decode(frame.3.clone()),
            Ok(Tell::Reset { .. } | Tell::Leave { .. })
        ) {
            let chance = rand::random::<f64>();
            if chance < self.disturbed {
                return Vec::new();
            }
            if chance < 2.0 * self.disturbed {
                return vec![frame.clone(), frame];
            }
            if chance < 3.0 * self.disturbed {
                return self.late.replace(frame).into_iter().collect();
            }
        }
        [frame].into_iter().chain(self.late.take()).collect()
    }
}

impl Between {
    /// Must be called within a runtime.
    pub fn new() -> Self {
        Self::with_tunnels(100)
    }

    pub fn with_tunnels(max_tunnels: usize) -> Self {
        let (tells, mut told) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: watch::channel(()).0,
            tells,
            runtime: Handle::current(),
            max_tunnels,
        });
        let weak = Arc::downgrade(&shared);
        tokio::spawn(async move {
            while let Some(frame) = told.recv().await {
                let Some(shared) = weak.upgrade() else { return };
                shared.pass_on(frame);
            }
        });
        Self(shared)
    }

    pub fn way(&self, number: u32) -> Joined {
        Joined {
            gateway: number,
            peers: Arc::new(TestPeers {
                from: number,
                shared: Arc::clone(&self.0),
            }),
            max_tunnels: self.0.max_tunnels,
        }
    }

    pub fn reach(&self, number: u32, inbound: Inbound) {
        self.change(|state| state.gateways.insert(number, inbound));
    }

    pub fn inbound(&self, number: u32) -> Inbound {
        self.0.lock().gateways[&number].clone()
    }

    /// What a gateway counts of the others.
    pub fn count(&self, number: u32, pick: impl Fn(&PeerCounters) -> u64) -> u64 {
        pick(self.inbound(number).counters())
    }

    /// Nothing comes from or to this gateway any more; calls to it fail.
    pub fn cut(&self, number: u32) {
        self.change(|state| {
            state.parted = Parted::default();
            state.cut.insert(number)
        });
    }

    /// What comes from and to this gateway passes again. What was on its way is lost.
    pub fn mend(&self, number: u32) {
        self.change(|state| state.cut.remove(&number));
    }

    /// As a cut, and those who call the gateway learn that it is not there.
    pub fn kill(&self, number: u32) {
        self.change(|state| state.dead.insert(number));
    }

    /// This gateway does not say what its sids are made with.
    pub fn hide_key(&self, number: u32) {
        self.change(|state| state.keyless.insert(number));
    }

    /// How often something of this kind was asked.
    pub fn asked(&self, kind: &str) -> usize {
        let state = self.0.lock();
        state.asked.iter().filter(|asked| *asked == kind).count()
    }

    /// Of the frames from now on, this part gets lost, another as large comes twice, and another
    /// one after those that follow it.
    pub fn disturb(&self, part: f64) {
        self.change(|state| state.disturbed = part);
    }

    /// The next frames with bytes get lost.
    pub fn lose(&self, frames: usize) {
        self.change(|state| state.to_lose = frames);
    }

    /// Whether all that was to get lost is lost.
    pub fn has_lost(&self) -> bool {
        self.0.lock().to_lose == 0
    }

    /// Whether bytes were lost, sent again and lost again since a gateway was last cut off.
    pub fn lost_twice(&self) -> bool {
        self.0.lock().parted.lost_twice()
    }

    /// Whether something like this was lost since a gateway was last cut off.
    pub fn has_lost_any(&self, like: impl Fn(&Tell) -> bool) -> bool {
        let state = self.0.lock();
        state.parted.lost.iter().any(|(_, tell)| like(tell))
    }

    /// Whether this gateway asked another one and got no answer since one was last cut off.
    pub fn has_asked_in_vain(&self, number: u32) -> bool {
        self.0.lock().parted.unanswered.contains(&number)
    }

    /// Answers wait until they are let go.
    pub fn hold(&self, holds: bool) {
        self.change(|state| state.holds = holds);
    }

    /// How many answers were held back.
    pub fn held(&self) -> usize {
        self.0.lock().held
    }

    /// The most bytes that ever were under way in one direction of a tunnel.
    pub fn most_under_way(&self) -> u64 {
        self.0.lock().windows.most
    }

    fn change<T>(&self, f: impl FnOnce(&mut State) -> T) {
        f(&mut self.0.lock());
        self.0.changed.send_replace(());
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn passes(&self, from: u32, to: u32) -> Option<Inbound> {
        let state = self.lock();
        let parted = state.parts(from, to);
        state.gateways.get(&to).filter(|_| !parted).cloned()
    }

    fn pass_on(&self, (from, to, kind, message): Frame) {
        if let Some(inbound) = self.passes(from, to) {
            inbound.told(from, kind, message);
        } else if let Ok(tell) = Tell::decode(message) {
            self.lock().parted.lost.push((from, tell));
        }
    }

    /// Why a gateway cannot be reached.
    fn why(&self, to: u32) -> Unreachable {
        if self.lock().dead.contains(&to) {
            Unreachable::Absent
        } else {
            Unreachable::Silent
        }
    }

    /// The answer of a gateway, unless it is silent for so long, or they are parted meanwhile.
    async fn ask(
        self: &Arc<Self>,
        from: u32,
        to: u32,
        kind: &str,
        request: Bytes,
        within: Duration,
    ) -> Result<Bytes, Unreachable> {
        let inbound = self.passes(from, to).ok_or_else(|| self.why(to))?;
        let (reply, mut answer) = oneshot::channel();
        let hides = kind == "alive" && self.lock().keyless.contains(&to);
        self.lock().asked.push(kind.to_owned());
        // The other side goes on, whether or not somebody waits for its answer.
        let there = Arc::clone(self);
        let call = inbound.call(from, kind, request);
        self.runtime.spawn(async move {
            let mut answer = call.await;
            if hides {
                answer = Answer::Whole(Bytes::new()).encode();
            }
            there.hold().await;
            if there.passes(to, from).is_some() {
                let _ = reply.send(answer);
            }
        });
        let gone = self.until(|state| state.parts(from, to));
        tokio::select! {
            answer = &mut answer => answer.map_err(|_| Unreachable::Silent),
            () = gone => Err(self.why(to)),
            () = tokio::time::sleep(within) => Err(Unreachable::Silent),
        }
    }

    /// Holds an answer back, as long as answers are to be.
    async fn hold(&self) {
        {
            let mut state = self.lock();
            state.held += usize::from(state.holds);
        }
        self.until(|state| !state.holds).await;
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut changed = self.changed.subscribe();
        while !holds(&self.lock()) {
            let _ = changed.changed().await;
        }
    }
}

struct TestPeers {
    from: u32,
    shared: Arc<Shared>,
}

impl Peers for TestPeers {
    fn call(
        &self,
        to: u32,
        kind: &'static str,
        request: Bytes,
        within: Duration,
    ) -> Answering<Result<Bytes, Unreachable>> {
        let (from, shared) = (self.from, Arc::clone(&self.shared));
        Box::pin(async move {
            let answer = shared.ask(from, to, kind, request, within).await;
            if answer.is_err() {
                shared.lock().parted.unanswered.insert(from);
            }
            answer
        })
    }

    fn tell(&self, to: u32, kind: &'static str, message: Bytes) {
        let frames = {
            let mut state = self.shared.lock();
            if let Ok(tell) = Tell::decode(message.clone()) {
                if matches!(tell, Tell::Data { .. }) && state.to_lose > 0 {
                    state.to_lose -= 1;
                    return;
                }
                state.windows.told(self.from, to, &tell);
            }
            state.fate((self.from, to, kind, message))
        };
        for frame in frames {
            let _ = self.shared.tells.send(frame);
        }
    }
}
