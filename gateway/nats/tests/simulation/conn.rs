//! Connections of clients: in order, until they break.

use std::rc::Rc;

use crate::{
    hub::WORKERS,
    operations::{self, Knock},
    run::{Event, MS, World},
    wire::{Ask, Frame},
};

/// A client's connection.
#[derive(Debug)]
pub struct Conn {
    pub client: usize,
    pub gateway: u32,
    pub worker: usize,
    to_client: u64,
    to_hub: u64,
}

impl World {
    pub fn open_conn(&mut self, client: usize, gateway: u32) -> u64 {
        self.last_conn += 1;
        let worker = self.below(WORKERS);
        let conn = Conn {
            client,
            gateway,
            worker,
            to_client: self.now,
            to_hub: self.now,
        };
        self.conns.insert(self.last_conn, conn);
        self.last_conn
    }

    pub fn send_to_client(&mut self, conn: u64, frame: Frame) {
        let delay = self.between(100, 20 * MS);
        let at = self.now + delay;
        if let Some(open) = self.conns.get_mut(&conn) {
            open.to_client = at.max(open.to_client + 1);
            let at = open.to_client;
            self.schedule(at, Event::ToClient(conn, frame));
        }
    }

    pub fn ask(&mut self, client: usize, ask: Ask) {
        let Some(conn) = self.clients[client].conn else {
            return;
        };
        let delay = self.between(100, 20 * MS);
        let at = self.now + delay;
        if let Some(open) = self.conns.get_mut(&conn) {
            open.to_hub = at.max(open.to_hub + 1);
            let at = open.to_hub;
            self.schedule(at, Event::ToHub(conn, ask));
        }
    }

    pub fn asked(&mut self, conn: u64, ask: Ask) {
        let open = &self.conns[&conn];
        let (client, gateway, worker) = (open.client, open.gateway, open.worker);
        self.trace(|| format!("client {client} conn {conn} asks {gateway:x} {ask:?}"));
        let at = self.at();
        let Some(node) = self.nodes.get_mut(&gateway) else {
            return;
        };
        let hub = Rc::clone(&node.hub);
        hub.borrow_mut().now = at;
        match ask {
            Ask::Connect { .. } if node.draining => {
                self.send_to_client(conn, Frame::Closed);
            }
            Ask::Connect {
                user,
                fresh,
                pid,
                read,
            } => {
                let knock = Knock {
                    conn,
                    user,
                    fresh,
                    pid,
                    read,
                };
                node.tasks
                    .push(Box::pin(operations::enter(hub, worker, knock)));
            }
            Ask::Join(room) => {
                node.tasks
                    .push(Box::pin(operations::join(hub, worker, conn, room)));
            }
            Ask::Leave(room) => {
                operations::leave(&hub, worker, conn, room);
                let session = hub.borrow_mut().on_conn(worker, conn).map(|s| s.pid);
                if let Some(pid) = session {
                    let saved = operations::save(hub, worker, pid.session().to_string());
                    node.tasks.push(Box::pin(async move {
                        saved.await;
                    }));
                }
            }
        }
        self.follow(gateway);
    }

    pub fn conn_gone(&mut self, conn: u64) {
        let Some(open) = self.conns.get(&conn) else {
            return;
        };
        let (gateway, worker) = (open.gateway, open.worker);
        let at = self.at();
        if let Some(node) = self.nodes.get_mut(&gateway) {
            let mut hub = node.hub.borrow_mut();
            hub.now = at;
            hub.disconnected(worker, conn);
        }
        self.follow(gateway);
    }
}
