//! What compression costs and saves for a room, without it, compressed once for all members, and
//! by each member's own compressor (context takeover, which the gateway does not do):
//!
//! ```sh
//! cargo run --release -p sluice-codec --example compression
//! ```
//!
//! The figures are those of one thread that does nothing else: what a member is owed is put where
//! it is written from, and not written.

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use flate2::{Compress, Compression, Decompress, FlushCompress};
use sluice_codec::ws::{Opcode, encode, encode_deflated};

/// Members of the room.
const MEMBERS: usize = 200;

/// Below this the gateway does not compress.
const FROM: usize = 256;

/// Messages of a room: as long as is said, alike in form and different in content.
fn messages(bytes: usize) -> Vec<String> {
    const WORDS: [&str; 16] = [
        "train", "meets", "harbour", "where", "seven", "people", "price", "later", "signal",
        "green", "north", "quiet", "answer", "window", "over", "paper",
    ];
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let message = |n: usize| {
        let mut text = String::new();
        while text.len() + 190 < bytes {
            text.push_str(WORDS[next() as usize % WORDS.len()]);
            text.push(' ');
        }
        let (user, id) = (next() % 1_000, next());
        format!(
            r#"42["message",{{"text":"{text}","score":{}}},{{"room":"lobby","from":"user-{user}","id":"{id:016x}","offset":{n},"time":{}}},"{:08x}-{n}"]"#,
            next() % 10_000,
            1_764_550_000_000 + n as u64 * 40,
            0x51ce,
        )
    };
    (0..500).map(message).collect()
}

/// Bytes and time for each delivery.
struct Cost {
    bytes: f64,
    time: Duration,
}

/// Gives every message to every member by `deliver`, which appends what is written.
fn measure(
    messages: &[String],
    mut deliver: impl FnMut(&str, &mut dyn FnMut(usize, &[u8])),
) -> Cost {
    let mut written = vec![0; 64 << 10];
    let mut bytes = 0.0;
    let began = Instant::now();
    for message in messages {
        deliver(message, &mut |_, frame| {
            written[..frame.len()].copy_from_slice(frame);
            black_box(&mut written);
            bytes += u32::try_from(frame.len()).map_or(f64::INFINITY, f64::from);
        });
    }
    let deliveries = (messages.len() * MEMBERS) as u32;
    Cost {
        bytes: bytes / f64::from(deliveries),
        time: began.elapsed() / deliveries,
    }
}

fn off(messages: &[String]) -> Cost {
    measure(messages, |message, write| {
        let frame = encode(Opcode::Text, message.as_bytes());
        (0..MEMBERS).for_each(|member| write(member, &frame));
    })
}

fn shared(messages: &[String]) -> Cost {
    measure(messages, |message, write| {
        let frame = if message.len() < FROM {
            encode(Opcode::Text, message.as_bytes())
        } else {
            encode_deflated(Opcode::Text, message.as_bytes())
        };
        (0..MEMBERS).for_each(|member| write(member, &frame));
    })
}

fn own(messages: &[String]) -> Cost {
    let mut members: Vec<_> = (0..MEMBERS)
        .map(|_| Compress::new(Compression::fast(), false))
        .collect();
    let mut packed = Vec::with_capacity(64 << 10);
    measure(messages, |message, write| {
        for (n, member) in members.iter_mut().enumerate() {
            packed.clear();
            let done = member.compress_vec(message.as_bytes(), &mut packed, FlushCompress::Sync);
            assert!(done.is_ok(), "{done:?}");
            // The frame has a header, and goes without the end of the flush.
            packed.truncate(packed.len().saturating_sub(4));
            let header = if packed.len() < 126 { 2 } else { 4 };
            packed.splice(0..0, std::iter::repeat_n(0, header));
            write(n, &packed);
        }
    })
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    resident.unwrap_or_default() * 4096
}

/// What a compressor and a decompressor of its own cost a connection that has used them.
fn memory(message: &str) -> (usize, usize) {
    const CONNECTIONS: usize = 500;
    let mut packed = Vec::with_capacity(64 << 10);
    let before = resident();
    let compressors: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut compressor = Compress::new(Compression::fast(), false);
            packed.clear();
            let _ = compressor.compress_vec(message.as_bytes(), &mut packed, FlushCompress::Sync);
            compressor
        })
        .collect();
    let between = resident();
    let mut plain = Vec::with_capacity(64 << 10);
    let decompressors: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut decompressor = Decompress::new(false);
            plain.clear();
            let flush = flate2::FlushDecompress::Sync;
            let _ = decompressor.decompress_vec(&packed, &mut plain, flush);
            decompressor
        })
        .collect();
    let after = resident();
    black_box((compressors, decompressors));
    let each = |bytes: usize| bytes / CONNECTIONS / 1024;
    (
        each(between.saturating_sub(before)),
        each(after.saturating_sub(between)),
    )
}

fn main() {
    println!("{MEMBERS} members; bytes a delivery, and CPU seconds for a million deliveries");
    for size in [200, 300, 1_000, 4_000, 16_000] {
        let messages = messages(size);
        let mean = messages.iter().map(String::len).sum::<usize>() / messages.len();
        print!("{mean:>6} bytes");
        for (name, cost) in [
            ("off", off(&messages)),
            ("shared", shared(&messages)),
            ("own", own(&messages)),
        ] {
            let seconds = cost.time.as_secs_f64() * 1e6;
            print!(" | {name} {:>7.0} B {seconds:>7.3} s", cost.bytes);
        }
        println!();
    }
    let (compressor, decompressor) = memory(&messages(1_000)[0]);
    println!(
        "memory a connection: off and shared 0; own {compressor} KiB to send, {decompressor} KiB to receive"
    );
}
