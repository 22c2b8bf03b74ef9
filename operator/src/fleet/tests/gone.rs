//! Gateways that are gone without a word.

use super::*;

fn gone(pod: PodSeen) -> PodSeen {
    PodSeen {
        gone: true,
        ready: false,
        ..silent(pod)
    }
}

fn unsure(pod: PodSeen) -> PodSeen {
    PodSeen {
        unsure: true,
        ..silent(pod)
    }
}

#[test]
fn a_gateway_that_is_gone_gets_no_new_connections() {
    let mut pods = four();
    pods[2] = gone(pods[2].clone());
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-3", false)]);
    assert_eq!(sizes(&decision), [("a", 4)]);
    assert!(decision.drain.is_empty());
}

#[test]
fn people_are_not_told_that_it_never_became_ready() {
    let mut pods = four();
    pods[2] = gone(pods[2].clone());
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(decision.phase, Phase::Starting);
}

#[test]
fn it_gets_them_again_when_its_node_has_told() {
    let mut pods = four();
    pods[2] = starting(unserved(pod("a-3", 0)));
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-3", true)]);
}

#[test]
fn nor_does_an_operator_that_has_just_started_give_it_any() {
    let mut pods = four();
    pods[2] = unsure(unserved(pods[2].clone()));
    let decision = decide(&fleet("a", pods), &settings());
    assert!(decision.serving.is_empty());
}

#[test]
fn one_that_does_not_answer_and_is_heard_gets_them_again() {
    let mut pods = four();
    pods[2] = unserved(silent(pods[2].clone()));
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-3", true)]);
}

#[test]
fn where_no_other_serves_one_that_does_not_answer_is_tried() {
    let mut pods: Vec<_> = four().into_iter().map(gone).collect();
    pods[2] = unsure(unserved(pod("a-3", 0)));
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-3", true)]);
}

#[test]
fn while_all_seem_to_be_gone_they_stay_in_the_service() {
    let pods = four().into_iter().map(gone);
    let decision = decide(&fleet("a", pods), &settings());
    assert!(decision.serving.is_empty());
}

#[test]
fn in_a_rollout_too() {
    let mut pods = four();
    pods[1] = gone(pods[1].clone());
    pods.push(starting(pod("b-1", 0)));
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(labels(&decision), [("a-2", false)]);
}
