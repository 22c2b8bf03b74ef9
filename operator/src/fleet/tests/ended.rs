//! Gateways that have ended without a word.

use super::*;

fn ended(pod: PodSeen) -> PodSeen {
    PodSeen {
        ended: true,
        ready: false,
        ..silent(pod)
    }
}

#[test]
fn a_gateway_that_has_ended_gets_no_new_connections() {
    let mut pods = four();
    pods[2] = ended(pods[2].clone());
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-3", false)]);
    assert_eq!(sizes(&decision), [("a", 4)]);
    assert!(decision.drain.is_empty());
}

#[test]
fn it_gets_them_again_when_its_node_has_told() {
    let mut pods = four();
    pods[2] = starting(unserved(pod("a-3", 0)));
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-3", true)]);
}

#[test]
fn while_all_seem_to_have_ended_they_stay_in_the_service() {
    let pods = four().into_iter().map(ended);
    let decision = decide(&fleet("a", pods), &settings());
    assert!(decision.serving.is_empty());
}

#[test]
fn in_a_rollout_too() {
    let mut pods = four();
    pods[1] = ended(pods[1].clone());
    pods.push(starting(pod("b-1", 0)));
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(labels(&decision), [("a-2", false)]);
}
