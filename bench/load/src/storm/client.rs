//! A client that behaves as the stock one at its default settings, over WebSocket, in one room.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::Shared;
use super::backoff::delay;
use super::socket::Socket;
use crate::error::{LoadError, LossReason};
use crate::wire::packet::{self, Packet};

/// How long a connection may take to be open, as the stock client has it.
const OPEN: Duration = Duration::from_secs(20);

/// How long a publication may take.
const ACKNOWLEDGED: Duration = Duration::from_secs(30);

/// The number by which a publisher signs; clients come after it.
const PUBLISHER: usize = 1_000_000;

/// What it remembers from one connection to the next.
pub(super) struct Client {
    number: usize,
    room: String,
    token: String,
    pid: Option<String>,
    offset: Option<String>,
}

impl Client {
    pub(super) fn new(number: usize, room: String, shared: &Shared) -> Result<Self, LoadError> {
        Ok(Self {
            number,
            room,
            token: shared.tokens.get(number)?.unwrap_or_default(),
            pid: None,
            offset: None,
        })
    }

    /// Connects, and again whenever the connection ends, until the task is dropped.
    pub(super) async fn live(mut self, shared: Rc<Shared>) {
        // In the beginning clients come one after the other.
        sleep(Duration::from_micros(500) * self.number as u32).await;
        let mut attempt = 0;
        loop {
            let was_inside = self.connection(&shared, &mut attempt).await;
            if was_inside {
                shared.tally.lost(self.number);
            } else {
                shared.tally.refused();
            }
            sleep(delay(attempt, rand::random())).await;
            attempt += 1;
        }
    }

    /// One connection to its end; whether it had come into the room.
    async fn connection(&mut self, shared: &Shared, attempt: &mut u32) -> bool {
        let Some(target) = shared.balancer.next() else {
            return false;
        };
        let Ok(Ok(mut socket)) = timeout(OPEN, opened(target, self.number)).await else {
            return false;
        };
        *attempt = 0;
        shared.tally.accepted();
        let Ok(recovered) = self.enter(&mut socket, shared).await else {
            return false;
        };
        shared.tally.back(self.number, recovered);
        // However it ends, it ends.
        let _ = self.stay(&mut socket, shared).await;
        true
    }

    /// Connects to the namespace and gets into the room, by recovery or by joining it.
    async fn enter(&mut self, socket: &mut Socket, shared: &Shared) -> Result<bool, LossReason> {
        let connect = self.credentials();
        socket.text(&format!("40{connect}")).await?;
        let before = self.pid.take();
        loop {
            let text = socket.next().await?;
            match packet::parse(text.as_bytes()) {
                Packet::Ping => socket.text("3").await?,
                Packet::Connected => {
                    self.connected(&text);
                    break;
                }
                Packet::Refused(why) => return Err(refused(why)),
                _ => {}
            }
        }
        let recovered = before.is_some() && before == self.pid;
        if !recovered {
            self.offset = None;
            self.join(socket, shared).await?;
        }
        Ok(recovered)
    }

    fn credentials(&self) -> Value {
        let mut auth = json!({"token": self.token});
        if let Some(pid) = &self.pid {
            auth["pid"] = json!(pid);
            auth["offset"] = json!(self.offset);
        }
        auth
    }

    fn connected(&mut self, text: &str) {
        let answer: Value =
            serde_json::from_str(text.get(2..).unwrap_or_default()).unwrap_or_default();
        self.pid = answer["pid"].as_str().map(str::to_owned);
    }

    async fn join(&mut self, socket: &mut Socket, shared: &Shared) -> Result<(), LossReason> {
        let join = json!(["join", self.room]);
        socket.text(&format!("421{join}")).await?;
        loop {
            let text = socket.next().await?;
            match packet::parse(text.as_bytes()) {
                Packet::Ack(answer) if packet::is_ok(answer) => return Ok(()),
                Packet::Ack(answer) => return Err(refused(answer)),
                packet => self.other(socket, &packet, shared).await?,
            }
        }
    }

    async fn stay(&mut self, socket: &mut Socket, shared: &Shared) -> Result<(), LossReason> {
        loop {
            let text = socket.next().await?;
            self.other(socket, &packet::parse(text.as_bytes()), shared)
                .await?;
        }
    }

    async fn other(
        &mut self,
        socket: &mut Socket,
        packet: &Packet<'_>,
        shared: &Shared,
    ) -> Result<(), LossReason> {
        match packet {
            Packet::Ping => socket.text("3").await,
            Packet::Event(event) => {
                self.event(event, shared);
                Ok(())
            }
            Packet::Refused(why) => Err(refused(why)),
            _ => Ok(()),
        }
    }

    /// An event; its last argument, if it is text, is the offset, as the stock client has it.
    fn event(&mut self, event: &[u8], shared: &Shared) {
        let Ok(Value::Array(arguments)) = serde_json::from_slice::<Value>(event) else {
            return;
        };
        if let (Some(_), Some(Value::String(offset))) = (&self.pid, arguments.last()) {
            self.offset = Some(offset.clone());
        }
        if let [Value::String(name), Value::Number(round), ..] = arguments.as_slice()
            && name == "storm"
            && let Some(round) = round.as_u64()
        {
            shared.tally.got(self.number, round as u32);
        }
    }
}

/// A connection with the first packet of Engine.IO read.
async fn opened(target: SocketAddr, number: usize) -> Result<Socket, LossReason> {
    let mut socket = Socket::open(target, number).await?;
    loop {
        let text = socket.next().await?;
        if packet::parse(text.as_bytes()) == Packet::Open {
            return Ok(socket);
        }
    }
}

fn refused(why: &[u8]) -> LossReason {
    LossReason::Refused(String::from_utf8_lossy(why).into_owned())
}

/// Publishes the number of the round to each room, at one gateway; an error unless all are
/// acknowledged.
pub(super) async fn publish(
    target: SocketAddr,
    rooms: impl Iterator<Item = String>,
    round: u32,
    shared: &Shared,
) -> Result<(), LoadError> {
    let failed = |reason: LossReason| LoadError::SetUp {
        connection: PUBLISHER,
        reason,
    };
    let token = shared.tokens.get(PUBLISHER)?.unwrap_or_default();
    let work = async {
        let mut socket = opened(target, PUBLISHER).await?;
        let connect = json!({"token": token});
        socket.text(&format!("40{connect}")).await?;
        for (number, room) in rooms.enumerate() {
            let publish = json!(["publish", room, "storm", round]);
            socket.text(&format!("42{number}{publish}")).await?;
            acknowledged(&mut socket).await?;
        }
        Ok(())
    };
    let Ok(done) = timeout(ACKNOWLEDGED, work).await else {
        return Err(LoadError::Suite(
            "the publisher's messages are not acknowledged".to_owned(),
        ));
    };
    done.map_err(failed)
}

async fn acknowledged(socket: &mut Socket) -> Result<(), LossReason> {
    loop {
        let text = socket.next().await?;
        match packet::parse(text.as_bytes()) {
            Packet::Ping => socket.text("3").await?,
            Packet::Ack(answer) if packet::is_ok(answer) => return Ok(()),
            Packet::Ack(why) | Packet::Refused(why) => return Err(refused(why)),
            _ => {}
        }
    }
}
