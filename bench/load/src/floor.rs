//! The floor: a server that does nothing but what the scenarios need, on one thread, with every
//! flush deferred to the end of a turn. No auth, no checks, no heartbeat. It shows what the machine
//! and the generator can do, so that a server's figures can be read against it.

mod client;
mod request;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;

use clap::Args;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use self::client::Client;
use self::request::Request;
use crate::error::LoadError;

const LISTENER: Token = Token(usize::MAX);
const EVENTS: usize = 256;
const SCRATCH: usize = 64 * 1024;

/// Options of the floor.
#[derive(Args, Debug)]
pub(crate) struct Floor {
    /// Where it listens; loopback only.
    #[arg(long)]
    listen: SocketAddr,
}

/// Serves until the process is ended.
pub(crate) fn run(options: &Floor) -> Result<(), LoadError> {
    if !options.listen.ip().is_loopback() {
        return Err(LoadError::NotLoopback(options.listen));
    }
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(options.listen)?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(EVENTS);
    let mut server = Server::new();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                LISTENER => server.accept(&listener, &poll)?,
                Token(id) => server.serve(id),
            }
        }
        server.flush();
    }
}

struct Server {
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    rooms: HashMap<Vec<u8>, Vec<usize>>,
    /// Clients with something to write; each at most once.
    owed: Vec<usize>,
    scratch: Vec<u8>,
    requests: Vec<Request>,
}

impl Server {
    fn new() -> Self {
        Self {
            clients: Vec::new(),
            free: Vec::new(),
            rooms: HashMap::new(),
            owed: Vec::new(),
            scratch: vec![0; SCRATCH],
            requests: Vec::new(),
        }
    }

    fn accept(&mut self, listener: &TcpListener, poll: &Poll) -> Result<(), LoadError> {
        loop {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            socket.set_nodelay(true)?;
            let id = self.free.pop().unwrap_or(self.clients.len());
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut socket, Token(id), both)?;
            let client = Some(Client::new(socket));
            match self.clients.get_mut(id) {
                Some(place) => *place = client,
                None => self.clients.push(client),
            }
        }
    }

    fn serve(&mut self, id: usize) {
        let Some(Some(client)) = self.clients.get_mut(id) else {
            return;
        };
        let mut requests = std::mem::take(&mut self.requests);
        let open = client.read(&mut self.scratch, &mut requests);
        for request in requests.drain(..) {
            self.answer(id, request);
        }
        self.requests = requests;
        self.owe(id);
        if !open {
            self.end(id);
        }
    }

    fn answer(&mut self, id: usize, request: Request) {
        match request {
            Request::Connect => self.send(id, br#"40{"sid":"floor"}"#),
            Request::Join { ack, room } => {
                if let Some(Some(client)) = self.clients.get_mut(id) {
                    client.rooms.push(room.clone());
                }
                self.rooms.entry(room).or_default().push(id);
                self.send(id, &acknowledgement(&ack));
            }
            Request::Publish { ack, room, event } => {
                self.fan_out(&room, &event);
                self.send(id, &acknowledgement(&ack));
            }
        }
    }

    fn fan_out(&mut self, room: &[u8], event: &[u8]) {
        let mut frame = Vec::with_capacity(event.len() + 16);
        client::append(&mut frame, &[b"42", event]);
        for member in self.rooms.get(room).into_iter().flatten() {
            if let Some(Some(client)) = self.clients.get_mut(*member) {
                client.pending.extend_from_slice(&frame);
                if !std::mem::replace(&mut client.owed, true) {
                    self.owed.push(*member);
                }
            }
        }
    }

    fn send(&mut self, id: usize, text: &[u8]) {
        if let Some(Some(client)) = self.clients.get_mut(id) {
            client::append(&mut client.pending, &[text]);
        }
    }

    /// Notes that `id` is to be flushed at the end of the turn.
    fn owe(&mut self, id: usize) {
        if let Some(Some(client)) = self.clients.get_mut(id)
            && !std::mem::replace(&mut client.owed, true)
        {
            self.owed.push(id);
        }
    }

    fn flush(&mut self) {
        let mut owed = std::mem::take(&mut self.owed);
        for id in owed.drain(..) {
            if let Some(Some(client)) = self.clients.get_mut(id) {
                client.owed = false;
                if !client.flush() {
                    self.end(id);
                }
            }
        }
        self.owed = owed;
    }

    fn end(&mut self, id: usize) {
        let Some(client) = self.clients.get_mut(id).and_then(Option::take) else {
            return;
        };
        for room in &client.rooms {
            if let Some(members) = self.rooms.get_mut(room) {
                members.retain(|member| *member != id);
            }
        }
        self.free.push(id);
    }
}

fn acknowledgement(ack: &[u8]) -> Vec<u8> {
    [b"43", ack, br#"[{"ok":true}]"#].concat()
}
