//! Clients that take less than they are sent.

use sluice_engineio::Config;

use crate::support::Server;

fn small() -> Config {
    Config {
        max_outbound: 1_000,
        ..Config::default()
    }
}

#[tokio::test]
async fn a_client_that_does_not_poll_is_cut_at_the_bound() {
    let server = Server::start(small());
    let client = server.polling().await;
    client.post("40").await;
    client.poll().await;
    let event = format!(r#"42["emit","{}"]"#, "x".repeat(300));
    client.post(&[event.as_str(); 4].join("\x1e")).await;
    server.seen.wait_for("closed slow_consumer").await;
    assert_eq!(server.counters.slow_consumers.get(), 1);
    assert_eq!(server.counters.queued_bytes.get(), 0);
}

#[tokio::test]
async fn a_packet_that_does_not_fit_is_never_sent_in_part() {
    let server = Server::start(small());
    let client = server.polling().await;
    client.post("40").await;
    client.poll().await;
    // 400 bytes.
    let attachment = format!("b{}==", "A".repeat(534));
    let packet = format!("452-[\"emit\"]\x1e{attachment}\x1e{attachment}");
    client.post(&packet).await;
    server.seen.wait_for("event / emit").await;
    let sent = server.counters.frames_out.get();
    // The next one has room for its head, and not for all of it.
    client.post(&packet).await;
    server.seen.wait_for("closed slow_consumer").await;
    assert_eq!(server.counters.frames_out.get(), sent);
}

#[tokio::test]
async fn a_packet_that_is_larger_than_the_bound_comes_whole_and_alone() {
    let server = Server::start(small());
    let mut client = server.connected().await;
    client.send(r#"52-1["echo"]"#).await;
    client.attach(&[1; 700]).await;
    client.attach(&[2; 700]).await;
    assert_eq!(client.next().await, "462-1[]");
    assert_eq!(client.next().await, format!("binary {:?}", [1; 700]));
    assert_eq!(client.next().await, format!("binary {:?}", [2; 700]));
}
