//! The sessions of gateways that are gone are deleted once nobody can recover them any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{ANSWER, Ask, Io, Sessions};
use crate::{
    Packet,
    core::{Purpose, fleet::Fleet},
};
use sluice_contract::{GatewayNumber, Subject};

/// How often is looked for such gateways.
const EVERY: Duration = Duration::from_mins(1);

/// How long after the recovery window they are deleted. A session may be recovered for the window
/// from when its gateway has noticed that its client is gone, which takes less than this.
const SPARE: Duration = Duration::from_mins(2);

/// The most gateways that are remembered as missing.
const MOST: usize = 65_536;

#[derive(Debug, Default)]
pub(super) struct Sweep {
    registered: bool,
    next: Option<Instant>,
    /// How long a session can be recovered.
    window: Duration,
    /// Since when a gateway with sessions has not been heard.
    missing: BTreeMap<u32, Instant>,
    /// The gateways that were listed just now.
    listed: BTreeSet<u32>,
}

impl Sweep {
    /// How long any session that a gateway has now can go on there without its client.
    pub(super) fn longest(&self) -> Duration {
        self.window + SPARE
    }

    pub(super) fn listed(&mut self, io: &mut Io<'_>, request: u64, packet: &Packet) {
        if packet.headers.status().is_some() {
            io.requests.close(request);
            return;
        }
        let subject = packet.headers.get("Nats-Subject");
        let subject = subject.and_then(|subject| io.names.parse(subject));
        if let Some(Subject::Owner(gateway)) = subject
            && self.listed.len() < MOST
        {
            self.listed.insert(gateway.0);
        }
    }

    pub(super) fn purged(&mut self, gateway: u32, packet: &Packet) {
        if packet.headers.status().is_none() {
            self.missing.remove(&gateway);
        }
    }
}

impl Sessions {
    /// How long a session can be recovered.
    pub(crate) fn set_window(&mut self, window: Duration) {
        self.sweep.window = window;
    }

    /// Says that this gateway has stored sessions, before the first one.
    pub(super) fn register(&mut self, io: &mut Io<'_>) {
        if !self.sweep.registered {
            self.sweep.registered = true;
            let own = io.names.owner(GatewayNumber(io.gateway));
            io.publish(own, Vec::new(), "");
        }
    }

    /// The store may have been made anew, and sessions may have been taken over.
    pub(crate) fn connected(&mut self, io: &mut Io<'_>) {
        self.sweep.registered = false;
        self.look_for_marks(io);
        self.note_present(io);
    }

    pub(crate) fn tick(&mut self, io: &mut Io<'_>, fleet: &Fleet) {
        self.pursue_claims(io);
        self.marks_if_due(io);
        self.confirm_if_due(io);
        if io.connected {
            self.note_present(io);
        }
        self.look_elsewhere_if_due(io);
        self.store_again(io);
        self.look_if_due(io);
        if !io.connected || self.sweep.next.is_some_and(|at| at > io.now) {
            return;
        }
        // Gateways that look at different times do not all delete the same.
        let jitter = Duration::from_millis(io.random(5_000));
        self.sweep.next = Some(io.now + EVERY + jitter);
        self.purge_missing(io, fleet);
        let to = format!("$JS.API.DIRECT.GET.{}", io.names.sessions_stream());
        let all = io.names.owners();
        let body = json!({"seq": 1, "next_by_subj": all, "batch": 1_000}).to_string();
        let purpose = Purpose::Sessions(Ask::Gateways);
        io.request(to, Vec::new(), body, purpose, ANSWER);
    }

    fn purge_missing(&mut self, io: &mut Io<'_>, fleet: &Fleet) {
        let sweep = &mut self.sweep;
        let listed = std::mem::take(&mut sweep.listed);
        sweep.missing.retain(|gateway, _| listed.contains(gateway));
        for gateway in listed {
            if gateway == io.gateway || fleet.is_heard(gateway, io.now) {
                sweep.missing.remove(&gateway);
                continue;
            }
            let since = *sweep.missing.entry(gateway).or_insert(io.now);
            if io.now.duration_since(since) > sweep.window + SPARE {
                let number = GatewayNumber(gateway);
                purge(io, &io.names.sessions_of(number), gateway);
                purge(io, &io.names.owner(number), gateway);
            }
        }
    }
}

fn purge(io: &mut Io<'_>, subject: &str, gateway: u32) {
    let to = format!("$JS.API.STREAM.PURGE.{}", io.names.sessions_stream());
    let body = json!({"filter": subject}).to_string();
    let purpose = Purpose::Sessions(Ask::Purge(gateway));
    io.request(to, Vec::new(), body, purpose, ANSWER);
}
