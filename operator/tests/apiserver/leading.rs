//! Of several operators, one works.

use std::time::Duration;

use sluice_operator::lease::Candidate;
use tokio::time::timeout;

use crate::support::World;

#[tokio::test(flavor = "multi_thread")]
async fn one_candidate_leads_and_the_next_follows_at_once_when_it_lets_go() {
    let world = World::empty().await;
    let candidate = |name: &str| Candidate::new(&world.client, &world.namespace, "lead", name);
    let (mut first, mut second) = (candidate("a"), candidate("b"));
    timeout(Duration::from_mins(1), first.lead()).await.unwrap();
    let waited = timeout(Duration::from_secs(5), second.lead()).await;
    assert!(waited.is_err(), "two lead at once");
    // It keeps what it renews.
    assert!(timeout(Duration::from_secs(3), first.keep()).await.is_err());
    first.release().await;
    timeout(Duration::from_secs(10), second.lead())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_died_is_followed_when_its_lease_has_expired() {
    let world = World::empty().await;
    let candidate = |name: &str| Candidate::new(&world.client, &world.namespace, "lead", name);
    candidate("a").lead().await;
    timeout(Duration::from_mins(1), candidate("b").lead())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_lease_was_taken_is_told() {
    let world = World::empty().await;
    let candidate = |name: &str| Candidate::new(&world.client, &world.namespace, "lead", name);
    let mut first = candidate("a");
    first.lead().await;
    candidate("a").release().await;
    candidate("b").lead().await;
    let lost = timeout(Duration::from_mins(1), first.keep()).await.unwrap();
    assert!(lost.to_string().contains("another process leads"), "{lost}");
}
