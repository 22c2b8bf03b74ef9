//! How namespaces and connections end.

use sluice_engineio::Config;

use crate::support::Server;

#[tokio::test]
async fn a_client_that_leaves_a_namespace_keeps_its_others() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("0/other,").await;
    client.take(2).await;
    client.send("1/other,").await;
    server.seen.wait_for("disconnected /other left").await;
    assert_eq!(client.ask(r#"21["echo",1]"#).await, "431[1]");
    client.send("0/other,").await;
    assert!(client.next().await.starts_with("40/other,"));
}

#[tokio::test]
async fn a_namespace_that_the_client_is_not_in_can_be_left() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("1/other,").await;
    assert_eq!(client.ask(r#"21["echo",1]"#).await, "431[1]");
}

#[tokio::test]
async fn a_server_that_ends_the_last_namespace_ends_the_connection() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("0/other,").await;
    client.take(2).await;
    assert_eq!(client.ask(r#"2["kick"]"#).await, "41");
    assert_eq!(client.ask(r#"2/other,1["echo",1]"#).await, "43/other,1[1]");
    client.send(r#"2/other,["kick"]"#).await;
    assert_eq!(client.take(2).await, ["41/other,", "close 4502"]);
    server.seen.wait_for("closed disconnected").await;
}

#[tokio::test]
async fn all_namespaces_end_before_their_connection() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("0/other,").await;
    client.take(2).await;
    drop(client);
    server.seen.wait_for("closed lost").await;
    let ends = [
        "disconnected / lost",
        "disconnected /other lost",
        "closed lost",
    ];
    assert_eq!(server.seen.all()[2..], ends);
}

#[tokio::test]
async fn a_handler_may_cut_a_client() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send(r#"21["echo"]"#).await;
    client.send(r#"2["abuse"]"#).await;
    assert_eq!(client.take(3).await, ["431[]", "41", "close 4504"]);
    server.seen.wait_for("disconnected / abuse").await;
    server.seen.wait_for("closed abuse").await;
}

#[tokio::test]
async fn a_client_that_is_told_to_go_may_close_by_itself_and_is_not_heard_any_more() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    assert_eq!(client.ask(r#"2["abuse"]"#).await, "41");
    client.send(r#"21["echo"]"#).await;
    client.send("no packet").await;
    client.attach(b"nor this").await;
    drop(client);
    server.seen.wait_for("closed abuse").await;
    assert!(!server.seen.all().iter().any(|seen| seen.contains("echo")));
}

#[tokio::test]
async fn a_client_that_is_cut_in_one_namespace_keeps_its_others() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("0/other,").await;
    client.take(2).await;
    assert_eq!(client.ask(r#"2["abuse"]"#).await, "41");
    server.seen.wait_for("disconnected / abuse").await;
    assert_eq!(client.ask(r#"2/other,1["echo",1]"#).await, "43/other,1[1]");
}

#[tokio::test]
async fn a_client_that_polls_is_told_to_stay_away_when_it_is_cut() {
    let server = Server::start(Config::default());
    let client = server.polling().await;
    assert_eq!(client.post("40").await, 200);
    client.poll().await;
    assert_eq!(client.post("42[\"abuse\"]").await, 200);
    assert_eq!(client.poll().await, "41");
    assert_eq!(client.poll().await, "1");
    server.seen.wait_for("closed abuse").await;
}
