//! Frames: how the stream between an instance and a gateway travels.

use bytes::Bytes;

use super::beat::is_instance;

/// The most bytes of a frame with its first line.
pub const MAX_FRAME: usize = 256 * 1024;

/// The most bytes of a frame's first line.
const MAX_LINE: usize = 128;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// The next piece of the stream.
    Data,
    /// How far the other direction was taken.
    Acknowledge,
    /// The same, and what comes after it did not arrive.
    Missing,
    /// There is no such stream here.
    Reset,
}

impl FrameKind {
    const fn letter(self) -> char {
        match self {
            Self::Data => 'D',
            Self::Acknowledge => 'A',
            Self::Missing => 'N',
            Self::Reset => 'R',
        }
    }

    fn of(letter: &str) -> Option<Self> {
        Some(match letter {
            "D" => Self::Data,
            "A" => Self::Acknowledge,
            "N" => Self::Missing,
            "R" => Self::Reset,
            _ => return None,
        })
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: FrameKind,
    /// Who sends it: an instance's id, or a gateway's number.
    pub sender: &'a str,
    /// Which stream of the two it belongs to.
    pub stream: u64,
    /// The number of this frame where it has data, else that of the last one that had.
    pub seq: u64,
    /// Up to where the other direction was taken.
    pub taken: u64,
    /// The next piece of the stream.
    pub payload: Bytes,
}

impl<'a> Frame<'a> {
    /// Reads a frame; none where it is none. `line` is where the first line is kept: the first
    /// [`Self::line`] bytes of the message.
    pub fn decode(message: &'a Bytes) -> Option<Self> {
        let line = message.get(..message.len().min(MAX_LINE))?;
        let end = line.iter().position(|byte| *byte == b'\n')?;
        let text = std::str::from_utf8(&line[..end]).ok()?;
        let mut fields = text.split(' ');
        let kind = FrameKind::of(fields.next()?)?;
        let sender = fields.next().filter(|sender| is_instance(sender))?;
        let mut number = || fields.next()?.parse().ok();
        let (stream, seq, taken) = (number()?, number()?, number()?);
        Some(Self {
            kind,
            sender,
            stream,
            seq,
            taken,
            payload: message.slice(end + 1..),
        })
    }

    /// The first line of a frame; its payload follows.
    pub fn line(kind: FrameKind, sender: &str, (stream, seq, taken): (u64, u64, u64)) -> String {
        format!("{} {sender} {stream} {seq} {taken}\n", kind.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_as_it_was_written() {
        for kind in [
            FrameKind::Data,
            FrameKind::Acknowledge,
            FrameKind::Missing,
            FrameKind::Reset,
        ] {
            let mut message = Frame::line(kind, "Zk3x", (2, 7, u64::MAX));
            message.push_str("x\ny");
            let message = Bytes::from(message);
            let frame = Frame::decode(&message).unwrap();
            assert_eq!((frame.kind, frame.sender), (kind, "Zk3x"));
            assert_eq!((frame.stream, frame.seq, frame.taken), (2, 7, u64::MAX));
            assert_eq!(&frame.payload[..], b"x\ny");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for text in [
            "",
            "D a 1 1 1",
            "D a 1 1\n",
            "X a 1 1 1\n",
            "D a.b 1 1 1\n",
            "D a 1 -1 1\n",
            &format!("D a 1 1 1 {}\n", "x".repeat(128)),
        ] {
            let message = Bytes::from(text.to_owned());
            assert_eq!(Frame::decode(&message), None, "{text}");
        }
        let later = Bytes::from_static(b"D a 1 1 1 later\n");
        assert!(
            Frame::decode(&later).is_some(),
            "what a newer version adds is skipped"
        );
    }
}
