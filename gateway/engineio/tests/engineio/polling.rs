//! The long-polling transport.

use sluice_engineio::Config;

use crate::support::{Client, Server, calm, eventually, give_up};

#[tokio::test]
async fn a_session_is_opened_with_all_that_the_client_must_know() {
    let server = Server::start(&calm());
    let opened = server
        .client()
        .request("GET", "/engine.io/?EIO=4&transport=polling", b"")
        .await;
    assert_eq!(
        opened.header("content-type"),
        Some("text/plain; charset=UTF-8")
    );
    assert_eq!(opened.header("cache-control"), Some("no-store"));
    let handshake: serde_json::Value = serde_json::from_str(&opened.body[1..]).unwrap();
    assert_eq!(handshake["upgrades"], serde_json::json!(["websocket"]));
    assert_eq!(handshake["pingInterval"], 25_000);
    assert_eq!(handshake["pingTimeout"], 20_000);
    assert_eq!(handshake["maxPayload"], 1_000_000);
}

#[tokio::test]
async fn messages_go_both_ways() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let poll = client.start_poll(&sid);
    client.say(&sid, "4hello").await;
    assert_eq!(poll.await.unwrap().packets(), ["4hello"]);
}

#[tokio::test]
async fn what_one_body_brings_is_answered_in_one_payload() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let poll = client.start_poll(&sid);
    client.say(&sid, "4a\x1ebAQIDBA==\x1e4žluť\x1ebBQY").await;
    let answer = poll.await.unwrap();
    assert_eq!(answer.packets(), ["4a", "bAQIDBA==", "4žluť", "bBQY="]);
}

#[tokio::test]
async fn many_messages_keep_their_order_over_many_polls() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let polls = {
        let sid = sid.clone();
        tokio::spawn(async move { client.collect(&sid, 300).await })
    };
    for n in 0..300 {
        client.say(&sid, &format!("4{n}")).await;
    }
    let wanted: Vec<_> = (0..300).map(|n| format!("4{n}")).collect();
    assert_eq!(polls.await.unwrap(), wanted);
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused_and_the_session_goes_on() {
    let server = Server::start(&Config {
        max_payload: 100,
        ..calm()
    });
    let client = server.client();
    let sid = client.open().await;
    assert_eq!(client.post(&sid, "4".repeat(101)).await.status, 413);
    let longest = format!("4{}", "x".repeat(99));
    client.say(&sid, &longest).await;
    assert_eq!(client.poll(&sid).await.body, longest);
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_too() {
    let server = Server::start(&Config {
        max_payload: 100,
        ..calm()
    });
    let client = server.client();
    let sid = client.open().await;
    let chunk = format!("65\r\n{}\r\n0\r\n\r\n", "x".repeat(101));
    let headers = [("transfer-encoding", "chunked")];
    let target = Client::target(&sid);
    let stream =
        crate::support::begin(client.address, "POST", &target, &headers, chunk.as_bytes()).await;
    assert_eq!(crate::support::finish(stream).await.status, 413);
}

#[tokio::test]
async fn any_number_of_packets_comes_in_one_body_while_others_are_served() {
    let server = Server::with_workers(2, &calm());
    for worker in [0, 1] {
        let sid = server.client_of(0).open().await;
        let client = server.client_of(worker);
        let texts: Vec<_> = (0..3_000).map(|n| format!("4{n}")).collect();
        client.say(&sid, &texts.join("\x1e")).await;
        assert!(client.collect(&sid, 3_000).await == texts);
    }
}

#[tokio::test]
async fn a_long_answer_is_compressed_as_its_client_takes_it() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    for (size, accepts, encoding) in [
        (100_000, "gzip, deflate", Some("gzip")),
        (100_000, "deflate", Some("deflate")),
        (100_000, "br", None),
        (1_023, "gzip", Some("gzip")),
        (1_022, "gzip", None),
    ] {
        client.say(&sid, &format!("4big {size}")).await;
        let headers = [("accept-encoding", accepts)];
        let stream =
            crate::support::begin(client.address, "GET", &Client::target(&sid), &headers, b"")
                .await;
        let (headers, body) = crate::support::finish_bytes(stream).await;
        let got = headers.iter().find(|(name, _)| name == "content-encoding");
        assert_eq!(got.map(|(_, value)| value.as_str()), encoding);
        assert!(unpacked(encoding, &body) == format!("4{}", "x".repeat(size)));
        assert!(encoding.is_none() || body.len() < 1_000);
    }
}

fn unpacked(encoding: Option<&str>, body: &[u8]) -> String {
    use std::io::Read as _;
    let mut text = String::new();
    match encoding {
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_string(&mut text),
        Some(_) => flate2::read::ZlibDecoder::new(body).read_to_string(&mut text),
        None => (&mut &body[..]).read_to_string(&mut text),
    }
    .unwrap();
    text
}

#[tokio::test]
async fn a_packet_that_is_none_among_many_ends_the_session_after_those_before_it() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let body = vec!["4a"; 2_000].join("\x1e") + "\x1eabc\x1e4b";
    assert_eq!(client.post(&sid, body).await.status, 400);
    server.seen.wait_for("closed protocol").await;
    let seen = server.seen.all();
    assert_eq!(seen.iter().filter(|seen| *seen == "text a").count(), 2_000);
    assert!(!server.seen.has("text b"));
    assert_eq!(client.poll(&sid).await.status, 400);
}

#[tokio::test]
async fn what_is_no_packet_ends_the_session() {
    for body in [
        &b"abc"[..],
        b"",
        b"4ok\x1e",
        b"b!",
        b"\xff",
        b"0",
        b"2probe",
    ] {
        let server = Server::start(&calm());
        let client = server.client();
        let sid = client.open().await;
        assert_eq!(client.post(&sid, body).await.status, 400, "{body:?}");
        server.seen.wait_for("closed protocol").await;
        assert_eq!(client.poll(&sid).await.status, 400);
    }
}

#[tokio::test]
async fn binary_bodies_are_of_another_version() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let headers = [("content-type", "application/octet-stream")];
    let target = Client::target(&sid);
    let answer = crate::support::request(client.address, "POST", &target, &headers, b"4a").await;
    assert_eq!(answer.status, 400);
    server.seen.wait_for("closed protocol").await;
}

#[tokio::test]
async fn two_polls_at_once_end_the_session() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let (one, other) = (client.start_poll(&sid), client.start_poll(&sid));
    let mut answers = [one.await.unwrap(), other.await.unwrap()];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(answers[0].packets(), ["1"]);
    assert_eq!(answers[1].status, 400);
    server.seen.wait_for("closed protocol").await;
}

#[tokio::test]
async fn two_posts_at_once_end_the_session() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let begun = client.part("POST", &sid, 10, b"4hel").await;
    let mut status = 200;
    while status == 200 {
        // The server may not have seen the first one yet.
        status = client.post(&sid, "4hello").await.status;
    }
    assert_eq!(status, 400);
    server.seen.wait_for("closed protocol").await;
    drop(begun);
}

#[tokio::test]
async fn a_poll_that_is_given_up_ends_the_session() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    give_up(&server, client, "GET", &sid, 0).await;
    assert_eq!(server.seen.all(), ["closed lost"]);
    assert_eq!(client.post(&sid, "4a").await.status, 400);
}

#[tokio::test]
async fn a_post_that_is_given_up_ends_the_session() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    give_up(&server, client, "POST", &sid, 10).await;
    assert_eq!(server.seen.all().len(), 1);
    assert_eq!(client.poll(&sid).await.status, 400);
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_gone() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4last\x1e1").await;
    server.seen.wait_for("closed client").await;
}

#[tokio::test]
async fn bytes_of_polling_are_counted() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let counters = &server.counters[0];
    let (bytes_in, bytes_out) = (counters.bytes_in.get(), counters.bytes_out.get());
    client.say(&sid, "4hello").await;
    eventually("the queue", || counters.queued_bytes.get() > 0).await;
    assert_eq!(client.poll(&sid).await.body, "4hello");
    assert_eq!(counters.bytes_in.get() - bytes_in, 6);
    assert_eq!(counters.bytes_out.get() - bytes_out, 6);
    assert_eq!(counters.queued_bytes.get(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_poll_is_cut_at_the_bound() {
    let server = Server::start(&Config {
        max_outbound: 1_000,
        ..calm()
    });
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4big 600\x1e4big 300\x1e4big 300").await;
    server.seen.wait_for("closed slow_consumer").await;
    let counters = &server.counters[0];
    assert_eq!(counters.slow_consumers.get(), 1);
    assert_eq!(counters.dropped.get(), 2);
    assert_eq!(counters.queued_bytes.get(), 0);
    assert_eq!(client.poll(&sid).await.status, 400);
}

#[tokio::test]
async fn one_message_larger_than_the_bound_still_passes() {
    let server = Server::start(&Config {
        max_outbound: 1_000,
        ..calm()
    });
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4big 70000").await;
    assert_eq!(client.poll(&sid).await.body.len(), 70_001);
}
