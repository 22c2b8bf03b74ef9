//! A fleet in a storm: gateways over a simulated NATS that loses, delays, reorders and repeats,
//! with clients that move between gateways that die, in virtual time, from one seed.
//!
//! `SLUICE_SIM_RUNS` says how many runs, `SLUICE_SIM_FIRST` the seed of the first one;
//! `SLUICE_SIM_SEED` replays one run and prints what happened.

#![allow(missing_docs, unreachable_pub, reason = "a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod checks;
mod client;
mod conn;
mod faults;
mod following;
mod hub;
mod nats;
mod network;
mod node;
mod operations;
mod place;
mod publisher;
mod run;
mod scene;
mod stream;
mod wire;

use std::{collections::BTreeMap, panic};

use run::World;

/// How many runs, where nobody says.
const RUNS: u64 = 60;

/// How many lines are printed of what happened before a failure.
const LINES: usize = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn members_get_everything_once_and_in_order_or_are_told() {
    if let Some(seed) = number("SLUICE_SIM_SEED") {
        return replay(seed, usize::MAX);
    }
    let first = number("SLUICE_SIM_FIRST").unwrap_or(1);
    let runs = number("SLUICE_SIM_RUNS").unwrap_or(RUNS);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    for seed in first..first + runs {
        let outcome = panic::catch_unwind(|| World::new(seed, false).run());
        match outcome {
            Ok(outcome) if outcome.failures.is_empty() => {
                for (what, count) in outcome.counts {
                    *counts.entry(what).or_default() += count;
                }
            }
            Ok(outcome) => failed.push((seed, outcome.failures[0].clone())),
            Err(_) => failed.push((seed, "panicked".to_owned())),
        }
    }
    println!("{runs} runs: {counts:?}");
    for (seed, why) in failed.iter().take(20) {
        println!("seed {seed}: {why}");
    }
    if let Some((seed, _)) = failed.first() {
        println!("{} of {runs} failed", failed.len());
        replay(*seed, LINES);
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// Else a seed would be worth nothing.
#[test]
fn a_seed_replays() {
    let (one, two) = (World::new(7, true).run(), World::new(7, true).run());
    assert_eq!(one.lines, two.lines);
    assert_eq!(one.counts, two.counts);
}

#[test]
fn who_comes_back_while_the_servers_elect_is_recovered_when_they_have() {
    for seed in 1..=20 {
        let outcome = World::new(seed, false).run_election();
        assert!(
            outcome.failures.is_empty(),
            "{seed}: {:?}",
            outcome.failures
        );
        assert!(outcome.counts.contains_key("recovered"), "{seed}");
    }
}

/// Runs one seed again, and prints the last of what happened before it failed.
fn replay(seed: u64, most: usize) {
    let outcome = World::new(seed, true).run();
    let first = outcome.lines.len().saturating_sub(most);
    for line in outcome.lines.iter().skip(first) {
        println!("{line}");
    }
    println!("seed {seed}: {:?}", outcome.faults);
    println!("{:?}", outcome.counts);
    let failures = outcome.failures;
    assert!(
        failures.is_empty(),
        "replay with SLUICE_SIM_SEED={seed}: {failures:?}"
    );
}
