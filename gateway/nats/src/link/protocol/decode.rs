//! The decoder: bytes of a connection in, whole operations out.

use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};
use thiserror::Error;

use super::{
    Operation,
    fields::{Fields, number},
};
use crate::{Headers, Packet};

/// The longest control line that is read, in bytes. An `INFO` names every server of a cluster.
pub const MAX_LINE: usize = 64 * 1024;

/// The largest message that is read whatever a server allows, in bytes: what servers allow at most
/// (64 MiB), and room for the headers that they add.
pub const MAX_MESSAGE: usize = 64 * 1024 * 1024 + ADDED;

/// Room for the headers that a server adds to a message of the largest size it takes.
const ADDED: usize = 64 * 1024;

/// Why bytes are not what a NATS server sends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProtocolError {
    /// A line does not end.
    #[error("a line of the server is longer than {MAX_LINE} bytes")]
    LineTooLong,
    /// A line begins with none of the operations.
    #[error("the server sent an operation that is unknown; is it a NATS server?")]
    UnknownOperation,
    /// `INFO` without the JSON that belongs there.
    #[error("the server's INFO cannot be read: {0}")]
    InvalidInfo(String),
    /// `MSG` or `HMSG` with wrong fields.
    #[error("the server sent a message without a valid subject, subscription and size")]
    InvalidMessage,
    /// A message over the bound.
    #[error("the server sent a message of {0} bytes, more than it allows itself")]
    MessageTooLarge(usize),
    /// A payload without its end.
    #[error("a message of the server does not end where its size says")]
    UnterminatedPayload,
}

impl ProtocolError {
    /// The stable code for logs and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LineTooLong => "nats_line_too_long",
            Self::UnknownOperation => "nats_unknown_operation",
            Self::InvalidInfo(_) => "nats_invalid_info",
            Self::InvalidMessage => "nats_invalid_message",
            Self::MessageTooLarge(_) => "nats_message_too_large",
            Self::UnterminatedPayload => "nats_unterminated_payload",
        }
    }
}

/// The line of a message whose payload comes next. It stays at the front of the input, so that
/// the whole message is taken off in one piece.
#[derive(Debug)]
struct Head {
    subject: Range<usize>,
    reply: Option<Range<usize>>,
    sid: u64,
    headers: usize,
    size: usize,
    line: usize,
}

impl Head {
    /// The bytes of the message from its line to the end behind its payload.
    const fn whole(&self) -> usize {
        self.line + self.size + 2
    }
}

enum Line {
    Head(Head),
    Operation(Operation),
}

/// Reads what a server sends.
///
/// The parts of a message are views of the input: no copy, one allocation shared by all messages
/// that were read together. Whoever keeps one for long keeps that alive, and should copy it.
///
/// ```
/// use bytes::BytesMut;
/// use sluice_nats::link::protocol::{Decoder, Operation};
///
/// let mut decoder = Decoder::default();
/// let mut input = BytesMut::from("MSG a.b 7 2\r\nhi\r\nPI");
/// let Ok(Some(Operation::Message(7, packet))) = decoder.next(&mut input) else { panic!() };
/// assert_eq!((packet.subject(), &packet.payload[..]), ("a.b", &b"hi"[..]));
/// assert!(matches!(decoder.next(&mut input), Ok(None)));
/// ```
#[derive(Debug)]
pub struct Decoder {
    max_message: usize,
    /// How much of the input is known to hold no end of a line.
    scanned: usize,
    head: Option<Head>,
}

impl Default for Decoder {
    /// A decoder with the bound that servers have unless told otherwise.
    fn default() -> Self {
        Self::new(1024 * 1024)
    }
}

impl Decoder {
    /// A decoder for a server that takes messages of up to `max_payload` bytes.
    pub fn new(max_payload: usize) -> Self {
        Self {
            max_message: max_payload.saturating_add(ADDED).min(MAX_MESSAGE),
            scanned: 0,
            head: None,
        }
    }

    /// Changes the bound for messages whose line has not been read yet.
    pub fn set_max_payload(&mut self, max_payload: usize) {
        self.max_message = max_payload.saturating_add(ADDED).min(MAX_MESSAGE);
    }

    /// How many bytes the input must hold at least before there is another operation.
    pub fn needed(&self) -> usize {
        self.head.as_ref().map_or(1, Head::whole)
    }

    /// Takes the next operation off the front of `input`. `None` means that more is needed: add
    /// it to the same input. After an error the decoder and the input are of no use.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Operation>, ProtocolError> {
        let head = match self.head.take() {
            Some(head) => head,
            None => match self.line(input)? {
                Some(Line::Head(head)) => head,
                Some(Line::Operation(operation)) => return Ok(Some(operation)),
                None => return Ok(None),
            },
        };
        if input.len() < head.whole() {
            self.head = Some(head);
            return Ok(None);
        }
        let message = input.split_to(head.whole()).freeze();
        packet(&head, &message).map(Some)
    }

    fn line(&mut self, input: &mut BytesMut) -> Result<Option<Line>, ProtocolError> {
        let new = input.get(self.scanned..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'\n', new).map(|at| self.scanned + at) else {
            self.scanned = input.len();
            return if input.len() > MAX_LINE {
                Err(ProtocolError::LineTooLong)
            } else {
                Ok(None)
            };
        };
        if end > MAX_LINE {
            return Err(ProtocolError::LineTooLong);
        }
        self.scanned = 0;
        let line = input.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = self.read(line, end + 1)?;
        if matches!(line, Line::Operation(_)) {
            input.advance(end + 1);
        }
        Ok(Some(line))
    }

    fn read(&self, line: &[u8], size: usize) -> Result<Line, ProtocolError> {
        let verb = line.iter().position(|byte| matches!(byte, b' ' | b'\t'));
        let (verb, rest) = line.split_at(verb.unwrap_or(line.len()));
        let operation = match verb {
            b"MSG" | b"HMSG" => return self.head(line, verb.len(), size).map(Line::Head),
            b"PING" => Operation::Ping,
            b"PONG" => Operation::Pong,
            b"+OK" => Operation::Ok,
            b"-ERR" => Operation::Error(error(rest)),
            b"INFO" => serde_json::from_slice(rest)
                .map(|info| Operation::Info(Box::new(info)))
                .map_err(|error| ProtocolError::InvalidInfo(error.to_string()))?,
            _ => return Err(ProtocolError::UnknownOperation),
        };
        Ok(Line::Operation(operation))
    }

    /// `MSG subject sid [reply] size` or `HMSG subject sid [reply] headers size`.
    fn head(&self, line: &[u8], verb: usize, size: usize) -> Result<Head, ProtocolError> {
        let fields = Fields::split(line, verb).ok_or(ProtocolError::InvalidMessage)?;
        let head = head(line, fields.as_slice(), size).ok_or(ProtocolError::InvalidMessage)?;
        if head.size > self.max_message {
            return Err(ProtocolError::MessageTooLarge(head.size));
        }
        Ok(head)
    }
}

fn head(line: &[u8], fields: &[Range<usize>], size: usize) -> Option<Head> {
    let text = |range: &Range<usize>| line.get(range.clone()).unwrap_or_default();
    let with_headers = line.first() == Some(&b'H');
    let (reply, headers, total) = match (fields, with_headers) {
        ([_, _, total], false) => (None, None, total),
        ([_, _, reply, total], false) => (Some(reply.clone()), None, total),
        ([_, _, headers, total], true) => (None, Some(headers), total),
        ([_, _, reply, headers, total], true) => (Some(reply.clone()), Some(headers), total),
        _ => return None,
    };
    let head = Head {
        subject: fields.first()?.clone(),
        reply,
        sid: number(text(fields.get(1)?))?,
        headers: headers.map_or(Some(0), |headers| number(text(headers)))?,
        size: number(text(total))?,
        line: size,
    };
    (head.headers <= head.size).then_some(head)
}

fn packet(head: &Head, message: &Bytes) -> Result<Operation, ProtocolError> {
    let end = head.line + head.size;
    if message.get(end..) != Some(b"\r\n") {
        return Err(ProtocolError::UnterminatedPayload);
    }
    let payload = head.line + head.headers;
    let packet = Packet {
        subject: message.slice(head.subject.clone()),
        reply: head.reply.clone().map(|reply| message.slice(reply)),
        headers: if head.headers > 0 {
            Headers::new(message.slice(head.line..payload))
        } else {
            Headers::default()
        },
        payload: message.slice(payload..end),
    };
    Ok(Operation::Message(head.sid, packet))
}

fn error(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.trim().trim_matches('\'').to_owned()
}
