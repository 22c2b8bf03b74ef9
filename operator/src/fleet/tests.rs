//! What is decided about a fleet, one rule a test. What it comes to in the end is simulated in
//! `tests/simulation`.

mod autoscaling;
mod gone;
mod rollouts;
mod scaling;
mod wire;

use std::time::Duration;

use jiff::Timestamp;

use sluice_contract::{DrainPhase, DrainProgress};

use super::*;

/// Four gateways, one beyond that, 100 connections a second.
fn settings() -> Settings {
    Settings {
        replicas: 4,
        autoscaling: None,
        max_connections: 50_000,
        rebalance: true,
        max_surge: Surge::Number(1),
        settle: Duration::from_secs(5),
        window: Duration::from_mins(1),
        deadline: Duration::from_mins(2),
        connections_per_second: 100,
    }
}

/// A gateway that is ready and serves, with so many connections.
fn pod(name: &str, connections: u64) -> PodSeen {
    PodSeen {
        name: name.to_owned(),
        revision: name.split('-').next().unwrap().to_owned(),
        running: true,
        ready: true,
        serving: true,
        drain: Some(DrainProgress {
            remaining: connections,
            ..DrainProgress::default()
        }),
        connections: Some(connections),
        ..PodSeen::default()
    }
}

fn unserved(pod: PodSeen) -> PodSeen {
    PodSeen {
        serving: false,
        ..pod
    }
}

fn starting(pod: PodSeen) -> PodSeen {
    PodSeen {
        ready: false,
        ..pod
    }
}

fn silent(pod: PodSeen) -> PodSeen {
    PodSeen {
        connections: None,
        drain: None,
        ..pod
    }
}

fn marked(pod: PodSeen) -> PodSeen {
    PodSeen {
        deletion_cost: Some(REMOVED_FIRST),
        ..pod
    }
}

/// Out of the Service, and closing what it has.
fn draining(pod: PodSeen) -> PodSeen {
    let remaining = pod.connections.unwrap_or_default();
    PodSeen {
        drain: Some(DrainProgress {
            phase: DrainPhase::Move,
            remaining,
            rate: 10.0,
            eta: Some(30.0),
            ..DrainProgress::default()
        }),
        ..unserved(pod)
    }
}

/// These pods, whose Deployments ask for as many as there are; `revision` is wanted.
fn fleet(revision: &str, pods: impl IntoIterator<Item = PodSeen>) -> Observed {
    let pods: Vec<_> = pods.into_iter().collect();
    let mut revisions: Vec<RevisionSeen> = Vec::new();
    for pod in &pods {
        match revisions.iter_mut().find(|seen| seen.name == pod.revision) {
            Some(seen) => seen.replicas += 1,
            None => revisions.push(RevisionSeen {
                name: pod.revision.clone(),
                replicas: 1,
                ready: 0,
            }),
        }
    }
    Observed {
        revision: revision.to_owned(),
        now: Timestamp::from_second(1_000_000).unwrap(),
        revisions,
        pods,
        ..Observed::default()
    }
}

/// Four of the revision `a` with 10, 20, 30 and 40 connections.
fn four() -> Vec<PodSeen> {
    (1..=4).map(|n| pod(&format!("a-{n}"), n * 10)).collect()
}

fn sizes(decision: &Decision) -> Vec<(&str, u32)> {
    let sizes = decision.replicas.iter();
    sizes.map(|(name, size)| (name.as_str(), *size)).collect()
}

fn labels(decision: &Decision) -> Vec<(&str, bool)> {
    let labels = decision.serving.iter();
    labels
        .map(|(name, serving)| (name.as_str(), *serving))
        .collect()
}

fn told(decision: &Decision) -> Vec<(&str, &DrainCommand)> {
    let told = decision.drain.iter();
    told.map(|(name, command)| (name.as_str(), command))
        .collect()
}

fn start(reason: DrainReason) -> DrainCommand {
    DrainCommand::Start { reason, rate: None }
}

/// Decides again after so many seconds.
fn later(observed: &Observed, decision: &Decision, seconds: i64) -> Observed {
    let now = observed.now.as_second() + seconds;
    Observed {
        now: Timestamp::from_second(now).unwrap(),
        desired_replicas: Some(decision.desired_replicas),
        remembered: decision.remember.clone(),
        ..observed.clone()
    }
}

#[test]
fn a_fleet_that_is_as_it_should_be_is_left_alone() {
    let decision = decide(&fleet("a", four()), &settings());
    assert_eq!(sizes(&decision), [("a", 4)]);
    assert!(decision.serving.is_empty() && decision.drain.is_empty());
    assert!(decision.deletion_cost.is_empty() && decision.progress.is_none());
    assert_eq!(decision.phase, Phase::Steady);
    assert_eq!(decision.message, "All 4 gateways of revision a are ready.");
}

#[test]
fn a_fleet_begins_with_all_gateways_at_once() {
    let decision = decide(&fleet("a", []), &settings());
    assert_eq!(sizes(&decision), [("a", 4)]);
    assert_eq!(decision.phase, Phase::Starting);
}

#[test]
fn a_label_that_somebody_took_comes_back() {
    let mut pods = four();
    pods[2].serving = false;
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(labels(&decision), [("a-3", true)]);
}

#[test]
fn a_drain_that_somebody_began_is_called_off() {
    let mut pods = four();
    pods[0] = draining(pods[0].clone());
    let decision = decide(&fleet("a", pods), &settings());
    assert_eq!(told(&decision), [("a-1", &DrainCommand::Cancel)]);
    assert!(
        decision.serving.is_empty(),
        "it serves again when it has heard of it"
    );
}

#[test]
fn a_gateway_that_ends_by_a_signal_is_let_end() {
    let mut pods = four();
    pods[0] = draining(pods[0].clone());
    pods[0].terminating = true;
    let decision = decide(&fleet("a", pods), &settings());
    assert!(decision.drain.is_empty() && decision.serving.is_empty());
}
