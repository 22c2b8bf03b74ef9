//! All connections of a run, and the one loop that reads them.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use super::connection::Connection;
use super::dial::Dial;
use super::setup::{self, Phase, Wish};
use crate::clock::Clock;
use crate::error::{LoadError, LossReason};
use crate::wire::dialect::Dialect;
use crate::wire::outbox::Outbox;
use crate::wire::packet::Packet;

/// Sockets looked at in one turn. Few, so that a turn's reads never hold back a send that is due.
const EVENTS: usize = 128;
/// Bytes read at once; the largest frame that can be met.
const SCRATCH: usize = 256 * 1024;
/// How long a whole set-up may take.
const SET_UP_LIMIT: Duration = Duration::from_mins(3);

/// What a scenario does with what its connections get.
pub(crate) trait Handler {
    /// `packet` came to the ready connection `id`, read at `now` (nanoseconds, [`Clock`]).
    /// What is put into `outbox` is written right after the read.
    fn packet(&mut self, now: u64, id: usize, packet: &Packet<'_>, outbox: &mut Outbox);
}

/// Takes no notice of anything.
pub(crate) struct Ignore;

impl Handler for Ignore {
    fn packet(&mut self, _: u64, _: usize, _: &Packet<'_>, _: &mut Outbox) {}
}

/// The connections, by number. A number is never used again.
pub(crate) struct Pool {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    dial: Dial,
    dialect: Dialect,
    /// The upgrade request to each server.
    requests: Vec<Vec<u8>>,
    clock: Clock,
    connections: Vec<Option<Connection>>,
    ready: usize,
    lost: Vec<(usize, LossReason)>,
}

impl Pool {
    pub(crate) fn new(dial: Dial, dialect: Dialect, clock: Clock) -> Result<Self, LoadError> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            scratch: vec![0; SCRATCH],
            dialect,
            requests: dial
                .hosts()
                .map(|host| setup::request(&host, dialect))
                .collect(),
            dial,
            clock,
            connections: Vec::new(),
            ready: 0,
            lost: Vec::new(),
        })
    }

    /// The number that the next connection gets.
    pub(crate) fn next(&self) -> usize {
        self.connections.len()
    }

    /// Sets up a connection a wish, at most `at_once` at a time, and waits until all are ready.
    pub(crate) fn grow(
        &mut self,
        wishes: Vec<Wish>,
        at_once: usize,
    ) -> Result<Duration, LoadError> {
        let began = Instant::now();
        let wanted = self.ready + wishes.len();
        let mut pending = wishes.into_iter();
        let mut opened = self.ready;
        while self.ready < wanted {
            while opened < wanted && opened - self.ready < at_once {
                self.open(pending.next().unwrap_or_default())?;
                opened += 1;
            }
            self.turn(Duration::from_millis(100), &mut Ignore)?;
            if let Some((connection, reason)) = self.lost.pop() {
                return Err(LoadError::SetUp { connection, reason });
            }
            if began.elapsed() > SET_UP_LIMIT {
                return Err(LoadError::SetUpTooSlow {
                    ready: self.ready,
                    wanted,
                    limit: SET_UP_LIMIT,
                });
            }
        }
        Ok(began.elapsed())
    }

    fn open(&mut self, wish: Wish) -> Result<(), LoadError> {
        let connection = self.connections.len();
        let mut stream = self
            .dial
            .open(connection)
            .map_err(|source| LoadError::Open { connection, source })?;
        stream.register(self.poll.registry(), Token(connection))?;
        let request = self.requests.get(self.dial.server(connection));
        let request = request.map_or(&[][..], Vec::as_slice);
        let connection = Connection::new(stream, self.dialect, request, wish);
        self.connections.push(Some(connection));
        Ok(())
    }

    /// Waits at most `wait` for sockets to be ready, and serves those that are.
    pub(crate) fn turn<H: Handler>(
        &mut self,
        wait: Duration,
        handler: &mut H,
    ) -> Result<(), LoadError> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            self.serve(event.token().0, handler);
        }
        std::mem::swap(&mut self.events, &mut events);
        Ok(())
    }

    fn serve<H: Handler>(&mut self, id: usize, handler: &mut H) {
        let Some(Some(connection)) = self.connections.get_mut(id) else {
            return;
        };
        if !connection.reads {
            return;
        }
        let before = connection.phase;
        let clock = &self.clock;
        let mut now = None;
        let read = connection.read(&mut self.scratch, |packet, outbox| {
            let now = *now.get_or_insert_with(|| clock.now());
            handler.packet(now, id, packet, outbox);
        });
        let served = read.and_then(|()| connection.flush());
        if before != Phase::Ready && connection.phase == Phase::Ready {
            self.ready += 1;
        }
        if let Err(reason) = served {
            self.lose(id, reason);
        }
    }

    fn lose(&mut self, id: usize, reason: LossReason) {
        self.close(id);
        self.lost.push((id, reason));
    }

    /// Serves all that comes for `period`.
    pub(crate) fn run<H: Handler>(
        &mut self,
        period: Duration,
        handler: &mut H,
    ) -> Result<(), LoadError> {
        let began = Instant::now();
        while let Some(left) = period.checked_sub(began.elapsed()) {
            self.turn(left.min(Duration::from_millis(100)), handler)?;
        }
        Ok(())
    }

    /// Has `id` publish to `room`; it is written by the next [`Pool::flush`].
    pub(crate) fn publish(&mut self, id: usize, room: &str, data: &[u8]) {
        if let Some(Some(connection)) = self.connections.get_mut(id) {
            connection.outbox.publish(room, data);
        }
    }

    /// Writes what `id` has waiting.
    pub(crate) fn flush(&mut self, id: usize) {
        let Some(Some(connection)) = self.connections.get_mut(id) else {
            return;
        };
        if let Err(reason) = connection.flush() {
            self.lose(id, reason);
        }
    }

    /// Closes `id` without a word, as a client that vanishes does.
    pub(crate) fn close(&mut self, id: usize) {
        let Some(place) = self.connections.get_mut(id) else {
            return;
        };
        if place
            .take()
            .is_some_and(|connection| connection.phase == Phase::Ready)
        {
            self.ready -= 1;
        }
    }

    /// Whether `id` is still open.
    pub(crate) fn is_open(&self, id: usize) -> bool {
        matches!(self.connections.get(id), Some(Some(_)))
    }

    /// From now on `id` reads, or does not.
    pub(crate) fn set_reading<H: Handler>(&mut self, id: usize, reads: bool, handler: &mut H) {
        if let Some(Some(connection)) = self.connections.get_mut(id) {
            connection.reads = reads;
            self.serve(id, handler);
        }
    }

    /// An error if the server has ended connections that the scenario needs.
    pub(crate) fn check_none_lost(&mut self) -> Result<(), LoadError> {
        let count = self.lost.len();
        match self.lost.drain(..).next() {
            Some((_, first)) => Err(LoadError::Lost { count, first }),
            None => Ok(()),
        }
    }
}
