//! Clients: what they want, what they know, and what they got.

use std::{collections::BTreeMap, sync::Arc};

use sluice_rooms::{Pid, Reading};

use crate::{
    faults::chance,
    run::{Event, MS, World},
    wire::{Ask, Frame},
};

/// How a client stands to a room. It is not in those that it does not know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// It has asked to be a member; these came before the answer.
    Joining(Vec<u64>),
    /// It is a member and got everything up to here.
    In { last: u64, kept: bool },
    /// It has asked to be none any more.
    Leaving,
    /// Its connection was lost before the answer came.
    Unsure,
}

#[derive(Debug)]
pub struct Client {
    pub user: Arc<str>,
    pub pid: Option<Pid>,
    pub read: Option<Reading>,
    pub conn: Option<u64>,
    pub connected: bool,
    /// When it gave up waiting to be let in.
    pub patience: u64,
    /// The gateway that it has that from.
    pub read_at: u32,
    /// When that gateway said so.
    pub said_at: u64,
    /// Rooms in which messages up to an offset may be missing without anybody's fault.
    pub excused: BTreeMap<usize, u64>,
    pub rooms: BTreeMap<usize, Stand>,
    pub retry_at: u64,
}

impl Client {
    pub fn new(number: usize) -> Self {
        Self {
            user: format!("u{number}").into(),
            pid: None,
            read: None,
            conn: None,
            connected: false,
            patience: 0,
            read_at: 0,
            said_at: 0,
            excused: BTreeMap::new(),
            rooms: BTreeMap::new(),
            retry_at: 0,
        }
    }

    /// Its connection is gone, whoever ended it.
    pub fn lose(&mut self) {
        (self.conn, self.connected) = (None, false);
        for stand in self.rooms.values_mut() {
            if matches!(stand, Stand::Joining(_) | Stand::Leaving) {
                *stand = Stand::Unsure;
            }
        }
    }
}

impl World {
    /// A client does one of the things that clients do.
    pub fn act(&mut self, client: usize) {
        let next = if self.is_calm() {
            200 * MS
        } else {
            self.between(20 * MS, 600 * MS)
        };
        self.after(next, Event::Act(client));
        let (now, one) = (self.now, &self.clients[client]);
        match one.conn {
            None if now >= one.retry_at => self.connect(client),
            None => {}
            Some(_) if !one.connected && now <= one.patience => {}
            Some(_) if !one.connected => self.cut(client),
            Some(_) => self.act_connected(client),
        }
    }

    fn act_connected(&mut self, client: usize) {
        let room = self.below(self.places.len());
        let stand = self.clients[client].rooms.get(&room);
        if self.is_calm() {
            if client < self.gone {
                return;
            }
            let rooms = 0..self.places.len();
            let missing: Vec<_> = rooms
                .filter(|room| !self.clients[client].rooms.contains_key(room))
                .collect();
            for room in missing {
                self.join_room(client, room);
            }
            return;
        }
        let leaves = chance(&mut self.rng, 0.1);
        match stand {
            None => self.join_room(client, room),
            Some(Stand::In { .. }) if leaves => self.leave_room(client, room),
            _ if chance(&mut self.rng, self.faults.cut) => self.cut(client),
            _ => {}
        }
    }

    fn join_room(&mut self, client: usize, room: usize) {
        let rooms = &mut self.clients[client].rooms;
        rooms.insert(room, Stand::Joining(Vec::new()));
        self.ask(client, Ask::Join(room));
    }

    fn leave_room(&mut self, client: usize, room: usize) {
        let rooms = &mut self.clients[client].rooms;
        rooms.insert(room, Stand::Leaving);
        self.ask(client, Ask::Leave(room));
    }

    /// Some clients leave all rooms and do not come back.
    pub fn leave_for_good(&mut self) {
        self.gone = 2;
        for client in 0..self.gone {
            for room in 0..self.places.len() {
                self.leave_room(client, room);
            }
        }
    }

    fn connect(&mut self, client: usize) {
        let open: Vec<_> = self.open_gateways();
        if open.is_empty() {
            return;
        }
        let gateway = open[self.below(open.len())];
        let conn = self.open_conn(client, gateway);
        let fresh = self.fresh_pid();
        let one = &mut self.clients[client];
        one.conn = Some(conn);
        one.patience = self.now + 30_000 * MS;
        let (user, pid, read) = (Arc::clone(&one.user), one.pid, one.read.clone());
        let ask = Ask::Connect {
            user,
            fresh,
            pid,
            read: read.clone(),
        };
        self.trace(|| format!("client {client} connects to {gateway:x} as {pid:?} {read:?}"));
        self.ask(client, ask);
    }

    /// A client's connection breaks, with all that was on its way; the gateway learns of it later.
    pub fn cut(&mut self, client: usize) {
        let Some(conn) = self.clients[client].conn else {
            return;
        };
        self.trace(|| format!("client {client} is cut off conn {conn}"));
        self.clients[client].lose();
        let (noticed, back) = (self.between(0, 1500 * MS), self.between(0, 1500 * MS));
        self.clients[client].retry_at = self.now + back;
        self.after(noticed, Event::ConnGone(conn));
    }

    pub fn frame(&mut self, conn: u64, frame: &Frame) {
        let Some(client) = self.conns.get(&conn).map(|conn| conn.client) else {
            return;
        };
        if self.clients[client].conn != Some(conn) {
            return;
        }
        self.trace(|| format!("client {client} conn {conn} gets {frame:?}"));
        match frame {
            Frame::Connected { pid, recovered } => self.let_in(client, *pid, *recovered),
            Frame::Message {
                room,
                offset,
                read,
                said_at,
            } => {
                self.note_read(client, *offset, read.clone(), *said_at);
                self.got(client, *room, *offset);
            }
            Frame::Joined { room, offset, kept } => self.joined(client, *room, *offset, *kept),
            Frame::Left { room } => {
                let rooms = &mut self.clients[client].rooms;
                if rooms.get(room) == Some(&Stand::Leaving) {
                    rooms.remove(room);
                }
            }
            Frame::Closed => {
                self.clients[client].lose();
                let back = self.between(0, 500 * MS);
                self.clients[client].retry_at = self.now + back;
            }
        }
    }

    fn let_in(&mut self, client: usize, pid: Pid, recovered: bool) {
        let first = self.clients[client].pid.is_none();
        self.clients[client].connected = true;
        self.clients[client].pid = Some(pid);
        if recovered {
            self.count("recovered");
            self.check_recovered(client);
            // What it is not sure of it leaves, to begin anew.
            for room in 0..self.places.len() {
                let stand = self.clients[client].rooms.get(&room);
                if !matches!(stand, Some(Stand::In { kept: true, .. })) {
                    self.leave_room(client, room);
                }
            }
            return;
        }
        if !first {
            self.count("told");
            self.check_told(client);
        }
        self.clients[client].rooms.clear();
        self.clients[client].excused.clear();
    }

    fn joined(&mut self, client: usize, room: usize, offset: Option<u64>, kept: bool) {
        let rooms = &mut self.clients[client].rooms;
        let Some(Stand::Joining(early)) = rooms.get(&room).cloned() else {
            return;
        };
        let Some(last) = offset else {
            self.clients[client].rooms.remove(&room);
            return;
        };
        self.count(if kept {
            "joined"
        } else {
            "joined but not kept"
        });
        let rooms = &mut self.clients[client].rooms;
        rooms.insert(room, Stand::In { last, kept });
        for offset in early {
            self.check_next(client, room, offset);
        }
    }

    fn note_read(
        &mut self,
        client: usize,
        offset: u64,
        read: Option<Reading>,
        said_at: Option<u64>,
    ) {
        if read.is_some() {
            let conn = self.clients[client].conn.unwrap_or_default();
            let gateway = self.conns[&conn].gateway;
            let delivered = self.inboxes[&gateway].delivered(offset);
            let client = &mut self.clients[client];
            client.said_at = said_at.or(delivered).unwrap_or(0);
            (client.read, client.read_at) = (read, gateway);
        }
    }

    fn got(&mut self, client: usize, room: usize, offset: u64) {
        self.count("messages");
        match self.clients[client].rooms.get_mut(&room) {
            Some(Stand::In { .. }) => self.check_next(client, room, offset),
            Some(Stand::Joining(early)) => early.push(offset),
            _ => {}
        }
    }
}
