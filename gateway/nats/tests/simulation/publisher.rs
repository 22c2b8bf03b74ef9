//! Publishers: they publish through any gateway, and again where they were not told that it is
//! stored.

use std::rc::Rc;

use sluice_backbone::Publication;
use sluice_rooms::Publisher;

use crate::{
    checks::Published,
    faults::chance,
    operations,
    run::{Event, MS, Stage, World},
};

impl World {
    pub fn publish(&mut self) {
        if self.stage >= Stage::Quiet {
            return;
        }
        let pause = if self.is_calm() { 300 * MS } else { 60 * MS };
        let next = self.between(MS, pause);
        self.after(next, Event::Publish);
        let gateways: Vec<_> = self.nodes.keys().copied().collect();
        let gateway = gateways[self.below(gateways.len())];
        let number = self.next_publication();
        let room = self.published[&number].room;
        let except = self.published[&number].except;
        let publication = Publication {
            room: self.places.key(room).clone(),
            settings: self.places.settings(room),
            event: "e".into(),
            data: number.to_string().into(),
            attachments: Vec::new(),
            from: None,
            publisher: Publisher::Application,
            id: Some(format!("p{number}").into()),
            except,
        };
        self.trace(|| format!("publication {number} to room {room} by {gateway:x}"));
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            node.hub.borrow_mut().now = at;
            let publish = operations::publish(Rc::clone(&node.hub), number, publication);
            node.tasks.push(Box::pin(publish));
        }
        self.follow(gateway);
    }

    /// A new publication, or one whose publisher was not told that it is stored.
    fn next_publication(&mut self) -> u64 {
        if chance(&mut self.rng, 0.2) {
            let unacked = |published: &Published| !published.told.iter().any(Result::is_ok);
            let again = self.published.iter().rev().take(20);
            let again: Vec<_> = again.filter(|(_, p)| unacked(p)).map(|(n, _)| *n).collect();
            if !again.is_empty() {
                return again[self.below(again.len())];
            }
        }
        let number = self.published.len() as u64 + 1;
        let room = self.below(self.places.len());
        let client = self.below(self.clients.len());
        let silent = chance(&mut self.rng, 0.1);
        let pid = self.clients[client].pid.filter(|_| silent);
        let published = Published {
            room,
            except: pid.map(|pid| pid.session()),
            told: Vec::new(),
        };
        self.published.insert(number, published);
        number
    }
}
