//! Two ends and a network between them that loses, repeats, delays and reorders frames, and is away
//! at times; whatever it does, all bytes arrive, once and in their order.

use std::collections::VecDeque;

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::SmallRng};

use super::*;

const STEP: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
enum Sent {
    Frame(Frame, Marks),
    Feedback(Feedback),
}

/// One end, what it has to send, and what it got.
struct End {
    flow: Flow,
    to_send: VecDeque<u8>,
    waiting: VecDeque<Bytes>,
    got: Vec<u8>,
    shut: bool,
}

impl End {
    fn new(to_send: &[u8]) -> Self {
        Self {
            flow: Flow::default(),
            to_send: to_send.iter().copied().collect(),
            waiting: VecDeque::new(),
            got: Vec::new(),
            shut: false,
        }
    }

    fn hear(&mut self, sent: Sent, now: Instant) {
        let flow = &mut self.flow;
        match sent {
            Sent::Frame(Frame::Data(offset, bytes), marks) => {
                flow.acknowledged(marks, now).unwrap();
                self.waiting
                    .push_back(flow.data(offset, bytes, now).unwrap());
            }
            Sent::Frame(Frame::Fin(offset), _) => flow.ended(offset, now).unwrap(),
            Sent::Feedback(Feedback::Ack(marks)) => flow.acknowledged(marks, now).unwrap(),
            Sent::Feedback(Feedback::Missing(marks)) => flow.missing(marks, now).unwrap(),
        }
    }

    /// Does some of what it can.
    fn work(&mut self, rng: &mut SmallRng, now: Instant) -> Vec<Sent> {
        self.flow.tick(now).unwrap();
        self.write(rng, now);
        let some = rng.random_range(0..40_000).min(self.flow.room());
        let some: Vec<_> = self.to_send.drain(..some.min(self.to_send.len())).collect();
        self.flow.take(&some);
        let mut sent = Vec::new();
        while let Some((frame, marks)) = self.flow.next(now) {
            sent.push(Sent::Frame(frame, marks));
        }
        sent.extend(self.flow.feedback(now).map(Sent::Feedback));
        assert!(self.flow.sending_keeps() <= WINDOW as usize);
        sent
    }

    fn write(&mut self, rng: &mut SmallRng, now: Instant) {
        if rng.random_bool(0.3) {
            return;
        }
        if let Some(bytes) = self.waiting.pop_front() {
            self.got.extend_from_slice(&bytes);
            self.flow.wrote(bytes.len(), now);
        }
        if self.flow.has_all() && !self.shut {
            self.shut = true;
            self.flow.shut(now);
        }
    }

    fn is_done(&self, expected: usize) -> bool {
        self.to_send.is_empty() && self.got.len() == expected
    }
}

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
struct Network {
    loses: f64,
    repeats: f64,
    reorders: f64,
    /// How likely it goes away in a step, and for how many steps.
    leaves: f64,
    away: usize,
}

fn networks() -> impl Strategy<Value = Network> {
    let part = || prop_oneof![Just(0.0), 0.0..0.3];
    (part(), part(), part(), 0.0..0.05, 1_usize..300).prop_map(
        |(loses, repeats, reorders, leaves, away)| Network {
            loses,
            repeats,
            reorders,
            leaves,
            away,
        },
    )
}

impl Network {
    fn pass(self, queue: &mut Vec<Sent>, sent: Vec<Sent>, rng: &mut SmallRng) {
        for sent in sent {
            if rng.random_bool(self.loses) {
                continue;
            }
            if rng.random_bool(self.repeats) {
                queue.push(sent.clone());
            }
            queue.push(sent);
            if rng.random_bool(self.reorders) && queue.len() > 1 {
                let at = rng.random_range(0..queue.len() - 1);
                let last = queue.len() - 1;
                queue.swap(at, last);
            }
        }
    }
}

fn text(rng: &mut SmallRng) -> Vec<u8> {
    (0..rng.random_range(0..700_000))
        .map(|_| rng.random())
        .collect()
}

/// Runs until all has arrived; then both ends end.
fn run(seed: u64, network: Network) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let texts = [text(&mut rng), text(&mut rng)];
    let mut ends = [End::new(&texts[0]), End::new(&texts[1])];
    let mut queues = [Vec::new(), Vec::new()];
    let (mut now, mut away, mut ended) = (Instant::now(), 0, false);
    for step in 0.. {
        assert!(step < 40_000, "the ends do not come to an end");
        now += STEP;
        // A network that is bad for ever would prove nothing in the end.
        if away == 0 && step < 2_000 && rng.random_bool(network.leaves) {
            away = network.away;
        }
        for (at, end) in ends.iter_mut().enumerate() {
            let heard = std::mem::take(&mut queues[1 - at]);
            if away == 0 {
                for sent in heard {
                    end.hear(sent, now);
                }
            }
            let sent = end.work(&mut rng, now);
            if away == 0 {
                network.pass(&mut queues[at], sent, &mut rng);
            }
        }
        away = away.saturating_sub(1);
        let done = ends[0].is_done(texts[1].len()) && ends[1].is_done(texts[0].len());
        if done && !ended {
            ended = true;
            for end in &mut ends {
                end.flow.end(now);
            }
        }
        if ends.iter().all(|end| end.flow.is_finished()) {
            break;
        }
        // Who lingers for so long gives up; that is another test's matter.
        if ended {
            for end in &mut ends {
                end.flow.end_by = None;
            }
        }
    }
    assert!(ends[0].got == texts[1] && ends[1].got == texts[0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn all_bytes_arrive_once_and_in_order_whatever_the_network_does(seed in any::<u64>(), network in networks()) {
        run(seed, network);
    }
}

#[test]
fn nothing_is_sent_again_over_a_good_network() {
    let good = Network {
        loses: 0.0,
        repeats: 0.0,
        reorders: 0.0,
        leaves: 0.0,
        away: 0,
    };
    let mut rng = SmallRng::seed_from_u64(1);
    let (mut one, mut other) = (End::new(&text(&mut rng)), End::new(&[]));
    let mut now = Instant::now();
    while !one.to_send.is_empty() {
        now += STEP;
        let mut queue = Vec::new();
        good.pass(&mut queue, one.work(&mut rng, now), &mut rng);
        for sent in queue {
            other.hear(sent, now);
        }
        let back = other.work(&mut rng, now);
        for sent in back {
            one.hear(sent, now);
        }
    }
    assert_eq!(one.flow.sent_again(), 0);
}
