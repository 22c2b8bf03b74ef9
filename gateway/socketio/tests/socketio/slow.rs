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
    let mut client = server.connected().await;
    client.send(r#"52-["emit"]"#).await;
    client.attach(&[1; 700]).await;
    client.attach(&[2; 700]).await;
    // The connection breaks, since the client is to come back.
    assert!(client.next().await.starts_with("end"));
    server.seen.wait_for("closed slow_consumer").await;
}
