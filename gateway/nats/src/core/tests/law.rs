//! Whatever is lost meanwhile, in the end every gateway sees who is there, and what members were
//! told adds up to it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::SmallRng};

use super::bus::Bus;

const GATEWAYS: usize = 3;
const USERS: [&str; 4] = ["ann", "bob", "cem", "dan"];

#[derive(Debug, Clone)]
enum Step {
    Join(usize, usize),
    Leave(usize, usize),
    Disconnect(usize),
    Connect(usize),
    Ticks(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (gateway, user) = (0..GATEWAYS, 0..USERS.len());
    let step = prop_oneof![
        6 => (gateway.clone(), user.clone()).prop_map(|(g, u)| Step::Join(g, u)),
        5 => (gateway.clone(), user).prop_map(|(g, u)| Step::Leave(g, u)),
        1 => gateway.clone().prop_map(Step::Disconnect),
        2 => gateway.prop_map(Step::Connect),
        4 => (1..15_usize).prop_map(Step::Ticks),
    ];
    prop::collection::vec(step, 1..60)
}

struct World {
    bus: Bus,
    sessions: [[u32; USERS.len()]; GATEWAYS],
    linked: [bool; GATEWAYS],
    /// What the members at each gateway believe, beginning with a list when the first comes.
    told: [Option<BTreeSet<String>>; GATEWAYS],
}

impl World {
    fn new(loss: f64, seed: u64) -> Self {
        let mut bus = Bus::new(GATEWAYS);
        let mut rng = SmallRng::seed_from_u64(seed);
        bus.loss =
            Box::new(move |subject, _, _| !subject.contains("fleet") && rng.random_bool(loss));
        Self {
            bus,
            sessions: Default::default(),
            linked: [true; GATEWAYS],
            told: Default::default(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join(gateway, user) => {
                self.sessions[gateway][user] += 1;
                self.bus.join(gateway, USERS[user]);
            }
            Step::Leave(gateway, user) if self.sessions[gateway][user] > 0 => {
                self.sessions[gateway][user] -= 1;
                self.bus.leave(gateway, USERS[user]);
            }
            Step::Disconnect(gateway) if self.linked[gateway] => {
                self.linked[gateway] = false;
                self.bus.disconnect(gateway);
            }
            Step::Connect(gateway) if !self.linked[gateway] => {
                self.linked[gateway] = true;
                self.bus.connect(gateway);
            }
            Step::Ticks(ticks) => (0..ticks).for_each(|_| self.bus.tick()),
            _ => {}
        }
    }

    fn heal(&mut self) {
        self.bus.loss = Box::new(|_, _, _| false);
        for gateway in 0..GATEWAYS {
            self.step(&Step::Connect(gateway));
        }
        self.bus.run_seconds(5);
    }

    fn truth(&self) -> Vec<&'static str> {
        let there = |user: &usize| self.sessions.iter().any(|here| here[*user] > 0);
        (0..USERS.len())
            .filter(there)
            .map(|user| USERS[user])
            .collect()
    }

    fn has_members(&self, gateway: usize) -> bool {
        self.sessions[gateway].iter().any(|n| *n > 0)
    }

    /// Without losses: lists and announcements add up, at every moment in which all is told.
    fn follow(&mut self) {
        for gateway in 0..GATEWAYS {
            let news = self.bus.news(gateway);
            if !self.has_members(gateway) {
                self.told[gateway] = None;
                continue;
            }
            let Some(told) = &mut self.told[gateway] else {
                self.told[gateway] = Some(self.bus.view(gateway).into_iter().collect());
                continue;
            };
            for news in news {
                match news.split_at(1) {
                    ("+", user) => drop(told.insert(user.to_owned())),
                    // Who left just before the first came may still be announced.
                    (_, user) => drop(told.remove(user)),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn in_the_end_every_gateway_sees_who_is_there(steps in steps(), loss in 0.0f64..0.7, seed in any::<u64>()) {
        let mut world = World::new(loss, seed);
        for step in &steps {
            world.step(step);
        }
        world.heal();
        for gateway in 0..GATEWAYS {
            prop_assert_eq!(world.bus.view(gateway), world.truth());
        }
        world.bus.run_seconds(30);
        for gateway in 0..GATEWAYS {
            prop_assert_eq!(world.bus.view(gateway), world.truth());
        }
    }

    #[test]
    fn a_list_and_the_announcements_after_it_add_up(steps in steps()) {
        let mut world = World::new(0.0, 0);
        for step in &steps {
            if matches!(step, Step::Disconnect(_)) {
                continue;
            }
            // Who was there or away for less than a tick never was, also for a list between.
            let settled = Step::Ticks(if matches!(step, Step::Leave(..)) { 2 } else { 0 });
            for step in [&settled, step, &settled] {
                world.step(step);
            }
            world.follow();
        }
        world.bus.run_seconds(2);
        world.follow();
        let truth = world.truth();
        for told in world.told.iter().flatten() {
            prop_assert!(told.iter().eq(&truth), "{told:?} for {truth:?}");
        }
    }
}
