//! Sessions that the server ends.

use crate::support::{Server, calm};

#[tokio::test]
async fn a_client_between_two_polls_gets_all_that_waits_and_then_the_close() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4burst 3\x1e4close").await;
    assert_eq!(client.poll(&sid).await.packets(), ["40", "41", "42"]);
    assert_eq!(client.poll(&sid).await.status, 400);
    server.seen.wait_for("closed drain").await;
    assert_eq!(client.poll(&sid).await.status, 400);
}

#[tokio::test]
async fn a_poll_that_waits_is_answered_before_the_close() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let poll = client.start_poll(&sid);
    client.say(&sid, "4burst 1\x1e4close").await;
    assert_eq!(poll.await.unwrap().packets(), ["40"]);
    assert_eq!(client.poll(&sid).await.status, 400);
    server.seen.wait_for("closed drain").await;
}

#[tokio::test]
async fn a_poll_that_waits_in_vain_breaks_where_the_client_is_to_come_back() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let poll = client.start_poll(&sid);
    client.say(&sid, "4close").await;
    let answer = poll.await.unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, r#"{"code":1,"message":"Session ID unknown"}"#);
    server.seen.wait_for("closed drain").await;
}

#[tokio::test]
async fn nothing_is_heard_of_a_session_after_it_was_closed() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4close\x1e4burst 2").await;
    client.say(&sid, "4hello").await;
    assert_eq!(client.poll(&sid).await.status, 400);
    server.seen.wait_for("closed drain").await;
    assert_eq!(server.seen.all(), ["text close", "closed drain"]);
}

#[tokio::test]
async fn a_client_that_is_cut_for_what_it_sent_gets_what_waited() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4burst 1\x1e4cut\x1e4burst 1").await;
    assert_eq!(client.poll(&sid).await.packets(), ["40"]);
    assert_eq!(client.poll(&sid).await.packets(), ["1"]);
    server.seen.wait_for("closed abuse").await;
}

#[tokio::test]
async fn a_client_that_never_polls_again_is_given_up() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4close").await;
    server.seen.wait_for("closed drain").await;
    assert_eq!(client.poll(&sid).await.status, 400);
}

#[tokio::test]
async fn a_session_that_was_closed_while_it_moves_ends_on_the_websocket() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let mut websocket = client.probe(&sid).await;
    client.say(&sid, "4burst 2\x1e4close").await;
    websocket.send("5").await;
    assert_eq!(websocket.take(2).await, ["40", "41"]);
    websocket.breaks().await;
    server.seen.wait_for("closed drain").await;
}

#[tokio::test]
async fn a_websocket_that_is_to_come_back_gets_what_waits_and_then_breaks() {
    let server = Server::start(&calm());
    let mut websocket = server.client().websocket(None).await;
    websocket.take(2).await;
    websocket.send("4burst 2").await;
    websocket.send("4close").await;
    assert_eq!(websocket.take(2).await, ["40", "41"]);
    websocket.breaks().await;
    server.seen.wait_for("closed drain").await;
}

#[tokio::test]
async fn a_websocket_that_is_to_stay_away_gets_what_waits_and_then_the_code() {
    let server = Server::start(&calm());
    let mut websocket = server.client().websocket(None).await;
    websocket.take(2).await;
    websocket.send("4burst 2").await;
    websocket.send("4cut").await;
    assert_eq!(websocket.take(3).await, ["40", "41", "close 4504"]);
    server.seen.wait_for("closed abuse").await;
}
