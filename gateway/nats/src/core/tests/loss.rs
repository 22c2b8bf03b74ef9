use super::bus::{Bus, lose_one};
use crate::core::GONE_AFTER;

#[test]
fn a_change_that_was_lost_is_noticed_with_the_next() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(3);
    bus.loss = lose_one(".pres.", 1, 0);
    bus.join(1, "cem");
    bus.tick();
    bus.join(1, "dan");
    bus.tick();
    assert_eq!(bus.view(0), ["ann", "bob", "cem", "dan"]);
}

#[test]
fn a_last_change_that_was_lost_is_noticed_when_versions_are_repeated() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(3);
    bus.news(0);
    bus.loss = lose_one(".pres.", 1, 0);
    bus.join(1, "cem");
    bus.run_seconds(2);
    assert_eq!(bus.view(0), ["ann", "bob", "cem"]);
    assert_eq!(bus.news(0), ["+cem"]);
}

#[test]
fn a_gateway_whose_last_word_was_lost_has_no_ghosts() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(3);
    bus.news(0);
    // Its last member leaves: that is one word.
    bus.loss = lose_one(".pres.", 1, 0);
    bus.leave(1, "bob");
    bus.run_seconds(3);
    assert_eq!(bus.view(0), ["ann"]);
    assert_eq!(bus.news(0), ["-bob"]);
}

#[test]
fn a_gateway_whose_first_word_was_lost_is_heard_later() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.run_seconds(3);
    bus.news(0);
    bus.loss = lose_one(".pres.", 1, 0);
    bus.join(1, "bob");
    bus.run_seconds(3);
    assert_eq!(bus.view(0), ["ann", "bob"]);
    assert_eq!(bus.view(1), ["ann", "bob"]);
    assert_eq!(bus.news(0), ["+bob"]);
}

#[test]
fn what_was_told_while_the_link_was_lost_is_told_again() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(0, "bob");
    bus.join(1, "cem");
    bus.run_seconds(3);
    (0..2).for_each(|node| drop(bus.news(node)));
    bus.disconnect(0);
    bus.leave(0, "bob");
    bus.join(0, "dan");
    bus.leave(1, "cem");
    bus.join(1, "eve");
    bus.run_seconds(5);
    assert_eq!(bus.view(0), ["ann", "cem", "dan"]);
    bus.connect(0);
    bus.run_seconds(2);
    for node in 0..2 {
        assert_eq!(bus.view(node), ["ann", "dan", "eve"]);
    }
    for node in 0..2 {
        let told = bus.news(node).sorted();
        assert_eq!(told, ["+dan", "+eve", "-bob", "-cem"]);
    }
}

#[test]
fn what_has_not_changed_meanwhile_is_not_told_again() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(3);
    bus.disconnect(0);
    bus.run_seconds(2);
    bus.sent.clear();
    bus.connect(0);
    bus.tick();
    let told = bus
        .sent
        .iter()
        .filter(|(_, subject, _)| subject.contains("pres"));
    // One word of the gateway that came back, and perhaps one that was due anyway.
    assert!(told.count() <= 5, "{:?}", bus.sent);
    assert_eq!(bus.view(0), ["ann", "bob"]);
}

#[test]
fn gateways_that_lost_sight_of_each_other_and_meet_again_know_all() {
    let mut bus = Bus::new(3);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.join(2, "cem");
    bus.run_seconds(3);
    (0..3).for_each(|node| drop(bus.news(node)));
    bus.loss = Box::new(|_, from, to| from == 0 || to == 0);
    bus.run(GONE_AFTER * 2);
    assert_eq!(bus.view(0), ["ann"]);
    assert_eq!(bus.view(1), ["bob", "cem"]);
    bus.loss = Box::new(|_, _, _| false);
    bus.run_seconds(3);
    for node in 0..3 {
        assert_eq!(bus.view(node), ["ann", "bob", "cem"]);
    }
    assert_eq!(bus.news(0).sorted(), ["+bob", "+cem", "-bob", "-cem"]);
    assert_eq!(bus.news(1), ["-ann", "+ann"]);
}

trait Sorted {
    fn sorted(self) -> Self;
}

impl Sorted for Vec<String> {
    fn sorted(mut self) -> Self {
        self.sort();
        self
    }
}
