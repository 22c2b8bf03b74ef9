//! A server that says it will end.

use sluice_test_nats::{Cluster, Server, Settings, until};

use super::support::{Client, Event, options};

#[tokio::test]
async fn before_a_server_ends_the_link_is_with_another_one() {
    let settings = Settings::default()
        .config("lame_duck_grace_period: \"10s\"")
        .config("lame_duck_duration: \"30s\"");
    let mut cluster = Cluster::start(2, settings).await;
    let url = cluster.servers[0].url();
    let client = Client::connected(options(&[&url])).await;
    client.link.subscribe("kept");
    client.flush().await;
    cluster.servers[0].lame_duck().await;
    client.connections(2).await;
    assert!(cluster.servers[0].is_running());
    assert!(client.link.is_connected());
    let names: Vec<_> = client
        .servers()
        .into_iter()
        .map(|s| s.server_name)
        .collect();
    assert_ne!(names[0], names[1]);
    let other = Client::connected(options(&[&cluster.servers[1].url()])).await;
    client.flush().await;
    other.send("kept", "now");
    client.received(3).await;
    until("the first server ends", async || {
        !cluster.servers[0].is_running()
    })
    .await;
    client.flush().await;
    let events = client.events();
    let connections = events
        .iter()
        .filter(|event| matches!(event, Event::Connected(_) | Event::Disconnected(_)));
    let connected = connections.map(|event| matches!(event, Event::Connected(_)));
    assert_eq!(connected.collect::<Vec<_>>(), [true, false, true]);
}

#[tokio::test]
async fn a_link_that_has_nowhere_to_go_says_that_its_server_will_end() {
    let settings = Settings::default()
        .config("lame_duck_grace_period: \"10s\"")
        .config("lame_duck_duration: \"30s\"");
    let server = Server::start(settings).await;
    let client = Client::connected(options(&[&server.url()])).await;
    server.lame_duck().await;
    until("the link says so", async || {
        client
            .events()
            .iter()
            .any(|event| matches!(event, Event::LameDuck))
    })
    .await;
    assert!(client.link.is_connected());
    assert!(client.losses().is_empty());
}

#[tokio::test]
async fn when_a_server_of_a_cluster_is_killed_another_one_takes_its_clients() {
    let mut cluster = Cluster::start(2, Settings::default()).await;
    let client = Client::connected(options(&[&cluster.servers[0].url()])).await;
    cluster.servers[0].kill().await;
    client.connections(2).await;
    client.flush().await;
    let names: Vec<_> = client
        .servers()
        .into_iter()
        .map(|s| s.server_name)
        .collect();
    assert_ne!(names[0], names[1]);
}
