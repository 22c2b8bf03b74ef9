//! permessage-deflate without context takeover (RFC 7692, section 7.2).
//!
//! A compressor or inflater lives as long as its thread and is reset between messages, so that a
//! connection costs no memory for compression.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::error::{NOT_DEFLATE, ProtocolError, TOO_BIG};

/// The end of a flushed stream, which the wire leaves out (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
const SCRATCH: usize = 16 * 1024;

struct Inflater {
    stream: Decompress,
    scratch: Box<[u8]>,
}

struct Deflater {
    stream: Compress,
    scratch: Vec<u8>,
}

thread_local! {
    static INFLATER: RefCell<Inflater> = RefCell::new(Inflater {
        stream: Decompress::new(false),
        scratch: vec![0; SCRATCH].into_boxed_slice(),
    });
    static DEFLATER: RefCell<Deflater> = RefCell::new(Deflater {
        stream: Compress::new(Compression::fast(), false),
        scratch: Vec::with_capacity(SCRATCH),
    });
}

/// The most bytes that a message of `max` may take packed: data that does not compress grows a
/// little.
pub(super) fn packed_bound(max: usize) -> usize {
    max.saturating_add(max / 1024).saturating_add(64)
}

/// Unpacks one message, which may not exceed `max` bytes.
pub(super) fn inflate(packed: &[u8], max: usize) -> Result<Vec<u8>, ProtocolError> {
    INFLATER.with_borrow_mut(|inflater| {
        inflater.stream.reset(false);
        let mut message = Vec::new();
        inflater.feed(packed, max, &mut message)?;
        inflater.feed(&TAIL, max, &mut message)?;
        Ok(message)
    })
}

/// Unpacks how a message begins, as far as `packed` holds it and up to `most` bytes.
pub(super) fn inflate_head(packed: &[u8], most: usize) -> Vec<u8> {
    INFLATER.with_borrow_mut(|inflater| {
        inflater.stream.reset(false);
        let mut head = vec![0; most];
        let whole = inflater
            .stream
            .decompress(packed, &mut head, FlushDecompress::Sync);
        // What is not DEFLATE data has no head; the message is refused either way.
        let written = whole.map_or(0, |_| inflater.stream.total_out() as usize);
        head.truncate(written);
        head
    })
}

impl Inflater {
    fn feed(
        &mut self,
        mut packed: &[u8],
        max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ProtocolError> {
        loop {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(packed, &mut self.scratch, FlushDecompress::Sync)
                .map_err(|_| NOT_DEFLATE)?;
            let read = (self.stream.total_in() - read) as usize;
            let written = (self.stream.total_out() - written) as usize;
            packed = packed.get(read..).unwrap_or_default();
            if written > max - out.len() {
                return Err(TOO_BIG);
            }
            out.extend_from_slice(self.scratch.get(..written).unwrap_or_default());
            // A sender may end the DEFLATE stream inside a message (RFC 7692, section 7.2.3.5).
            if status == Status::StreamEnd {
                self.stream.reset(false);
            }
            if packed.is_empty() && written < self.scratch.len() {
                return Ok(());
            }
            if read == 0 && written == 0 {
                return Err(NOT_DEFLATE);
            }
        }
    }
}

/// Packs one message and hands it to `use_packed`; `None` when packing does not make it shorter.
pub(super) fn deflate<T>(message: &[u8], use_packed: impl FnOnce(&[u8]) -> T) -> Option<T> {
    DEFLATER.with_borrow_mut(|deflater| {
        let packed = deflater.pack(message)?.strip_suffix(&TAIL)?;
        let used = (packed.len() < message.len()).then(|| use_packed(packed));
        deflater.scratch.clear();
        deflater.scratch.shrink_to(SCRATCH);
        used
    })
}

impl Deflater {
    fn pack(&mut self, message: &[u8]) -> Option<&[u8]> {
        self.stream.reset();
        self.scratch.clear();
        loop {
            self.scratch.reserve(message.len() / 2 + 64);
            let rest = message.get(self.stream.total_in() as usize..)?;
            let status = self
                .stream
                .compress_vec(rest, &mut self.scratch, FlushCompress::Sync)
                .ok()?;
            let all_read = self.stream.total_in() as usize == message.len();
            if all_read && self.scratch.len() < self.scratch.capacity() {
                return Some(&self.scratch);
            }
            if status == Status::StreamEnd {
                return None;
            }
        }
    }
}
