//! What comes from NATS.

use bytes::Bytes;

/// A message's headers as they came: the version line, then a line each (ADR-4 of NATS).
#[derive(Debug, Clone, Default)]
pub struct Headers(Bytes);

impl Headers {
    /// Headers of this text, which begins with `NATS/1.0`.
    pub fn new(text: Bytes) -> Self {
        Self(text)
    }

    /// The status that a server or a library answered with instead of a message.
    pub fn status(&self) -> Option<u16> {
        let line = lines(&self.0).next()?;
        let digits = line.strip_prefix("NATS/1.0")?.trim_start().get(..3)?;
        digits.parse().ok()
    }

    /// The first value of a header. Names are compared as they are written.
    pub fn get(&self, name: &str) -> Option<&str> {
        lines(&self.0).skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key == name).then(|| value.trim())
        })
    }

    /// The first value of a header that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &str> {
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| !line.is_empty())
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct Packet {
    /// Its subject.
    pub subject: Bytes,
    /// Where an answer to it goes.
    pub reply: Option<Bytes>,
    /// Its headers.
    pub headers: Headers,
    /// Its payload.
    pub payload: Bytes,
}

impl Packet {
    /// Its subject; empty where it is no text, which nothing of ours is.
    pub fn subject(&self) -> &str {
        std::str::from_utf8(&self.subject).unwrap_or_default()
    }

    /// Where an answer to it goes.
    pub fn reply(&self) -> Option<&str> {
        std::str::from_utf8(self.reply.as_ref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_by_name() {
        let text = "NATS/1.0\r\nNats-Sequence: 17\r\nX:  a b \r\n\r\n";
        let headers = Headers::new(text.into());
        assert_eq!(headers.number("Nats-Sequence"), Some(17));
        assert_eq!(headers.get("X"), Some("a b"));
        assert_eq!((headers.get("Y"), headers.status()), (None, None));
    }

    #[test]
    fn a_status_stands_in_the_first_line() {
        let headers = Headers::new("NATS/1.0 503\r\n\r\n".into());
        assert_eq!(headers.status(), Some(503));
        let headers = Headers::new("NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\n\r\n".into());
        assert_eq!(headers.status(), Some(204));
        assert_eq!(headers.number("Nats-Num-Pending"), Some(0));
    }

    #[test]
    fn garbage_has_neither_status_nor_headers() {
        for text in ["", "\r\n", "HTTP/1.1 200", "NATS/1.0 9", "NATS/1.0\r\n:x"] {
            let headers = Headers::new(text.as_bytes().to_vec().into());
            assert_eq!((headers.status(), headers.get("x")), (None, None), "{text}");
        }
    }
}
