//! Acknowledgements both ways.

use sluice_engineio::Config;

use crate::support::Server;

#[tokio::test]
async fn an_event_is_answered_under_its_id() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    assert_eq!(
        client.ask(r#"27["echo",1,{"a":[2]}]"#).await,
        r#"437[1,{"a":[2]}]"#
    );
    assert_eq!(client.ask(r#"28["later"]"#).await, "438[1]");
}

#[tokio::test]
async fn an_event_without_an_id_is_not_answered() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send(r#"2["echo",1]"#).await;
    client.send(r#"2["later"]"#).await;
    assert_eq!(client.ask(r#"2["emit",1]"#).await, r#"42["emitted",1]"#);
}

#[tokio::test]
async fn a_server_gets_the_answer_to_what_it_asked() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    assert_eq!(client.ask(r#"2["ask",1]"#).await, r#"421["question",7]"#);
    assert_eq!(
        client.ask(r#"31[{"a":1},2]"#).await,
        r#"42["answered",[{"a":1},2]]"#
    );
    assert_eq!(client.ask(r#"2["ask",1]"#).await, r#"422["question",7]"#);
    assert_eq!(client.ask("32[]").await, r#"42["answered",[]]"#);
}

#[tokio::test]
async fn answers_that_nobody_waits_for_are_ignored() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    assert_eq!(client.ask(r#"2["ask",1]"#).await, r#"421["question",7]"#);
    client.send("399[1]").await;
    assert_eq!(client.ask("31[1]").await, r#"42["answered",[1]]"#);
    client.send("31[1]").await;
    assert_eq!(client.ask(r#"21["echo"]"#).await, "431[]");
}

#[tokio::test]
async fn an_answer_that_is_no_json_closes_the_connection() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.ask(r#"2["ask",1]"#).await;
    assert_eq!(client.ask("31[1").await, "close 1002");
}

#[tokio::test]
async fn a_client_owes_so_many_answers_at_most() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send(r#"2["ask",257]"#).await;
    let mut questions = client.take(257).await;
    questions.sort_by_key(|question| question.starts_with("42["));
    assert_eq!(questions[0], r#"421["question",7]"#);
    assert_eq!(questions[256], r#"42["unanswered"]"#);
    assert_eq!(client.ask("31[]").await, r#"42["answered",[]]"#);
    assert_eq!(client.ask(r#"2["ask",1]"#).await, r#"42257["question",7]"#);
}

#[tokio::test]
async fn a_binary_answer_is_taken_as_its_text() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.ask(r#"2["ask",1]"#).await;
    client.send(r#"61-1[{"_placeholder":true,"num":0}]"#).await;
    client.attach(&[1]).await;
    assert_eq!(
        client.next().await,
        r#"42["answered",[{"_placeholder":true,"num":0}]]"#
    );
}
