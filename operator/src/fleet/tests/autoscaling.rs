//! As many gateways as the connections ask for.

use sluice_crds::cluster::Autoscaling;

use super::*;

fn scaling() -> Settings {
    Settings {
        replicas: 50,
        rebalance: false,
        autoscaling: Some(Autoscaling {
            min_replicas: 2,
            max_replicas: 6,
            connections_per_pod: 100,
        }),
        ..settings()
    }
}

/// So many gateways with so many connections each.
fn gateways(count: u64, connections: u64) -> Observed {
    let pods = (1..=count).map(|n| pod(&format!("a-{n}"), connections));
    Observed {
        desired_replicas: u32::try_from(count).ok(),
        ..fleet("a", pods)
    }
}

fn wanted(observed: &Observed) -> u32 {
    decide(observed, &scaling()).desired_replicas
}

#[test]
fn more_come_at_once_as_far_as_they_may() {
    assert_eq!(wanted(&gateways(2, 100)), 2);
    assert_eq!(wanted(&gateways(2, 101)), 3);
    assert_eq!(wanted(&gateways(2, 250)), 5);
    assert_eq!(wanted(&gateways(2, 5_000)), 6);
}

#[test]
fn what_the_spec_says_otherwise_does_not_count() {
    let decision = decide(&gateways(2, 10), &scaling());
    assert_eq!(sizes(&decision), [("a", 2)]);
}

#[test]
fn one_is_taken_away_when_fewer_have_been_enough_for_five_minutes() {
    let observed = gateways(5, 40);
    let first = decide(&observed, &scaling());
    assert_eq!(first.desired_replicas, 5);
    let early = decide(&later(&observed, &first, 299), &scaling());
    assert_eq!(early.desired_replicas, 5);
    let due = decide(&later(&observed, &early, 300), &scaling());
    assert_eq!(due.desired_replicas, 4);
}

#[test]
fn the_next_one_waits_until_that_one_has_gone() {
    let observed = gateways(5, 40);
    let first = decide(&observed, &scaling());
    let due = decide(&later(&observed, &first, 300), &scaling());
    let going = later(&later(&observed, &first, 300), &due, 10);
    assert_eq!(wanted(&going), 4);
    let gone = Observed {
        pods: going.pods[1..].to_vec(),
        ..going
    };
    assert_eq!(wanted(&gone), 3);
}

#[test]
fn fewer_must_leave_a_tenth_to_spare() {
    let observed = gateways(3, 66);
    let first = decide(&observed, &scaling());
    assert_eq!(wanted(&later(&observed, &first, 1_000)), 3);
}

#[test]
fn a_peak_in_between_begins_the_wait_anew() {
    let observed = gateways(5, 40);
    let first = decide(&observed, &scaling());
    let peak = decide(&later(&gateways(5, 95), &first, 200), &scaling());
    let after = decide(
        &later(&later(&observed, &first, 200), &peak, 150),
        &scaling(),
    );
    assert_eq!(after.desired_replicas, 5);
}

#[test]
fn none_is_taken_away_while_one_does_not_answer() {
    let mut observed = gateways(5, 40);
    observed.pods[2] = silent(observed.pods[2].clone());
    let first = decide(&observed, &scaling());
    assert_eq!(wanted(&later(&observed, &first, 1_000)), 5);
}

#[test]
fn one_that_does_not_answer_counts_as_the_mean_of_the_others() {
    let mut observed = gateways(3, 150);
    observed.pods[2] = silent(observed.pods[2].clone());
    assert_eq!(wanted(&observed), 5);
}

#[test]
fn without_a_status_what_is_there_is_where_it_begins() {
    let observed = Observed {
        desired_replicas: None,
        ..gateways(4, 10)
    };
    assert_eq!(wanted(&observed), 4);
}
