//! More and fewer gateways, cordoned nodes, and evening out.

use super::*;

fn of(replicas: u32) -> Settings {
    Settings {
        replicas,
        ..settings()
    }
}

#[test]
fn a_scale_up_is_at_once() {
    let decision = decide(&fleet("a", four()), &of(7));
    assert_eq!(sizes(&decision), [("a", 7)]);
    assert_eq!(decision.phase, Phase::Starting);
}

#[test]
fn a_scale_down_takes_those_with_the_fewest_connections_out_of_the_service_all_at_once() {
    let decision = decide(&fleet("a", four()), &of(2));
    assert_eq!(labels(&decision), [("a-1", false), ("a-2", false)]);
    assert_eq!(sizes(&decision), [("a", 4)]);
    assert!(decision.drain.is_empty());
}

#[test]
fn they_drain_and_are_removed_and_no_other_one() {
    let mut pods = four();
    pods[0] = unserved(pods[0].clone());
    pods[1] = marked(unserved(pod("a-2", 0)));
    let decision = decide(&fleet("a", pods), &of(2));
    assert_eq!(told(&decision), [("a-1", &start(DrainReason::ScaleDown))]);
    assert_eq!(sizes(&decision), [("a", 3)]);
}

#[test]
fn whoever_drains_goes_on_though_others_have_fewer_connections_now() {
    let mut pods = four();
    pods[3] = draining(pods[3].clone());
    let decision = decide(&fleet("a", pods), &of(3));
    assert!(
        decision.drain.is_empty() && decision.serving.is_empty(),
        "{decision:?}"
    );
}

#[test]
fn one_that_has_just_ended_and_does_not_answer_is_still_the_one_that_goes() {
    let mut pods = four();
    pods[3] = silent(unserved(pods[3].clone()));
    let decision = decide(&fleet("a", pods), &of(3));
    assert!(decision.serving.is_empty(), "{decision:?}");
}

#[test]
fn a_scale_up_in_the_middle_calls_it_off() {
    let mut pods = four();
    pods[0] = draining(pods[0].clone());
    pods[1] = marked(unserved(pods[1].clone()));
    let decision = decide(&fleet("a", pods), &of(4));
    assert_eq!(told(&decision), [("a-1", &DrainCommand::Cancel)]);
    assert_eq!(labels(&decision), [("a-2", true)]);
    assert_eq!(decision.deletion_cost, [("a-2".to_owned(), 0)]);
    assert_eq!(sizes(&decision), [("a", 4)]);
}

#[test]
fn a_fleet_of_none_moves_everyone_off() {
    let decision = decide(&fleet("a", four()), &of(0));
    assert_eq!(labels(&decision).len(), 4);
    let pods = four().into_iter().map(unserved);
    let decision = decide(&fleet("a", pods), &of(0));
    assert_eq!(told(&decision).len(), 4);
    let pods = (1..=4).map(|n| marked(unserved(pod(&format!("a-{n}"), 0))));
    let decision = decide(&fleet("a", pods), &of(0));
    assert_eq!(sizes(&decision), [("a", 0)]);
}

#[test]
fn gateways_on_a_cordoned_node_leave_the_service_and_are_replaced() {
    let mut pods = four();
    pods[3].node_unschedulable = true;
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-4", false)]);
    assert_eq!(sizes(&decision), [("a", 5)]);
    assert_eq!(decision.phase, Phase::LeavingNodes);
}

#[test]
fn they_drain_once_another_one_is_ready() {
    let mut pods = four();
    pods[3].node_unschedulable = true;
    pods[3].serving = false;
    pods.push(starting(pod("a-5", 0)));
    assert!(
        decide(&fleet("a", pods.clone()), &settings())
            .drain
            .is_empty()
    );
    pods[4] = pod("a-5", 0);
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(told(&decision), [("a-4", &start(DrainReason::NodeDrain))]);
}

#[test]
fn a_deployment_shrinks_before_it_grows_where_the_number_would_be_the_same() {
    let mut pods = four();
    for pod in &mut pods[..2] {
        pod.node_unschedulable = true;
        pod.serving = false;
    }
    pods[0] = marked(PodSeen {
        node_unschedulable: true,
        ..unserved(pod("a-1", 0))
    });
    pods.push(pod("a-5", 0));
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(sizes(&decision), [("a", 4)]);
}

#[test]
fn a_node_that_is_all_there_is_keeps_its_gateways_in_the_service() {
    let pods = four().into_iter().map(|pod| PodSeen {
        node_unschedulable: true,
        ..pod
    });
    let decision = decide(&fleet("a", pods), &settings());
    assert!(decision.serving.is_empty() && decision.drain.is_empty());
}

/// Three with 400 connections, and one that was added.
fn uneven() -> Vec<PodSeen> {
    let mut pods: Vec<_> = (1..=3).map(|n| pod(&format!("a-{n}"), 400)).collect();
    pods.push(pod("a-4", 0));
    pods
}

#[test]
fn an_even_fleet_is_left_alone() {
    let pods = [390, 410, 400, 299].into_iter().enumerate();
    let pods = pods.map(|(n, connections)| pod(&format!("a-{n}"), connections));
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(decision.phase, Phase::Steady);
}

#[test]
fn what_is_uneven_after_a_rollout_stays_so() {
    let pods = [600, 210].into_iter().enumerate();
    let pods = pods.map(|(n, connections)| pod(&format!("a-{n}"), connections));
    let seen = fleet("a", pods);
    let first = decide(&seen, &of(2));
    let decision = decide(&later(&seen, &first, 60), &of(2));
    assert_eq!(decision.phase, Phase::Steady);
}

#[test]
fn those_with_more_than_the_mean_leave_the_service_and_those_with_far_more_move_it() {
    let mut pods = uneven();
    pods[0].connections = Some(500);
    let seen = fleet("a", pods.clone());
    let first = decide(&seen, &settings());
    assert_eq!(
        first.phase,
        Phase::Steady,
        "they may even out by themselves"
    );
    let seen = later(&seen, &first, 10);
    let decision = decide(&seen, &settings());
    // The mean is 325; 400 is beyond it, but not far.
    let gone = [("a-1", false), ("a-2", false), ("a-3", false)];
    assert_eq!(labels(&decision), gone);
    pods[..3].iter_mut().for_each(|pod| pod.serving = false);
    let decision = decide(
        &Observed {
            pods,
            ..later(&seen, &decision, 1)
        },
        &settings(),
    );
    let [("a-1", DrainCommand::Rebalance { connections, rate })] = told(&decision)[..] else {
        panic!("{decision:?}");
    };
    assert_eq!(*connections, 175);
    assert!(rate.unwrap() <= 50.0, "half of the fleet's rate");
    assert_eq!(decision.phase, Phase::Rebalancing);
}

#[test]
fn a_fleet_that_is_not_to_be_evened_out_is_not() {
    let settings = Settings {
        rebalance: false,
        ..settings()
    };
    let mut pods = uneven();
    pods[0].connections = Some(9_000);
    assert_eq!(decide(&fleet("a", pods), &settings).phase, Phase::Steady);
}

#[test]
fn nothing_is_evened_out_while_anything_else_is_under_way() {
    let mut pods = uneven();
    pods[0].connections = Some(9_000);
    pods[0].serving = false;
    pods[0].drain.as_mut().unwrap().phase = DrainPhase::Rebalance;
    let mut gone = pod("a-0", 3);
    gone.terminating = true;
    pods.push(gone);
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(told(&decision), [("a-1", &DrainCommand::Cancel)]);
    assert_eq!(labels(&decision), [("a-1", true)]);
}
