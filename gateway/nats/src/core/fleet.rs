//! Which gateways there are: heartbeats on `<prefix>.fleet`.

mod namesakes;
mod peer;
mod share;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use sluice_contract::{Call, Decoded, GatewayNumber, Heartbeat, Status, WireVersion};

pub use self::peer::PeerInfo;
use self::{namesakes::Namesakes, peer::Peer};
use super::{GONE_AFTER, io::Io};
use crate::Packet;

/// How often a gateway says that it lives.
const EVERY: Duration = Duration::from_secs(1);

/// How long after it was connected for the first time a gateway knows all others: each has said that
/// it lives by then, if its answer to the hello got lost.
const ACQUAINTED: Duration = EVERY.saturating_add(Duration::from_millis(200));

/// The most gateways that are told apart.
const MAX_PEERS: usize = 4_096;

/// What a tick brought to light.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Gateways that are gone since the last time.
    pub(crate) gone: Vec<u32>,
    /// Gateways that have said goodbye since the last time.
    pub(crate) ended: Vec<u32>,
    /// Whether a gateway came into sight that has been there all the time: what it and this one
    /// told each other meanwhile is lost.
    pub(crate) returned: bool,
}

/// The gateways that this one knows of.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    name: Arc<str>,
    /// The newest wire version that this gateway reads.
    pub(super) reads: WireVersion,
    /// Up to which wire version rollouts are finalised.
    finalised: WireVersion,
    status: Status,
    peers: FxHashMap<u32, Peer>,
    ended: bool,
    /// Others that have said goodbye since the last tick.
    goodbyes: Vec<u32>,
    returned: bool,
    /// When it was connected for the first time.
    began: Option<Instant>,
    next: Option<Instant>,
    namesakes: Namesakes,
    garbage: u64,
}

impl Fleet {
    /// Knows nobody yet; `name` is this gateway's for people.
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            reads: WireVersion::CURRENT,
            ..Self::default()
        }
    }

    /// Says hello. Whoever was silent because nothing could be heard has the full time again.
    pub(crate) fn connected(&mut self, io: &mut Io<'_>) {
        for peer in self.peers.values_mut() {
            peer.gone = io.now + GONE_AFTER;
        }
        self.began.get_or_insert(io.now);
        self.beat(io, true, false);
    }

    pub(crate) fn disconnected(&mut self) {
        self.next = None;
    }

    /// What this gateway says of itself from now on; at once where its state changes.
    pub(crate) fn set_status(&mut self, io: &mut Io<'_>, status: Status) {
        let urgent = self.status.state != status.state;
        self.status = status;
        if urgent {
            self.beat(io, false, false);
        }
    }

    /// Says that this gateway ends. It says nothing more after that.
    pub(crate) fn bye(&mut self, io: &mut Io<'_>) {
        self.beat(io, false, true);
        self.ended = true;
    }

    /// Whether [`Self::bye`] was said.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    fn own(&self, io: &Io<'_>, hello: bool, bye: bool) -> Vec<u8> {
        let beat = Heartbeat {
            gateway: GatewayNumber(io.gateway),
            name: Arc::clone(&self.name),
            hello,
            bye,
            reads: self.reads,
            status: self.status.clone(),
        };
        beat.encode()
    }

    fn beat(&mut self, io: &mut Io<'_>, hello: bool, bye: bool) {
        if self.ended || !io.connected {
            return;
        }
        self.next = Some(io.now + EVERY);
        let beat = self.own(io, hello, bye);
        io.publish(io.names.heartbeats(), Vec::new(), beat);
    }

    /// Takes in a heartbeat that was sent to all; a gateway's last one says goodbye.
    pub(crate) fn message(&mut self, io: &mut Io<'_>, packet: &Packet) {
        let Some((gateway, hello, stranger)) = self.hear(io, packet) else {
            return;
        };
        self.returned |= stranger && !hello;
        if (stranger || hello) && !self.ended {
            let beat = self.own(io, false, false);
            io.publish(io.names.call(gateway, Call::Heartbeat), Vec::new(), beat);
        }
    }

    /// A heartbeat to this gateway: the answer to its hello.
    pub(crate) fn called(&mut self, io: &mut Io<'_>, packet: &Packet) {
        self.hear(io, packet);
    }

    /// Whose heartbeat it is, whether it says hello, and whether it is the first from there.
    fn hear(&mut self, io: &Io<'_>, packet: &Packet) -> Option<(GatewayNumber, bool, bool)> {
        let Decoded::Known(beat) = Heartbeat::decode(&packet.payload) else {
            self.garbage += 1;
            return None;
        };
        if beat.gateway.0 == io.gateway || !self.meet(io.now, beat.gateway.0) {
            return None;
        }
        let peer = self.peers.get_mut(&beat.gateway.0)?;
        let stranger = peer.heard.is_none();
        peer.heard = Some(io.now);
        peer.gone = io.now + GONE_AFTER;
        if beat.bye && !peer.ends {
            self.goodbyes.push(beat.gateway.0);
        }
        (peer.name, peer.status, peer.ends) = (beat.name, beat.status, beat.bye);
        peer.reads = beat.reads;
        Some((beat.gateway, beat.hello, stranger && !beat.bye))
    }

    /// A gateway spoke. False where there are too many to know this one, too.
    pub(crate) fn meet(&mut self, now: Instant, gateway: u32) -> bool {
        if self.peers.contains_key(&gateway) {
            return true;
        }
        if self.peers.len() >= MAX_PEERS {
            self.garbage += 1;
            return false;
        }
        self.peers.insert(gateway, Peer::new(now + GONE_AFTER));
        true
    }

    /// Says that this gateway lives. While it hears nobody, nobody is gone.
    pub(crate) fn tick(&mut self, io: &mut Io<'_>) -> Turn {
        if !io.connected {
            return Turn::default();
        }
        if self.next.is_none_or(|next| next <= io.now) {
            self.beat(io, false, false);
            let times = (io.now, self.began.unwrap_or(io.now));
            self.namesakes.look(times, &self.name, self.peers.iter());
        }
        let gone = self.peers.extract_if(|_, peer| peer.gone <= io.now);
        let mut gone: Vec<_> = gone.map(|(gateway, _)| gateway).collect();
        gone.sort_unstable();
        Turn {
            gone,
            ended: std::mem::take(&mut self.goodbyes),
            returned: std::mem::take(&mut self.returned),
        }
    }

    /// Whether a gateway was heard a moment ago, and has not said that it ends.
    pub(crate) fn is_heard(&self, gateway: u32, now: Instant) -> bool {
        let peer = self.peers.get(&gateway);
        peer.is_some_and(|peer| peer.is_heard(now))
    }

    /// Whether any other gateway was.
    pub(crate) fn is_anybody_heard(&self, now: Instant) -> bool {
        self.peers.values().any(|peer| peer.is_heard(now))
    }

    /// Whether this gateway has been connected for long enough, once, to have heard all others.
    pub(crate) fn is_acquainted(&self, now: Instant) -> bool {
        let passed = |began| now.saturating_duration_since(began) >= ACQUAINTED;
        self.began.is_some_and(passed)
    }

    /// How many other gateways of the same name live beside this one.
    pub(crate) fn namesakes(&self) -> usize {
        self.namesakes.count()
    }

    /// All that were, with their names.
    pub(crate) fn heard(&self, now: Instant) -> Vec<(u32, Arc<str>)> {
        let heard = self.peers.iter().filter(|(_, peer)| peer.is_heard(now));
        let mut heard: Vec<_> = heard
            .map(|(g, peer)| (*g, Arc::clone(&peer.name)))
            .collect();
        heard.sort_unstable();
        heard
    }

    /// All gateways that are not gone yet, for a status.
    pub(crate) fn peers(&self, now: Instant) -> Vec<PeerInfo> {
        let peers = self.peers.iter();
        let mut peers: Vec<_> = peers.filter_map(|(g, peer)| peer.info(*g, now)).collect();
        peers.sort_unstable_by_key(|peer| peer.gateway);
        peers
    }

    /// Rollouts are finalised up to this wire version.
    pub(crate) fn set_finalised(&mut self, finalised: WireVersion) {
        self.finalised = finalised;
    }

    /// The newest wire version that this gateway reads.
    pub(crate) fn reads(&self) -> WireVersion {
        self.reads
    }

    /// The wire version up to which rollouts are finalised, where it is more than this gateway
    /// reads.
    pub(crate) fn finalised_beyond(&self) -> Option<WireVersion> {
        (self.finalised > self.reads).then_some(self.finalised)
    }

    /// The wire version to write: what every gateway reads that is not gone, and no more than what
    /// was finalised. One that has not said yet what it reads counts as one of 0.1.0.
    pub(crate) fn writes(&self) -> WireVersion {
        let others = self.peers.values().filter(|peer| !peer.ends);
        let others = others.map(|peer| peer.reads);
        self.finalised.writable(others.chain([self.reads]))
    }

    /// This gateway's part of the rate at which the fleet's draining gateways may close
    /// connections, in connections a second.
    pub(crate) fn share(&self, now: Instant, rate: f64) -> f64 {
        let own = self.status.remaining().unwrap_or(self.status.connections);
        let draining = self.peers.values().filter(|peer| peer.is_heard(now));
        let others = draining.filter_map(|peer| peer.status.remaining());
        share::share(rate, own, others)
    }

    /// How many messages were no heartbeats, or of more gateways than there can be.
    pub(crate) fn garbage(&self) -> u64 {
        self.garbage
    }
}
