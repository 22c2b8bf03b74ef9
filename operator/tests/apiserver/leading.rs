//! Of several operators, one works.

mod process;

use std::time::{Duration, Instant};

use serde_json::json;
use sluice_operator::lease::Candidate;
use sluice_test_apiserver::until;
use tokio::time::timeout;

use self::process::{Process, leader, renewed};
use crate::support::{World, server};

#[tokio::test(flavor = "multi_thread")]
async fn one_candidate_leads_and_the_next_follows_at_once_when_it_lets_go() {
    let world = World::empty().await;
    let candidate = |name: &str| Candidate::new(&world.client, &world.namespace, "lead", name);
    let (mut first, mut second) = (candidate("a"), candidate("b"));
    timeout(Duration::from_mins(1), first.lead()).await.unwrap();
    // It keeps what it renews, however long the other one waits.
    tokio::select! {
        () = second.lead() => panic!("two lead at once"),
        lost = first.keep() => panic!("{lost}"),
        () = renewed(&world, "lead", 3) => {}
    }
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
    let led = Instant::now();
    timeout(Duration::from_mins(1), candidate("b").lead())
        .await
        .unwrap();
    assert!(
        led.elapsed() >= Duration::from_secs(5),
        "the lease was still held"
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_ends_while_it_renews_lets_go_of_what_it_renewed() {
    let world = World::empty().await;
    let slow = server().await.slow_client(Duration::from_secs(1)).await;
    let mut first = Candidate::new(&slow, &world.namespace, "lead", "a");
    first.lead().await;
    // It renews it after two seconds, which takes another one.
    assert!(
        timeout(Duration::from_millis(2500), first.keep())
            .await
            .is_err()
    );
    first.release().await;
    assert_eq!(leader(&world, "lead").await.as_deref(), Some(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_ends_while_it_takes_the_lead_lets_go_of_it() {
    let world = World::empty().await;
    let slow = server().await.slow_client(Duration::from_secs(1)).await;
    let mut only = Candidate::new(&slow, &world.namespace, "lead", "a");
    assert!(
        timeout(Duration::from_millis(500), only.lead())
            .await
            .is_err()
    );
    only.release().await;
    assert_eq!(leader(&world, "lead").await.as_deref(), Some(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_is_told_to_end_is_followed_within_moments_every_time() {
    let world = World::empty().await;
    let mut leads = Process::start(&world, "operator-0").await;
    until("the first one leads", async || leads.leads(&world).await).await;
    let mut longest = Duration::ZERO;
    for n in 1..=10 {
        let mut next = Process::start(&world, &format!("operator-{n}")).await;
        // It ends in the middle of its work.
        for cluster in 0..4 {
            let spec = json!({"auth": {"required": false}, "limits": {"messagesPerSecond": n}, "gateway": {"workers": n}});
            world.cluster(&format!("chat-{cluster}"), spec).await;
        }
        let told = Instant::now();
        leads.terminate();
        until("the next one leads", async || next.leads(&world).await).await;
        longest = longest.max(told.elapsed());
        assert!(leads.ended().await.success());
        std::mem::swap(&mut leads, &mut next);
    }
    println!("the next operator led after {longest:?} at most");
    // A Lease that was not given back lasts for eight seconds.
    assert!(longest < Duration::from_secs(6), "{longest:?}");
}
