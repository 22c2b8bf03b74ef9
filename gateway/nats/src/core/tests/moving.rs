use std::time::Duration;

use super::bus::{Bus, room};

/// A session of a user goes from one gateway to another, as claims do it.
fn move_session(bus: &mut Bus, user: &str, from: usize, to: usize) {
    let name = user.into();
    bus.act(from, |core, at, out| {
        let io = core.world.io(at, out);
        core.presence
            .linger(&io, &[room()], &name, Duration::from_secs(2));
    });
    bus.join(to, user);
}

#[test]
fn nobody_sees_a_session_move() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.join(2, "cem");
    bus.run_seconds(3);
    (0..3).for_each(|node| drop(bus.news(node)));
    move_session(&mut bus, "bob", 1, 2);
    bus.run_seconds(5);
    for node in [0, 2] {
        assert!(bus.news(node).is_empty());
        assert_eq!(bus.view(node), ["ann", "bob", "cem"]);
    }
    bus.leave(2, "bob");
    bus.run_seconds(1);
    assert_eq!(bus.news(0), ["-bob"]);
}

#[test]
fn a_session_may_move_to_a_gateway_that_had_no_member() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(3);
    bus.news(0);
    move_session(&mut bus, "bob", 1, 2);
    bus.run_seconds(5);
    assert!(bus.news(0).is_empty());
    for node in 0..3 {
        assert_eq!(bus.view(node), ["ann", "bob"]);
    }
}

#[test]
fn a_session_that_moves_there_and_back_is_there() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(3);
    bus.news(0);
    move_session(&mut bus, "bob", 1, 0);
    move_session(&mut bus, "bob", 0, 1);
    bus.run_seconds(5);
    assert!(bus.news(0).is_empty());
    assert_eq!(bus.view(1), ["ann", "bob"]);
    bus.leave(1, "bob");
    bus.run_seconds(1);
    assert_eq!(bus.view(0), ["ann"]);
}
