//! What a client sends. Nothing here checks names: [`is_subject`] and [`is_header`] do.

use std::io::Write as _;

use serde::Serialize;

/// Asks for a [`PONG`].
pub const PING: &[u8] = b"PING\r\n";

/// Answers a [`PING`].
pub const PONG: &[u8] = b"PONG\r\n";

/// The longest subject, in bytes: two of them fit into the control lines that servers take.
pub const MAX_SUBJECT: usize = 2000;

const VERSION: &str = "NATS/1.0\r\n";

/// What a client says of itself, in the words of the protocol.
#[derive(Clone, Default, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol's own fields")]
pub struct Connect<'a> {
    /// Whether every operation is answered with `+OK`.
    pub verbose: bool,
    /// Whether subjects are checked with care.
    pub pedantic: bool,
    /// Whether the connection is encrypted.
    pub tls_required: bool,
    /// The client's name, for people.
    pub name: &'a str,
    /// The language it is written in.
    pub lang: &'a str,
    /// The client's version.
    pub version: &'a str,
    /// Which protocol it speaks: 1 has `INFO` at any time.
    pub protocol: u8,
    /// Whether its own messages come back to it.
    pub echo: bool,
    /// Whether the client takes headers.
    pub headers: bool,
    /// Whether it wants to know when nobody listens to a request.
    pub no_responders: bool,
    /// A user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
    /// The user's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<&'a str>,
    /// A token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<&'a str>,
    /// A user's JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<&'a str>,
    /// The public key of a user without a JWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<&'a str>,
    /// The server's nonce, signed with the user's key, in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// Writes `CONNECT`.
pub fn connect(connect: &Connect<'_>, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    out.extend_from_slice(b"CONNECT ");
    serde_json::to_writer(&mut *out, connect)?;
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Writes `SUB`: messages of `subject` shall come with the number `sid`.
pub fn subscribe(subject: &str, sid: u64, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail; the same below.
    let _ = write!(out, "SUB {subject} {sid}\r\n");
}

/// Writes `UNSUB`.
pub fn unsubscribe(sid: u64, out: &mut Vec<u8>) {
    let _ = write!(out, "UNSUB {sid}\r\n");
}

/// Writes `PUB`, or `HPUB` where there are headers.
pub fn publish<N: AsRef<str>, V: AsRef<str>>(
    subject: &str,
    reply: Option<&str>,
    headers: &[(N, V)],
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    let size = header_size(headers);
    out.reserve(subject.len() + reply.map_or(0, str::len) + size + payload.len() + 40);
    out.extend_from_slice(if headers.is_empty() {
        b"PUB "
    } else {
        b"HPUB "
    });
    out.extend_from_slice(subject.as_bytes());
    if let Some(reply) = reply {
        out.push(b' ');
        out.extend_from_slice(reply.as_bytes());
    }
    if headers.is_empty() {
        let _ = write!(out, " {}\r\n", payload.len());
    } else {
        let _ = write!(out, " {size} {}\r\n{VERSION}", size + payload.len());
    }
    for (name, value) in headers {
        let _ = write!(out, "{}: {}\r\n", name.as_ref(), value.as_ref());
    }
    if !headers.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

/// The bytes of the headers as they are written; 0 without any.
pub fn header_size<N: AsRef<str>, V: AsRef<str>>(headers: &[(N, V)]) -> usize {
    if headers.is_empty() {
        return 0;
    }
    let lines = headers.iter();
    let lines = lines.map(|(name, value)| name.as_ref().len() + value.as_ref().len() + 4);
    VERSION.len() + lines.sum::<usize>() + 2
}

/// Whether a subject can be written: something, not too long, and no blanks or control
/// characters, which would be read as something else.
pub fn is_subject(subject: &str) -> bool {
    (1..=MAX_SUBJECT).contains(&subject.len())
        && subject.bytes().all(|byte| byte > b' ' && byte != 0x7F)
}

/// Whether a header can be written: a name without blanks and colons, a value in one line.
pub fn is_header(name: &str, value: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b':')
        && !value.contains(['\r', '\n'])
}
