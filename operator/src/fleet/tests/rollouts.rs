//! Rollouts.

use super::*;

/// The old four out of the Service, and the first of the new revision in it.
fn switched() -> Vec<PodSeen> {
    let mut pods: Vec<_> = four().into_iter().map(unserved).collect();
    pods.push(pod("b-1", 0));
    pods
}

#[test]
fn a_new_revision_starts_beside_the_old_one_which_serves() {
    let decision = decide(&fleet("b", four()), &settings());
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1)]);
    assert!(decision.serving.is_empty() && decision.drain.is_empty());
    assert_eq!(decision.phase, Phase::Surging);
}

#[test]
fn the_old_serve_until_the_new_are_ready() {
    let mut pods = four();
    pods.push(starting(pod("b-1", 0)));
    let decision = decide(&fleet("b", pods), &settings());
    assert!(decision.serving.is_empty() && decision.drain.is_empty());
}

#[test]
fn when_the_new_are_ready_all_old_ones_leave_the_service_at_once() {
    let mut pods = four();
    pods.push(pod("b-1", 0));
    let decision = decide(&fleet("b", pods), &settings());
    let gone = [
        ("a-1", false),
        ("a-2", false),
        ("a-3", false),
        ("a-4", false),
    ];
    assert_eq!(labels(&decision), gone);
    assert!(
        decision.drain.is_empty(),
        "nobody is moved before that is so"
    );
}

#[test]
fn nobody_is_moved_while_an_old_one_can_still_be_met() {
    let mut pods = switched();
    pods[3].serving = true;
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(labels(&decision), [("a-4", false)]);
    assert!(decision.drain.is_empty());
}

#[test]
fn the_one_with_the_fewest_connections_drains_first_and_no_more_than_can_be_missed() {
    let decision = decide(&fleet("b", switched()), &settings());
    assert_eq!(told(&decision), [("a-1", &start(DrainReason::Rollout))]);
    assert_eq!(decision.phase, Phase::Moving);
}

#[test]
fn as_many_drain_at_once_as_were_added() {
    let mut pods = switched();
    pods.push(pod("b-2", 0));
    let settings = Settings {
        max_surge: Surge::Number(2),
        ..settings()
    };
    let decision = decide(&fleet("b", pods), &settings);
    let names: Vec<_> = told(&decision).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["a-1", "a-2"]);
}

#[test]
fn drains_that_would_not_end_before_their_deadline_go_one_after_the_other() {
    let mut pods = switched();
    pods.push(pod("b-2", 0));
    // 100 a second, of 120 s less 5, less a tenth: 10350.
    pods[0].connections = Some(6_000);
    pods[1].connections = Some(6_000);
    pods[2].connections = Some(60_000);
    pods[3].connections = Some(60_000);
    let settings = Settings {
        max_surge: Surge::Number(2),
        ..settings()
    };
    let decision = decide(&fleet("b", pods.clone()), &settings);
    assert_eq!(told(&decision), [("a-1", &start(DrainReason::Rollout))]);
    pods.drain(..2);
    pods.push(pod("b-3", 0));
    pods.push(pod("b-4", 0));
    let decision = decide(&fleet("b", pods), &settings);
    assert_eq!(
        told(&decision).len(),
        1,
        "one that cannot be in time goes alone"
    );
}

#[test]
fn nobody_is_moved_to_where_there_is_no_room() {
    let settings = Settings {
        max_connections: 25,
        ..settings()
    };
    let mut pods = switched();
    pods[4].connections = Some(20);
    let decision = decide(&fleet("b", pods), &settings);
    assert!(decision.drain.is_empty(), "{decision:?}");
}

#[test]
fn an_empty_gateway_gets_its_cost_before_its_deployment_shrinks() {
    let mut pods = switched();
    pods[0] = unserved(pod("a-1", 0));
    let decision = decide(&fleet("b", pods.clone()), &settings());
    assert_eq!(decision.deletion_cost, [("a-1".to_owned(), REMOVED_FIRST)]);
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1)]);
    pods[0] = marked(pods[0].clone());
    let decision = decide(&fleet("b", pods), &settings());
    assert!(decision.deletion_cost.is_empty(), "once is enough");
    assert_eq!(sizes(&decision), [("a", 3), ("b", 1)]);
}

#[test]
fn one_that_got_a_client_since_it_had_its_cost_is_not_removed_for_another() {
    let mut pods = switched();
    pods[0] = marked(unserved(pod("a-1", 1)));
    pods[1] = marked(unserved(pod("a-2", 0)));
    let decision = decide(&fleet("b", pods.clone()), &settings());
    assert_eq!(decision.deletion_cost, [("a-1".to_owned(), 0)]);
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1)]);
    pods[0] = unserved(pod("a-1", 1));
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(sizes(&decision), [("a", 3), ("b", 1)]);
}

#[test]
fn another_new_one_starts_for_each_that_has_gone() {
    let mut pods = switched();
    pods.remove(0);
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(sizes(&decision), [("a", 3), ("b", 2)]);
}

#[test]
fn the_deployment_of_an_old_revision_goes_with_its_last_gateway() {
    let pods = (1..=4).map(|n| pod(&format!("b-{n}"), 5));
    let mut observed = fleet("b", pods);
    observed.revisions.push(RevisionSeen {
        name: "a".to_owned(),
        ..RevisionSeen::default()
    });
    let decision = decide(&observed, &settings());
    assert_eq!(sizes(&decision), [("b", 4)]);
    assert_eq!(decision.phase, Phase::Steady);
}

#[test]
fn an_undo_calls_drains_off_and_gives_the_old_ones_their_place_back() {
    let mut pods = switched();
    pods[0] = draining(pods[0].clone());
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(told(&decision), [("a-1", &DrainCommand::Cancel)]);
    assert_eq!(
        labels(&decision),
        [("a-2", true), ("a-3", true), ("a-4", true)]
    );
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1)]);
}

#[test]
fn an_undo_takes_the_cost_from_a_gateway_that_stays() {
    let mut pods = switched();
    pods[0] = marked(pods[0].clone());
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(decision.deletion_cost, [("a-1".to_owned(), 0)]);
}

#[test]
fn a_second_change_starts_one_gateway_though_the_surge_is_used_up() {
    let decision = decide(&fleet("c", switched()), &settings());
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1), ("c", 1)]);
    assert!(decision.drain.is_empty(), "nobody moves twice in it");
}

#[test]
fn gateways_that_never_were_ready_make_room_for_a_mended_revision() {
    let mut pods = four();
    pods.push(marked(starting(pod("b-1", 0))));
    let decision = decide(&fleet("c", pods), &settings());
    assert_eq!(sizes(&decision), [("a", 4), ("c", 1)]);
}

#[test]
fn an_old_gateway_that_is_not_ready_is_kept_while_nothing_else_works() {
    let mut pods = four();
    pods[1] = starting(pod("a-2", 0));
    pods.push(starting(pod("b-1", 0)));
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1)]);
    assert!(decision.deletion_cost.is_empty());
}

#[test]
fn a_fleet_of_which_nothing_works_is_replaced_when_the_first_new_one_works() {
    let mut pods: Vec<_> = (1..=4)
        .map(|n| marked(starting(pod(&format!("a-{n}"), 0))))
        .collect();
    pods.push(pod("b-1", 0));
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(sizes(&decision), [("b", 1)]);
}

#[test]
fn the_old_serve_again_when_the_new_ones_fail() {
    let mut pods = switched();
    pods[0] = draining(pods[0].clone());
    pods[4] = starting(pods[4].clone());
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(
        labels(&decision),
        [("a-2", true), ("a-3", true), ("a-4", true)]
    );
    assert_eq!(told(&decision), [("a-1", &DrainCommand::Cancel)]);
}

#[test]
fn new_gateways_that_do_not_become_ready_are_told_of() {
    let mut pods = four();
    for pod in &mut pods {
        pod.created = Timestamp::from_second(1_000_000 - 9_000).unwrap();
    }
    pods.push(starting(pod("b-1", 0)));
    pods[4].created = Timestamp::from_second(1_000_000 - 601).unwrap();
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(decision.phase, Phase::Stuck);
    assert!(decision.message.starts_with(
        "1 gateway of revision b has not become ready for 10 minutes. 4 gateways that were there before go on serving."
    ), "{}", decision.message);
}

#[test]
fn a_change_that_is_made_while_paused_does_not_begin() {
    let observed = Observed {
        paused: true,
        ..fleet("b", four())
    };
    let decision = decide(&observed, &settings());
    assert_eq!(sizes(&decision), [("a", 4)]);
    assert_eq!(decision.phase, Phase::Paused);
}

#[test]
fn a_pause_calls_drains_off_and_leaves_new_connections_where_they_go() {
    let mut pods = switched();
    pods[0] = draining(pods[0].clone());
    pods[1] = marked(unserved(pod("a-2", 0)));
    let observed = Observed {
        paused: true,
        ..fleet("b", pods)
    };
    let decision = decide(&observed, &settings());
    assert_eq!(told(&decision), [("a-1", &DrainCommand::Cancel)]);
    assert_eq!(sizes(&decision), [("a", 4), ("b", 1)]);
    assert!(decision.serving.is_empty());
    assert_eq!(decision.phase, Phase::Paused);
}

#[test]
fn gateways_that_are_lost_while_paused_come_again() {
    let mut observed = Observed {
        paused: true,
        ..fleet("b", switched())
    };
    observed.pods.truncate(2);
    observed.pods.push(pod("b-1", 0));
    let decision = decide(&observed, &settings());
    assert_eq!(sizes(&decision), [("a", 4), ("b", 2)]);
}

#[test]
fn a_new_gateway_that_has_its_part_leaves_the_service_until_the_others_have_theirs() {
    let mut pods: Vec<_> = (2..=4)
        .map(|n| unserved(pod(&format!("a-{n}"), 900)))
        .collect();
    pods.push(pod("b-1", 900 + 700));
    pods.push(pod("b-2", 0));
    // 4300 over four: 1075, and a tenth.
    let decision = decide(&fleet("b", pods), &settings());
    assert_eq!(labels(&decision), [("b-1", false)]);
}

#[test]
fn the_last_one_that_serves_stays_in_the_service_however_full() {
    let mut pods: Vec<_> = (2..=4)
        .map(|n| unserved(pod(&format!("a-{n}"), 900)))
        .collect();
    pods.push(pod("b-1", 9_000));
    let decision = decide(&fleet("b", pods), &settings());
    assert!(decision.serving.is_empty());
}

#[test]
fn progress_counts_what_has_moved_and_what_has_not() {
    let mut pods = switched();
    pods[0] = draining(pods[0].clone());
    pods[0].drain.as_mut().unwrap().moved = 7;
    let observed = fleet("b", pods.clone());
    let decision = decide(&observed, &settings());
    let progress = decision.progress.clone().unwrap();
    assert_eq!(
        (progress.moved, progress.remaining, progress.rate),
        (7, 100, 10)
    );
    assert!(progress.eta.is_some());
    // What has gone stays counted.
    pods.remove(0);
    let observed = later(&fleet("b", pods), &decision, 1);
    let progress = decide(&observed, &settings()).progress.unwrap();
    assert_eq!((progress.moved, progress.remaining), (7, 90));
}

#[test]
fn progress_goes_on_where_the_status_says_after_a_restart() {
    let mut pods = switched();
    pods[0] = draining(pods[0].clone());
    pods[0].drain.as_mut().unwrap().moved = 7;
    let mut observed = fleet("b", pods);
    observed.remembered = Remembered::resumed(107);
    let decision = decide(&observed, &settings());
    assert_eq!(decision.progress.as_ref().unwrap().moved, 107);
    let mut observed = later(&observed, &decision, 1);
    observed.pods[0].drain.as_mut().unwrap().moved = 9;
    assert_eq!(decide(&observed, &settings()).progress.unwrap().moved, 109);
}

#[test]
fn one_that_does_not_answer_is_removed_when_a_drain_would_be_over() {
    let mut pods = switched();
    pods[0] = silent(pods[0].clone());
    pods.push(pod("b-2", 0));
    let observed = fleet("b", pods);
    let first = decide(&observed, &settings());
    let costs = |decision: &Decision| decision.deletion_cost.iter().any(|(name, _)| name == "a-1");
    assert!(!costs(&first));
    let early = decide(&later(&observed, &first, 119), &settings());
    assert!(!costs(&early));
    assert!(costs(&decide(&later(&observed, &early, 120), &settings())));
}
