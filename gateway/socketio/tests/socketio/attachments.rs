//! Binary events.

use sluice_engineio::Config;

use crate::support::Server;

const PLACEHOLDER: &str = r#"{"_placeholder":true,"num":0}"#;

#[tokio::test]
async fn an_event_waits_for_its_attachments() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    let second = PLACEHOLDER.replace('0', "1");
    client
        .send(&format!(r#"52-3["echo",{PLACEHOLDER},{second}]"#))
        .await;
    client.attach(&[1, 2]).await;
    client.attach(&[]).await;
    let wanted = [
        format!("462-3[{PLACEHOLDER},{second}]"),
        "binary [1, 2]".into(),
        "binary []".into(),
    ];
    assert_eq!(client.take(3).await, wanted);
}

#[tokio::test]
async fn a_binary_event_may_have_no_attachments() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    assert_eq!(client.ask(r#"50-3["echo",1]"#).await, "433[1]");
}

#[tokio::test]
async fn text_among_attachments_closes_the_connection() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send(&format!(r#"51-["emit",{PLACEHOLDER}]"#)).await;
    assert_eq!(client.ask(r#"2["emit"]"#).await, "close 1002");
    assert!(
        !server
            .seen
            .all()
            .iter()
            .any(|seen| seen.starts_with("event"))
    );
}

#[tokio::test]
async fn an_attachment_of_nothing_closes_the_connection() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.attach(&[1]).await;
    assert_eq!(client.next().await, "close 1002");
}

#[tokio::test]
async fn a_placeholder_for_an_attachment_that_was_not_announced_closes_the_connection() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    let other = PLACEHOLDER.replace('0', "1");
    assert_eq!(
        client.ask(&format!(r#"51-["emit",{other}]"#)).await,
        "close 1002"
    );
}

#[tokio::test]
async fn so_many_attachments_can_be_announced_at_most() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    assert_eq!(client.ask(r#"533-["emit"]"#).await, "close 1002");
}

#[tokio::test]
async fn attachments_are_bounded_as_one_message() {
    let server = Server::start(Config {
        max_payload: 1_000,
        ..Config::default()
    });
    let mut client = server.connected().await;
    client.send(r#"52-7["emit"]"#).await;
    client.attach(&[0; 600]).await;
    client.attach(&[0; 600]).await;
    assert_eq!(client.next().await, r#"437["too large"]"#);
    server.seen.wait_for("oversized / 1212").await;
}

#[tokio::test]
async fn an_event_over_the_bound_is_told_to_the_handler_with_all_its_attachments_passed_over() {
    let server = Server::start(Config {
        max_payload: 1_000,
        ..Config::default()
    });
    let mut client = server.connected().await;
    let long = "x".repeat(2_000);
    client.send(&format!(r#"21["emit","{long}"]"#)).await;
    assert_eq!(client.next().await, r#"431["too large"]"#);
    client.send(&format!(r#"52-2["emit","{long}"]"#)).await;
    client.attach(&[0; 2_000]).await;
    client.attach(&[0; 1]).await;
    assert_eq!(client.next().await, r#"432["too large"]"#);
    client.send(r#"51-3["emit"]"#).await;
    client.attach(&[0; 2_000]).await;
    assert_eq!(client.next().await, r#"433["too large"]"#);
    assert_eq!(client.ask(r#"24["echo",1]"#).await, "434[1]");
}

#[tokio::test]
async fn what_is_over_the_bound_and_no_event_ends_the_connection() {
    let long = "x".repeat(2_000);
    for text in [
        format!(r#"0/other,{{"token":"{long}"}}"#),
        format!(r#"31["{long}"]"#),
        format!("7{long}"),
    ] {
        let server = Server::start(Config {
            max_payload: 1_000,
            ..Config::default()
        });
        let mut client = server.connected().await;
        assert_eq!(client.ask(&text).await, "close 1009");
    }
    let server = Server::start(Config {
        max_payload: 1_000,
        ..Config::default()
    });
    let mut client = server.connected().await;
    client.attach(&[0; 2_000]).await;
    assert_eq!(client.next().await, "close 1009");
}
