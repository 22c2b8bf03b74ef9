//! A fleet in a small Kubernetes: Deployments that start and remove pods, a Service that follows
//! labels with a delay, gateways that drain at a shared rate, clients that come back, and an
//! operator that decides, fails to write, and is restarted. All of it from one seed.
//!
//! `SLUICE_SIM_RUNS` says how many runs, `SLUICE_SIM_FIRST` the seed of the first one;
//! `SLUICE_SIM_SEED` replays one run and prints what happened.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::struct_excessive_bools,
    reason = "a test fails by panicking, and counts little"
)]

mod checks;
mod clients;
mod gateway;
mod kubernetes;
mod operator;
mod scenario;
mod world;

use std::{collections::BTreeMap, panic};

use scenario::Kind;
use world::World;

/// How many runs of each kind, where nobody says.
const RUNS: u64 = 100;

/// How many lines are printed of what happened before a failure.
const LINES: usize = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs seeds of one kind, and replays the first that fails.
fn all_hold(kind: Kind) {
    if let Some(seed) = number("SLUICE_SIM_SEED") {
        return replay(kind, seed, usize::MAX);
    }
    let first = number("SLUICE_SIM_FIRST").unwrap_or(1);
    let runs = number("SLUICE_SIM_RUNS").unwrap_or(RUNS);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    for seed in first..first + runs {
        match panic::catch_unwind(|| World::new(kind, seed, false).run()) {
            Ok(world) if world.failures.is_empty() => {
                for (what, count) in world.counts {
                    *counts.entry(what).or_default() += count;
                }
            }
            Ok(world) => failed.push((seed, world.failures[0].clone())),
            Err(_) => failed.push((seed, "panicked".to_owned())),
        }
    }
    println!("{kind:?}: {runs} runs: {counts:?}");
    for (seed, why) in failed.iter().take(20) {
        println!("seed {seed}: {why}");
    }
    if let Some((seed, _)) = failed.first() {
        println!("{} of {runs} failed", failed.len());
        replay(kind, *seed, LINES);
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// Runs one seed again, and prints the last of what happened before it failed.
fn replay(kind: Kind, seed: u64, most: usize) {
    let world = World::new(kind, seed, true).run();
    let first = world.lines.len().saturating_sub(most);
    for line in world.lines.iter().skip(first) {
        println!("{line}");
    }
    println!("{:?}", world.counts);
    let failures = world.failures;
    assert!(
        failures.is_empty(),
        "replay with SLUICE_SIM_SEED={seed}: {failures:?}"
    );
}

#[test]
fn a_rollout_moves_everyone_once_and_never_below_the_wanted_number() {
    all_hold(Kind::Rollout);
}

#[test]
fn an_undone_rollout_moves_only_those_who_had_moved() {
    all_hold(Kind::Undo);
}

#[test]
fn a_scale_down_moves_everyone_at_most_once() {
    all_hold(Kind::ScaleDown);
}

#[test]
fn a_scale_up_evens_out_and_moves_no_more_than_that_takes() {
    all_hold(Kind::ScaleUp);
}

#[test]
fn a_cordoned_node_is_left_once_others_are_ready() {
    all_hold(Kind::Cordon);
}

#[test]
fn autoscaling_follows_the_connections_and_rests() {
    all_hold(Kind::Autoscaling);
}

#[test]
fn whatever_happens_the_fleet_comes_to_rest_as_the_spec_says() {
    all_hold(Kind::Chaos);
}

/// Else a seed would be worth nothing.
#[test]
fn a_seed_replays() {
    let run = || World::new(Kind::Chaos, 7, true).run();
    let (one, two) = (run(), run());
    assert_eq!(one.lines, two.lines);
    assert_eq!(one.counts, two.counts);
}
