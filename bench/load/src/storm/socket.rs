//! One WebSocket of a client: whole frames in, masked frames out.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::error::LossReason;
use crate::net::setup;
use crate::wire::dialect::Dialect;
use crate::wire::frame::{self, Opcode};

/// Source addresses in turn, since one has no more than some 28,000 ports to one destination.
const SOURCES: usize = 64;

/// The largest frame that can be met.
const SCRATCH: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

/// A WebSocket that is open.
pub(super) struct Socket {
    stream: TcpStream,
    /// What was read and not used yet.
    rest: Vec<u8>,
    mask: [u8; 4],
}

impl Socket {
    /// Connects to a server and upgrades.
    pub(super) async fn open(target: SocketAddr, number: usize) -> Result<Self, LossReason> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        let last = 1 + (number % SOURCES) as u8;
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 1, last), 0)))?;
        let stream = socket.connect(target).await?;
        stream.set_nodelay(true)?;
        let mut socket = Self {
            stream,
            rest: Vec::new(),
            mask: rand::random(),
        };
        let request = setup::request(&target.to_string(), Dialect::SocketIo);
        socket.stream.write_all(&request).await?;
        loop {
            if let Some(length) = setup::response(&socket.rest)? {
                socket.rest.drain(..length);
                return Ok(socket);
            }
            socket.read().await?;
        }
    }

    /// The next text message. Answers heartbeats of the WebSocket itself.
    pub(super) async fn next(&mut self) -> Result<String, LossReason> {
        loop {
            let frame = frame::parse(&self.rest)?;
            let Some((opcode, payload, length)) =
                frame.map(|frame| (frame.opcode, frame.payload.to_vec(), frame.length))
            else {
                self.read().await?;
                continue;
            };
            self.rest.drain(..length);
            if self.rest.is_empty() {
                // So many clients that wait for something must hold nothing.
                self.rest = Vec::new();
            }
            match opcode {
                Opcode::Text => return Ok(String::from_utf8_lossy(&payload).into_owned()),
                Opcode::Close => return Err(LossReason::Closed),
                Opcode::Ping => self.send(Opcode::Pong, &payload).await?,
                Opcode::Binary | Opcode::Pong => {}
            }
        }
    }

    /// Sends a text message.
    pub(super) async fn text(&mut self, text: &str) -> Result<(), LossReason> {
        self.send(Opcode::Text, text.as_bytes()).await
    }

    async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), LossReason> {
        let mut bytes = Vec::with_capacity(payload.len() + 14);
        frame::append(&mut bytes, opcode, self.mask, &[payload]);
        Ok(self.stream.write_all(&bytes).await?)
    }

    async fn read(&mut self) -> Result<(), LossReason> {
        loop {
            self.stream.readable().await?;
            let read = BUFFER.with_borrow_mut(|buffer| {
                let read = self.stream.try_read(buffer)?;
                self.rest
                    .extend_from_slice(buffer.get(..read).unwrap_or_default());
                Ok::<_, std::io::Error>(read)
            });
            match read {
                Ok(0) => return Err(LossReason::Closed),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
