//! Gateways as they begin, work and end.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    task::{Context, Waker},
};

use rand::RngExt as _;
use sluice_nats::{
    Packet,
    core::{Action, At, Core, Identity},
};

use crate::{
    hub::{Hub, Shared, Task, WORKERS},
    network::{Down, Link},
    operations,
    run::{Event, MS, Stage, World},
    wire::Frame,
};

/// A gateway and what its workers are about.
pub struct Node {
    pub hub: Shared,
    pub tasks: Vec<Task>,
    working: [bool; WORKERS],
    pub draining: bool,
}

impl World {
    pub fn start_gateway(&mut self) {
        let number: u32 = self.rng.random();
        let identity = Identity {
            gateway: number,
            name: format!("gateway-{number:x}").into(),
            names: self.names.clone(),
            seed: self.rng.random(),
        };
        let hub = Hub::new(identity, self.places.clone(), self.at());
        self.inboxes.insert(number, Arc::clone(&hub.inbox));
        let node = Node {
            hub: Rc::new(RefCell::new(hub)),
            tasks: Vec::new(),
            working: [false; WORKERS],
            draining: false,
        };
        self.nodes.insert(number, node);
        self.links.insert(number, Link::default());
        self.with_core(number, |core, _, out| core.start(out));
        let (link, tick) = (self.between(MS, 200 * MS), self.between(0, 100 * MS));
        self.after(link, Event::LinkUp(number));
        self.after(tick, Event::Tick(number));
    }

    pub fn open_gateways(&self) -> Vec<u32> {
        let open = self.nodes.iter().filter(|(_, node)| !node.draining);
        open.map(|(number, _)| *number).collect()
    }

    /// Has a core do something, and carries out what it wants.
    pub fn with_core(&mut self, gateway: u32, work: impl FnOnce(&mut Core, At, &mut Vec<Action>)) {
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            let mut hub = node.hub.borrow_mut();
            hub.now = at;
            hub.inbox.set_now(self.now);
            let hub = &mut *hub;
            work(&mut hub.core, at, &mut hub.out);
        }
        self.follow(gateway);
    }

    /// Runs what can go on in a gateway, and carries what comes out.
    pub fn follow(&mut self, gateway: u32) {
        let at = self.at();
        let Some(node) = self.nodes.get_mut(&gateway) else {
            return;
        };
        node.hub.borrow_mut().now = at;
        node.hub.borrow().inbox.set_now(self.now);
        run_tasks(&mut node.tasks);
        let hub = Rc::clone(&node.hub);
        let mut hub = hub.borrow_mut();
        let (out, frames) = (
            std::mem::take(&mut hub.out),
            std::mem::take(&mut hub.frames),
        );
        let (given, published) = (
            std::mem::take(&mut hub.given),
            std::mem::take(&mut hub.published),
        );
        let notes = std::mem::take(&mut hub.notes);
        let completed = hub.completed.swap(false, Ordering::Relaxed);
        let inbox = Arc::clone(&hub.inbox);
        drop(hub);
        for session in given {
            self.left.insert((session.to_string(), gateway), self.now);
        }
        for note in notes {
            self.trace(|| format!("{gateway:x} notes {note}"));
        }
        for action in out {
            self.carry(gateway, action);
        }
        for (conn, frame) in frames {
            self.send_to_client(conn, frame);
        }
        for (number, receipt) in published {
            self.trace(|| format!("publication {number}: {receipt:?}"));
            self.check_receipt(number, receipt);
        }
        if completed {
            let soon = self.between(0, 2 * MS);
            self.after(soon, Event::Completed(gateway));
        }
        for worker in 0..WORKERS {
            self.have_worked(gateway, worker, inbox.waits(worker));
        }
    }

    fn have_worked(&mut self, gateway: u32, worker: usize, waits: bool) {
        let slow = self.goes_wrong(self.faults.slow);
        let soon = self.between(20, if slow { 800 * MS } else { 2 * MS });
        if let Some(node) = self.nodes.get_mut(&gateway)
            && waits
            && !node.working[worker]
        {
            node.working[worker] = true;
            self.after(soon, Event::Work(gateway, worker));
        }
    }

    /// A worker takes some of what waits for it.
    pub fn work(&mut self, gateway: u32, worker: usize) {
        let at = self.at();
        let most = self.between(1, 8);
        let Some(node) = self.nodes.get_mut(&gateway) else {
            return;
        };
        node.working[worker] = false;
        node.hub.borrow_mut().now = at;
        for _ in 0..most {
            let delivery = node.hub.borrow().inbox.take(worker);
            let Some(delivery) = delivery else {
                break;
            };
            let save = node.hub.borrow_mut().deliver(worker, delivery);
            for id in save {
                let saved = operations::save(Rc::clone(&node.hub), worker, id);
                node.tasks.push(Box::pin(async move {
                    saved.await;
                }));
            }
            // Who waits for an answer runs before anything further is read.
            run_tasks(&mut node.tasks);
        }
        self.follow(gateway);
    }

    pub fn tick(&mut self, gateway: u32) {
        if !self.nodes.contains_key(&gateway) || self.stage == Stage::Still {
            return;
        }
        self.after(100 * MS, Event::Tick(gateway));
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            let mut hub = node.hub.borrow_mut();
            hub.now = at;
            hub.note_absent();
        }
        self.with_core(gateway, Core::tick);
    }

    /// Asks every gateway who is in which room.
    pub fn list_members(&mut self) {
        let (gateways, at) = (self.open_gateways(), self.at());
        for gateway in gateways {
            if let Some(node) = self.nodes.get_mut(&gateway) {
                node.hub.borrow_mut().now = at;
                for room in 0..self.places.len() {
                    let list = operations::list(Rc::clone(&node.hub), room);
                    node.tasks.push(Box::pin(list));
                }
            }
            self.follow(gateway);
        }
    }

    pub fn arrived_down(&mut self, gateway: u32, number: u64, down: &Down) {
        if !self.is_current(gateway, number) {
            return;
        }
        let (what, packet) = match down {
            Down::Message(packet) => ("message".to_owned(), packet),
            Down::Answer(request, packet) => (format!("answer {request}"), packet),
        };
        self.trace(|| describe(gateway, &what, packet));
        if let (Down::Message(_), Some(seq)) = (down, packet.headers.number("Nats-Sequence")) {
            self.heard.entry((gateway, seq)).or_insert(self.now);
        }
        self.with_core(gateway, |core, at, out| match down {
            Down::Message(packet) => core.message(at, packet, out),
            Down::Answer(request, packet) => core.answer(at, *request, packet, out),
        });
    }

    /// A gateway is gone at once, and another one takes its place.
    pub fn crash(&mut self, gateway: u32) {
        let Some(node) = self.nodes.remove(&gateway) else {
            return;
        };
        self.trace(|| format!("{gateway:x} is gone"));
        for worker in &node.hub.borrow().workers {
            for id in worker.sessions.keys() {
                self.left.insert((id.clone(), gateway), self.now);
            }
        }
        // What it keeps of its own it drops with the rest.
        drop(node.tasks);
        self.links.remove(&gateway);
        self.server.subscribed.remove(&gateway);
        for client in 0..self.clients.len() {
            let conn = self.clients[client].conn;
            if conn.is_some_and(|conn| self.conns[&conn].gateway == gateway) {
                self.clients[client].lose();
                let back = self.between(0, 1_500 * MS);
                self.clients[client].retry_at = self.now + back;
            }
        }
        self.start_gateway();
    }

    /// A gateway lets its clients go, and is gone when they are.
    pub fn drain(&mut self, gateway: u32) {
        let others = self.open_gateways().iter().any(|other| *other != gateway);
        let Some(node) = self.nodes.get_mut(&gateway).filter(|_| others) else {
            return;
        };
        if std::mem::replace(&mut node.draining, true) {
            return;
        }
        let mut conns = Vec::new();
        let mut hub = node.hub.borrow_mut();
        for worker in 0..WORKERS {
            let sessions = hub.workers[worker].sessions.values();
            let open: Vec<_> = sessions.filter_map(|session| session.conn).collect();
            conns.extend(open.into_iter().map(|conn| (worker, conn)));
        }
        for (worker, conn) in conns {
            hub.send(conn, Frame::Closed);
            hub.disconnected(worker, conn);
        }
        drop(hub);
        self.follow(gateway);
        let drained = self.between(1_000 * MS, 4_000 * MS);
        self.after(drained, Event::Drained(gateway));
    }
}

fn run_tasks(tasks: &mut Vec<Task>) {
    // What one does may be what another waits for.
    loop {
        let before = tasks.len();
        let mut context = Context::from_waker(Waker::noop());
        tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
        if tasks.len() == before {
            return;
        }
    }
}

fn describe(gateway: u32, what: &str, packet: &Packet) -> String {
    let headers = &packet.headers;
    let text = String::from_utf8_lossy(&packet.payload).into_owned();
    format!(
        "{gateway:x} <- {what} {} {:?} seq {:?} after {:?} {text}",
        packet.subject(),
        headers.status(),
        headers.get("Nats-Sequence"),
        headers.get("Nats-Last-Sequence"),
    )
}
