use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use sluice_contract::application::{Frame, FrameKind};

use super::*;

/// A way that loses, repeats and delays frames, and the two ends of a stream over it.
struct Way {
    random: SmallRng,
    now: Instant,
    ends: [Stream; 2],
    /// What each end is to get, by when.
    coming: [BTreeMap<(Instant, u64), ToSend>; 2],
    frames: u64,
    /// What each end got.
    got: [Vec<u8>; 2],
    loss: f64,
}

impl Way {
    fn new(seed: u64) -> Self {
        Self {
            random: SmallRng::seed_from_u64(seed),
            now: Instant::now(),
            ends: Default::default(),
            coming: Default::default(),
            frames: 0,
            got: Default::default(),
            loss: 0.2,
        }
    }

    fn send(&mut self, from: usize) {
        while let Some(frame) = self.ends[from].next(self.now, 1000) {
            let copies = if self.random.random_bool(0.05) { 2 } else { 1 };
            for _ in 0..copies {
                self.frames += 1;
                if self.random.random_bool(self.loss) {
                    continue;
                }
                let late = if self.random.random_bool(0.1) { 300 } else { 5 };
                let at = self.now + Duration::from_millis(self.random.random_range(1..=late));
                self.coming[1 - from].insert((at, self.frames), frame.clone());
            }
        }
    }

    fn turn(&mut self) {
        for end in 0..2 {
            self.send(end);
        }
        self.now += Duration::from_millis(5);
        for end in 0..2 {
            let later = self.coming[end].split_off(&(self.now, u64::MAX));
            for frame in std::mem::replace(&mut self.coming[end], later).into_values() {
                let (seq, taken) = frame.numbers;
                let frame = Frame {
                    kind: frame.kind,
                    sender: "a",
                    stream: 1,
                    seq,
                    taken,
                    payload: frame.payload.into(),
                };
                if let Some(bytes) = self.ends[end].take(&frame, self.now) {
                    self.got[end].extend_from_slice(&bytes);
                }
            }
            self.ends[end].tick(self.now);
        }
    }
}

#[test]
fn whatever_the_way_does_each_byte_comes_once_and_in_its_order() {
    for seed in 0..40 {
        let mut way = Way::new(seed);
        let mut put: [Vec<u8>; 2] = Default::default();
        for turn in 0..400_u64 {
            let end = way.random.random_range(0..2);
            if turn < 200 {
                let length = way.random.random_range(1..3000);
                let entry: Vec<u8> = (0..length).map(|_| way.random.random()).collect();
                put[end].extend_from_slice(&entry);
                way.ends[end].put(turn, entry.into());
            }
            way.turn();
        }
        way.loss = 0.0;
        for _ in 0..1500 {
            way.turn();
        }
        way.got.reverse();
        assert!(way.got == put, "seed {seed}");
        let held = way.ends.each_ref().map(Stream::held);
        assert_eq!(held, [0, 0], "seed {seed}");
    }
}

#[test]
fn no_more_than_the_window_is_coming() {
    let (mut stream, now) = (Stream::default(), Instant::now());
    for tag in 0..3 {
        stream.put(tag, Bytes::from(vec![0; WINDOW / 2]));
    }
    let mut sent = 0;
    while let Some(frame) = stream.next(now, 256 * 1024) {
        sent += frame.payload.len();
    }
    assert_eq!((sent, stream.held()), (WINDOW, WINDOW / 2 * 3));
}

#[test]
fn what_has_not_arrived_whole_is_given_back_in_its_order() {
    let (mut stream, now) = (Stream::default(), Instant::now());
    for (tag, text) in [(1, "first"), (2, "second"), (3, "third")] {
        stream.put(tag, text.into());
    }
    // The first frame ends within the second entry.
    stream.next(now, 7);
    stream.next(now, 7);
    let acknowledged = Frame {
        kind: FrameKind::Acknowledge,
        sender: "a",
        stream: 1,
        seq: 0,
        taken: 1,
        payload: Bytes::new(),
    };
    stream.take(&acknowledged, now);
    let unsent = stream.unsent();
    let unsent: Vec<_> = unsent.iter().map(|it| (it.tag, it.sent)).collect();
    assert_eq!((unsent, stream.held()), (vec![(2, true), (3, false)], 0));
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_is_not_believed() {
    let (mut stream, now) = (Stream::default(), Instant::now());
    stream.put(1, "entry".into());
    let impossible = Frame {
        kind: FrameKind::Acknowledge,
        sender: "a",
        stream: 1,
        seq: 0,
        taken: 99,
        payload: Bytes::new(),
    };
    stream.take(&impossible, now);
    assert_eq!(stream.held(), 5);
    assert_eq!(stream.next(now, 100).map(|frame| frame.numbers.0), Some(1));
}
