//! The links between gateways and servers: in order and late, until they break.

use std::collections::BTreeSet;

use sluice_nats::{
    Packet,
    core::{Action, Core},
};

use crate::{
    faults::chance,
    nats::{Leaving, Sent, Weather},
    run::{Event, MS, World},
};

/// A gateway's link.
#[derive(Debug, Default)]
pub struct Link {
    pub up: bool,
    /// Which connection of its it is: what belongs to another one is lost.
    pub number: u64,
    to_server: u64,
    to_gateway: u64,
    /// What the gateway wants to get.
    pub wanted: BTreeSet<String>,
    /// Questions whose further answers are lost.
    silenced: BTreeSet<u64>,
}

/// What goes to a server.
#[derive(Debug, Clone)]
pub enum Up {
    Subscribe(String),
    Unsubscribe(String),
    Publish(Sent),
}

/// What goes to a gateway.
#[derive(Debug, Clone)]
pub enum Down {
    Message(Packet),
    Answer(u64, Packet),
}

impl World {
    /// Does what a core wants done.
    pub fn carry(&mut self, gateway: u32, action: Action) {
        let Some(link) = self.links.get_mut(&gateway) else {
            return;
        };
        match &action {
            Action::Subscribe(subject) => {
                link.wanted.insert(subject.clone());
            }
            Action::Unsubscribe(subject) => {
                link.wanted.remove(subject);
            }
            Action::Publish { .. } | Action::Reply { .. } | Action::KeepStreams => {}
        }
        if !link.up {
            return;
        }
        let number = link.number;
        let up = match action {
            Action::Subscribe(subject) => Up::Subscribe(subject),
            Action::Unsubscribe(subject) => Up::Unsubscribe(subject),
            Action::Publish {
                subject,
                request,
                headers,
                payload,
            } => Up::Publish(Sent {
                subject,
                reply: request.map(|request| format!("_I.{gateway}.{number}.{request}")),
                headers,
                payload,
            }),
            Action::KeepStreams => return,
            Action::Reply { subject, payload } => Up::Publish(Sent {
                subject: String::from_utf8_lossy(&subject).into_owned(),
                reply: None,
                headers: Vec::new(),
                payload,
            }),
        };
        self.send_up(gateway, up);
    }

    fn send_up(&mut self, gateway: u32, up: Up) {
        let delay = self.latency();
        let Some(link) = self.links.get_mut(&gateway) else {
            return;
        };
        let at = (self.now + delay).max(link.to_server + 1);
        link.to_server = at;
        let number = link.number;
        self.schedule(at, Event::Up(gateway, number, up));
    }

    /// Something reaches the server.
    pub fn arrived_up(&mut self, gateway: u32, number: u64, up: Up) {
        if !self.is_current(gateway, number) {
            return;
        }
        match up {
            Up::Subscribe(subject) => {
                let subscribed = self.server.subscribed.entry(gateway).or_default();
                subscribed.insert(subject);
            }
            Up::Unsubscribe(subject) => {
                if let Some(subscribed) = self.server.subscribed.get_mut(&gateway) {
                    subscribed.remove(&subject);
                }
            }
            Up::Publish(sent) => self.published_up(gateway, &sent),
        }
    }

    fn published_up(&mut self, gateway: u32, sent: &Sent) {
        if sent.reply.is_some() && self.goes_wrong(self.faults.unanswered / 2.0) {
            return self.trace(|| format!("lost {gateway:x} -> {}", sent.subject));
        }
        self.trace(|| {
            let text = String::from_utf8_lossy(&sent.payload);
            format!("{gateway:x} -> {} {:?} {text}", sent.subject, sent.reply)
        });
        if sent.subject.starts_with("_I.") {
            let packet = Packet {
                subject: sent.subject.clone().into(),
                reply: None,
                headers: sluice_nats::Headers::default(),
                payload: sent.payload.clone(),
            };
            return self.leave(Leaving::Answer(sent.subject.clone(), packet));
        }
        let lag = if self.goes_wrong(self.faults.lag) {
            self.between(0, 1_500 * MS)
        } else {
            0
        };
        let weather = Weather {
            now: self.now,
            lag,
            says_so: chance(&mut self.rng, 0.5),
        };
        for leaving in self.server.take(gateway, sent, weather) {
            self.leave(leaving);
        }
    }

    /// Something leaves the server.
    pub fn leave(&mut self, leaving: Leaving) {
        match leaving {
            Leaving::Message(gateway, packet) => self.send_message(gateway, &packet),
            Leaving::Republish { seq, previous } => {
                let delay = self.between(0, 3 * MS);
                let at = (self.now + delay).max(self.passed_on + 1);
                self.passed_on = at;
                let term = self.term;
                let event = Event::Republish {
                    seq,
                    previous,
                    term,
                };
                self.schedule(at, event);
            }
            Leaving::Answer(to, packet) => {
                let mut parts = to.split('.').skip(1).map(|part| part.parse().unwrap_or(0));
                let mut part = || parts.next().unwrap_or(0);
                let (gateway, number, request) = (part() as u32, part(), part());
                if self.is_current(gateway, number) && !self.is_silenced(gateway, request) {
                    self.send_down(gateway, Down::Answer(request, packet), 0);
                }
            }
        }
    }

    fn is_silenced(&mut self, gateway: u32, request: u64) -> bool {
        let lost = self.goes_wrong(self.faults.unanswered / 2.0);
        let Some(link) = self.links.get_mut(&gateway) else {
            return true;
        };
        if lost {
            link.silenced.insert(request);
        }
        link.silenced.contains(&request)
    }

    /// The leader passes a message on, unless it is no leader any more.
    pub fn republish(&mut self, seq: u64, previous: u64, term: u64) {
        let lost_for_all = self.goes_wrong(self.faults.silent / 4.0);
        if term != self.term || lost_for_all {
            return self.trace(|| format!("{seq} is not passed on"));
        }
        let packet = self.server.republished(seq, previous);
        let gateways: Vec<_> = self.server.interested(packet.subject()).collect();
        for gateway in gateways {
            if self.goes_wrong(self.faults.silent) {
                self.trace(|| format!("{seq} does not reach {gateway:x}"));
            } else {
                self.send_message(gateway, &packet);
            }
        }
    }

    fn send_message(&mut self, gateway: u32, packet: &Packet) {
        let late = if self.goes_wrong(self.faults.reorder) {
            self.between(MS, 300 * MS)
        } else {
            0
        };
        self.send_down(gateway, Down::Message(packet.clone()), late);
        if packet.reply.is_none() && self.goes_wrong(self.faults.duplicate) {
            let late = self.between(0, 100 * MS);
            self.send_down(gateway, Down::Message(packet.clone()), late);
        }
    }

    /// Sends something to a gateway, in order unless it is `late`.
    fn send_down(&mut self, gateway: u32, down: Down, late: u64) {
        let delay = self.latency();
        let Some(link) = self.links.get_mut(&gateway) else {
            return;
        };
        let mut at = (self.now + delay).max(link.to_gateway + 1);
        if late > 0 {
            at += late;
        } else {
            link.to_gateway = at;
        }
        let number = link.number;
        self.schedule(at, Event::Down(gateway, number, down));
    }

    pub fn is_current(&self, gateway: u32, number: u64) -> bool {
        let link = self.links.get(&gateway);
        link.is_some_and(|link| link.up && link.number == number)
    }

    /// A link breaks, with all that was on its way, for so long.
    pub fn cut_link(&mut self, gateway: u32, away: u64) {
        let Some(link) = self.links.get_mut(&gateway) else {
            return;
        };
        if !link.up {
            return;
        }
        link.up = false;
        self.server.subscribed.remove(&gateway);
        let noticed = self.between(0, 200 * MS);
        self.after(noticed, Event::LinkLost(gateway));
        self.after(noticed + away, Event::LinkUp(gateway));
    }

    /// A link is there again: it subscribes to all that the gateway wants, then tells the core.
    pub fn link_up(&mut self, gateway: u32) {
        let Some(link) = self.links.get_mut(&gateway) else {
            return;
        };
        link.up = true;
        link.number += 1;
        (link.to_server, link.to_gateway) = (self.now, self.now);
        let wanted: Vec<_> = link.wanted.iter().cloned().collect();
        self.server.subscribed.insert(gateway, BTreeSet::new());
        for subject in wanted {
            self.send_up(gateway, Up::Subscribe(subject));
        }
        self.with_core(gateway, Core::connected);
    }

    /// All gateways hear that a stream has a leader again, or some do not.
    pub fn elected(&mut self, stream: &str) {
        self.server.leaderless.remove(stream);
        let subject = format!("$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.{stream}");
        let gateways: Vec<_> = self.server.interested(&subject).collect();
        let packet = Packet {
            subject: subject.into(),
            reply: None,
            headers: sluice_nats::Headers::default(),
            payload: bytes::Bytes::from_static(b"{}"),
        };
        for gateway in gateways {
            if !chance(&mut self.rng, 0.2) {
                self.send_message(gateway, &packet);
            }
        }
    }

    fn latency(&mut self) -> u64 {
        let slow = chance(&mut self.rng, 0.02);
        self.between(50, if slow { 30 * MS } else { 2 * MS })
    }

    /// Whether something goes wrong that does so with this chance.
    pub fn goes_wrong(&mut self, of: f64) -> bool {
        !self.is_calm() && chance(&mut self.rng, of)
    }
}
