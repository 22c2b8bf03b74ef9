use proptest::prelude::*;

use super::*;

const SETTINGS: CircuitSettings = CircuitSettings {
    consecutive: 3,
    ratio: 0.5,
    volume: 10,
    window: Duration::from_secs(10),
    open: Duration::from_secs(1),
    longest: Duration::from_secs(4),
};

struct World {
    circuit: Circuit,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            circuit: Circuit::new(SETTINGS, now),
            now,
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    fn ask(&mut self) -> Option<Ticket> {
        match self.circuit.admit(self.now) {
            Admission::Granted(ticket) => Some(ticket),
            Admission::Refused => None,
        }
    }

    /// One try with this outcome; false where it was refused.
    fn attempt(&mut self, works: bool) -> bool {
        let Some(ticket) = self.ask() else {
            return false;
        };
        if works {
            self.circuit.succeeded(ticket, self.now);
        } else {
            self.circuit.failed(ticket, self.now);
        }
        true
    }

    fn open() -> Self {
        let mut world = Self::new();
        for _ in 0..3 {
            assert!(world.attempt(false));
        }
        world
    }
}

#[test]
fn it_opens_after_so_many_failures_in_a_row() {
    let mut world = World::open();
    assert!(!world.circuit.is_closed() && world.ask().is_none());
}

#[test]
fn a_success_in_between_keeps_it_closed() {
    let mut world = World::new();
    for works in [false, false, true, false, false] {
        assert!(world.attempt(works));
    }
    assert!(world.circuit.is_closed());
}

#[test]
fn it_opens_when_too_large_a_share_fails() {
    let mut world = World::new();
    for number in 0..9 {
        assert!(world.attempt(number % 2 == 0));
    }
    assert!(world.circuit.is_closed());
    assert!(world.attempt(false));
    assert!(!world.circuit.is_closed());
}

#[test]
fn an_old_window_does_not_count() {
    let mut world = World::new();
    for number in 0..9 {
        world.attempt(number % 2 == 0);
    }
    world.pass(10_001);
    assert!(world.attempt(false));
    assert!(world.circuit.is_closed());
}

#[test]
fn one_probe_goes_out_and_closes_it() {
    let mut world = World::open();
    world.pass(1000);
    let probe = world.ask().unwrap();
    assert!(world.ask().is_none());
    world.circuit.succeeded(probe, world.now);
    assert!(world.circuit.is_closed() && world.ask().is_some());
}

#[test]
fn each_failed_probe_doubles_the_time_up_to_a_bound() {
    let mut world = World::open();
    for open in [1000, 2000, 4000, 4000] {
        world.pass(open - 1);
        assert!(world.ask().is_none());
        world.pass(1);
        assert!(world.attempt(false));
    }
}

#[test]
fn after_a_success_the_time_begins_anew() {
    let mut world = World::open();
    world.pass(1000);
    world.attempt(false);
    world.pass(2000);
    world.attempt(true);
    for _ in 0..3 {
        world.attempt(false);
    }
    world.pass(1000);
    assert!(world.ask().is_some());
}

#[test]
fn what_became_of_an_earlier_try_changes_nothing() {
    let mut world = World::new();
    let early = world.ask().unwrap();
    for _ in 0..3 {
        world.attempt(false);
    }
    world.circuit.succeeded(early, world.now);
    assert!(!world.circuit.is_closed());
    world.pass(1000);
    let probe = world.ask().unwrap();
    world.circuit.failed(early, world.now);
    world.circuit.succeeded(probe, world.now);
    assert!(world.circuit.is_closed());
}

proptest! {
    #[test]
    fn a_backend_that_works_again_is_always_used_again(
        steps in prop::collection::vec((any::<bool>(), 0u64..3000), 0..80),
    ) {
        let mut world = World::new();
        for (works, pause) in steps {
            world.pass(pause);
            world.attempt(works);
        }
        world.pass(4000);
        prop_assert!(world.attempt(true));
        prop_assert!(world.ask().is_some());
    }

    #[test]
    fn a_backend_that_fails_is_asked_ever_more_rarely(pauses in prop::collection::vec(0u64..500, 1..200)) {
        let mut world = World::new();
        let (start, mut sent) = (world.now, 0u128);
        for pause in pauses {
            world.pass(pause);
            sent += u128::from(world.attempt(false));
        }
        let seconds = world.now.duration_since(start).as_millis() / 1000;
        prop_assert!(sent <= 3 + 2 + seconds / 4 + 1, "{sent} in {seconds} s");
    }
}
