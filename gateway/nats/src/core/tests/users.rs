use std::time::Duration;

use sluice_backbone::Error;

use super::bus::{Bus, lose_one};
use crate::core::GONE_AFTER;

fn enter(bus: &mut Bus, node: usize, limit: u32) -> Result<(), Error> {
    bus.act(node, |core, at, _| core.enter(at, &"ann".into(), limit))
}

fn exit(bus: &mut Bus, node: usize) {
    bus.act(node, |core, _, _| core.exit(&"ann".into()));
}

#[test]
fn a_user_has_as_many_sessions_as_allowed_over_all_gateways() {
    let mut bus = Bus::new(2);
    assert_eq!(enter(&mut bus, 0, 2), Ok(()));
    bus.tick();
    assert_eq!(enter(&mut bus, 1, 2), Ok(()));
    bus.tick();
    assert_eq!(enter(&mut bus, 0, 2), Err(Error::UserConnections));
    assert_eq!(enter(&mut bus, 1, 2), Err(Error::UserConnections));
    exit(&mut bus, 0);
    bus.tick();
    assert_eq!(enter(&mut bus, 1, 2), Ok(()));
}

#[test]
fn a_gateway_that_comes_knows_the_sessions_of_the_others() {
    let mut bus = Bus::new(1);
    enter(&mut bus, 0, 1).unwrap();
    bus.tick();
    let late = bus.start();
    assert_eq!(enter(&mut bus, late, 1), Err(Error::UserConnections));
}

#[test]
fn a_gateway_that_dies_does_not_keep_its_users_out() {
    let mut bus = Bus::new(2);
    enter(&mut bus, 1, 1).unwrap();
    bus.run_seconds(1);
    bus.kill(1);
    assert_eq!(enter(&mut bus, 0, 1), Err(Error::UserConnections));
    bus.run_seconds(4);
    assert_eq!(enter(&mut bus, 0, 1), Ok(()));
}

#[test]
fn a_gateway_without_a_link_counts_its_own_only() {
    let mut bus = Bus::new(2);
    enter(&mut bus, 1, 1).unwrap();
    bus.run_seconds(1);
    bus.disconnect(0);
    bus.run_seconds(4);
    assert_eq!(enter(&mut bus, 0, 1), Ok(()));
    assert_eq!(enter(&mut bus, 0, 1), Err(Error::UserConnections));
    bus.connect(0);
    bus.tick();
    assert_eq!(enter(&mut bus, 1, 2), Err(Error::UserConnections));
}

#[test]
fn a_lost_count_is_noticed_within_a_second() {
    let mut bus = Bus::new(2);
    bus.run_seconds(1);
    bus.loss = lose_one(".users", 1, 0);
    enter(&mut bus, 1, 1).unwrap();
    bus.run(Duration::from_millis(1_200));
    assert_eq!(enter(&mut bus, 0, 1), Err(Error::UserConnections));
}

#[test]
fn a_session_that_moved_counts_once() {
    let mut bus = Bus::new(2);
    enter(&mut bus, 1, 1).unwrap();
    bus.run_seconds(1);
    bus.act(0, |core, _, _| core.users.moved("ann", 2));
    assert_eq!(enter(&mut bus, 0, 1), Ok(()));
    exit(&mut bus, 1);
    bus.run_seconds(2);
    assert_eq!(enter(&mut bus, 1, 1), Err(Error::UserConnections));
    assert_eq!(enter(&mut bus, 1, 2), Ok(()));
}

#[test]
fn counts_are_known_again_after_gateways_lost_sight_of_each_other() {
    let mut bus = Bus::new(2);
    enter(&mut bus, 1, 1).unwrap();
    bus.run_seconds(1);
    bus.loss = Box::new(|_, _, _| true);
    bus.run(GONE_AFTER * 2);
    bus.loss = Box::new(|_, _, _| false);
    bus.run_seconds(2);
    assert_eq!(enter(&mut bus, 0, 1), Err(Error::UserConnections));
}

#[test]
fn very_many_users_come_in_several_messages() {
    let mut bus = Bus::new(1);
    for user in 0..20_000 {
        let user = user.to_string().into();
        bus.act(0, |core, at, _| core.enter(at, &user, 1)).unwrap();
    }
    bus.tick();
    let late = bus.start();
    for user in ["0", "9999", "19999"] {
        let entered = bus.act(late, |core, at, _| core.enter(at, &user.into(), 1));
        assert_eq!(entered, Err(Error::UserConnections));
    }
    let longest = bus.sent.iter().map(|(_, _, len)| *len).max().unwrap();
    assert!(longest < 512 * 1024);
}
