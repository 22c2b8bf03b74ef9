//! The same over long polling.

use sluice_engineio::Config;

use crate::support::Server;

#[tokio::test]
async fn binary_events_go_both_ways() {
    let server = Server::start(Config::default());
    let client = server.polling().await;
    assert_eq!(client.post("40").await, 200);
    let welcome = client.poll().await;
    assert_eq!(
        welcome,
        "40{\"sid\":\"s1\",\"pid\":\"p\"}\x1e42[\"welcome\"]"
    );
    let event = r#"51-7["echo",{"_placeholder":true,"num":0}]"#;
    assert_eq!(client.post(&format!("4{event}\x1ebAQID")).await, 200);
    let answer = r#"461-7[{"_placeholder":true,"num":0}]"#;
    assert_eq!(client.poll().await, format!("{answer}\x1ebAQID"));
}

#[tokio::test]
async fn attachments_may_come_in_bodies_of_their_own() {
    let server = Server::start(Config::default());
    let client = server.polling().await;
    client.post("40").await;
    client.poll().await;
    client.post(r#"452-7["echo"]"#).await;
    client.post("bAQ==").await;
    client.post("bAg==").await;
    assert_eq!(client.poll().await, "462-7[]\x1ebAQ==\x1ebAg==");
}

#[tokio::test]
async fn a_client_that_is_sent_away_is_told_before_the_end() {
    let server = Server::start(Config::default());
    let client = server.polling().await;
    client.post("40").await;
    client.poll().await;
    client.post(r#"42["kick"]"#).await;
    assert_eq!(client.poll().await, "41");
    assert_eq!(client.poll().await, "1");
    server.seen.wait_for("closed disconnected").await;
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_cut() {
    let server = Server::start(Config::default());
    let client = server.polling().await;
    client.post("40").await;
    assert_eq!(client.post(r#"42["emit"#).await, 400);
    server.seen.wait_for("closed protocol").await;
}
