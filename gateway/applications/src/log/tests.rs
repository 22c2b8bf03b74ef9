use std::collections::BTreeSet;

use bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};
use serde_json::json;
use sluice_contract::application::{Entries, Entry, Read};

use super::*;
use crate::{Counters, Instance, Stay};

const ROOMS: [&str; 4] = ["a", "b", "c", "d"];
const USERS: [&str; 2] = ["ann", "bob"];

fn read(entry: &Entry<'_>) -> Read {
    let (mut bytes, mut entries) = (Vec::new(), Entries::default());
    entry.write(&mut bytes);
    entries.put(&bytes);
    entries.next().unwrap().unwrap()
}

fn instance() -> Arc<Instance> {
    let counters = Arc::new(Counters::default());
    Instance::new(
        ("i", 1),
        &"app".into(),
        String::new(),
        &Arc::default(),
        &counters,
    )
}

/// A session as those know it who are told of everything as it happens.
struct Client {
    absent: Absent,
    /// All that was emitted to it.
    got: Vec<u64>,
}

impl Client {
    fn new(number: u64, began: u64) -> Self {
        Self {
            absent: Absent {
                pid: format!("p{number}").into(),
                session: format!("s{number}").into(),
                user: USERS[number as usize % USERS.len()].into(),
                namespace: "/".into(),
                log: 1,
                rooms: Vec::new(),
                handles: vec![Stay::since(number, began)],
                data: None,
                rev: 0,
                began,
                unknown: 0,
                left: None,
            },
            got: Vec::new(),
        }
    }

    fn is_in(&self, room: &str) -> bool {
        let mut rooms = self.absent.rooms.iter();
        rooms.any(|stay| &*stay.of == room && stay.until == u64::MAX)
    }

    fn turn(&mut self, room: &str, last: u64) {
        if !self.is_in(room) {
            return self.absent.rooms.push(Stay::since(room.into(), last));
        }
        let mut rooms = self.absent.rooms.iter_mut();
        let stay = rooms.find(|stay| &*stay.of == room && stay.until == u64::MAX);
        stay.unwrap().until = last;
    }

    fn is_selected(&self, selector: &Selector) -> bool {
        let is = |name: &Arc<str>| **name == *self.absent.session || self.is_in(name);
        let is_user = |user: &Arc<str>| *user == self.absent.user;
        let named = selector.rooms.iter().chain(&selector.sessions).any(is);
        let named = named || selector.users.iter().any(is_user);
        (selector.is_everyone() || named) && !selector.except.iter().any(is)
    }
}

struct World {
    random: SmallRng,
    log: Log,
    instance: Arc<Instance>,
    clients: Vec<Client>,
    now: Instant,
}

impl World {
    fn some(&mut self, of: &[&str]) -> Vec<String> {
        let count = self.random.random_range(0..=2);
        let some = of.sample(&mut self.random, count);
        some.map(|name| (*name).to_owned()).collect()
    }

    fn cast(&mut self) {
        let sessions = ["s0", "s1", "s2", "s3", "s4"];
        let json = json!({
            "namespace": "/",
            "rooms": self.some(&ROOMS),
            "except": self.some(&["a", "b", "s0", "s3"]),
            "sessions": self.some(&sessions),
            "users": self.some(&USERS),
        });
        let (selector, args) = (json.to_string(), format!("[\"m\",{}]", self.log.next()));
        let entry = Entry::new("cast").none().none().none();
        let entry = read(&entry.body(selector.as_bytes()).body(args.as_bytes()));
        let cast = Arc::new(Cast::of(&self.instance, &entry).unwrap());
        let seq = self.log.next();
        for client in &mut self.clients {
            if client.is_selected(&cast.selector) {
                client.got.push(seq);
            }
        }
        self.log.add(Emitted::Cast(cast), self.now);
    }

    fn alone(&mut self) {
        let at = self.random.random_range(0..self.clients.len());
        let entry = read(
            &Entry::new("emit")
                .number(at as u64)
                .none()
                .none()
                .none()
                .body(b"[1]"),
        );
        let emission = Emission::of(&entry, 1, 0).unwrap();
        self.clients[at].got.push(self.log.next());
        self.log.add(Emitted::Alone(at as u64, emission), self.now);
    }

    /// Each client comes back having got so much: it is given all the rest, once and in its order, or
    /// told that it cannot be.
    fn check(&mut self, what: &str) -> (usize, usize) {
        let (mut whole, mut refused) = (0, 0);
        for client in &self.clients {
            let cuts: BTreeSet<u64> = [client.absent.began]
                .into_iter()
                .chain(client.got.iter().copied())
                .collect();
            for from in cuts {
                let through = self.log.last();
                match self.log.missed(&client.absent, from, through) {
                    Ok(missed) => {
                        let seqs: Vec<u64> = missed.iter().map(|missed| missed.seq).collect();
                        let rest: Vec<u64> = client
                            .got
                            .iter()
                            .copied()
                            .filter(|seq| *seq > from)
                            .collect();
                        assert_eq!(seqs, rest, "{what}, from {from}");
                        whole += 1;
                    }
                    Err(Gone) => refused += 1,
                }
            }
        }
        (whole, refused)
    }
}

#[test]
fn a_client_gets_all_that_it_missed_once_and_in_its_order_or_is_told_that_it_cannot() {
    let (mut whole, mut refused) = (0, 0);
    for seed in 0..200 {
        let mut world = World {
            random: SmallRng::seed_from_u64(seed),
            log: Log::new(1),
            instance: instance(),
            clients: (0..5).map(|number| Client::new(number, 0)).collect(),
            now: Instant::now(),
        };
        let bounded = world.random.random_bool(0.5);
        for _ in 0..120 {
            world.now += Duration::from_millis(100);
            match world.random.random_range(0..10) {
                0..=2 => {
                    let at = world.random.random_range(0..world.clients.len());
                    let room = *ROOMS.choose(&mut world.random).unwrap();
                    let last = world.log.last();
                    world.clients[at].turn(room, last);
                }
                3..=4 => world.alone(),
                _ => world.cast(),
            }
            if bounded {
                let most = world.random.random_range(10_000..60_000);
                world.log.forget(Duration::from_secs(8), most, world.now);
            }
        }
        let (fine, gone) = world.check(&format!("seed {seed}"));
        assert!(bounded || gone == 0, "seed {seed}: nothing was forgotten");
        whole += fine;
        refused += gone;
    }
    assert!(
        whole > 1_000 && refused > 100,
        "{whole} whole, {refused} refused"
    );
}

#[test]
fn who_was_sent_nothing_for_long_recovers_whatever_was_forgotten_meanwhile() {
    let now = Instant::now();
    let mut log = Log::new(1);
    let emission = Emission {
        flags: crate::Flags::default(),
        call: None,
        ttl: 0,
        args: Bytes::from_static(b"[1]"),
        attachments: Vec::new(),
        mark: None,
    };
    for _ in 0..100 {
        log.add(Emitted::Alone(9, emission.clone()), now);
    }
    log.add(Emitted::Alone(0, emission), now);
    log.forget(Duration::from_hours(1), 600, now);
    let quiet = Client::new(0, 0).absent;
    let missed = log.missed(&quiet, 0, 101).unwrap();
    assert_eq!(missed.len(), 1);
    let other = Client::new(9, 0).absent;
    assert_eq!(log.missed(&other, 0, 101).unwrap_err(), Gone);
    assert_eq!(log.missed(&other, 100, 101).unwrap().len(), 0);
}

#[test]
fn a_mark_of_what_was_never_emitted_is_not_believed() {
    let log = Log::new(1);
    assert_eq!(
        log.missed(&Client::new(0, 0).absent, 1, 1).unwrap_err(),
        Gone
    );
}
