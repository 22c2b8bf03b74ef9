//! How clients get into namespaces.

use std::time::Duration;

use sluice_engineio::Config;

use crate::support::Server;

const INVALID: &str = "close 1002";

#[tokio::test]
async fn a_client_is_let_in_before_it_gets_anything_else() {
    let server = Server::start(Config::default());
    let mut client = server.client().await;
    client.send(r#"0{"token":"t"}"#).await;
    assert_eq!(
        client.take(2).await,
        [r#"40{"sid":"s1","pid":"p"}"#, r#"42["welcome"]"#]
    );
    client.send(r"0/other,").await;
    let wanted = [
        r#"40/other,{"sid":"s2","pid":"p"}"#,
        r#"42/other,["welcome"]"#,
    ];
    assert_eq!(client.take(2).await, wanted);
    assert_eq!(
        server.seen.all(),
        [r#"connect / {"token":"t"}"#, "connect /other "]
    );
}

#[tokio::test]
async fn a_client_that_is_refused_is_told_why_and_may_ask_again() {
    let server = Server::start(Config::default());
    let mut client = server.client().await;
    for _ in 0..2 {
        let refusal = r#"44/refused,{"message":"not \"you\"","data":{"code":"no"}}"#;
        assert_eq!(client.ask("0/refused,").await, refusal);
    }
}

#[tokio::test]
async fn what_makes_no_sense_closes_the_connection() {
    for wrong in [
        r"0{",
        r"0{]",
        "0[1]",
        "00",
        "9",
        "",
        r#"2["emit"]"#,
        r#"4{"message":"no"}"#,
        "0/other",
    ] {
        let server = Server::start(Config::default());
        let mut client = server.client().await;
        let answer = client.ask(wrong).await;
        if wrong == "0/other" {
            assert!(answer.starts_with("40/other,"), "a comma may be missing");
        } else {
            assert_eq!(answer, INVALID, "{wrong}");
        }
    }
}

#[tokio::test]
async fn a_namespace_is_asked_for_once() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    assert_eq!(client.ask("0").await, INVALID);
    let ends = ["disconnected / protocol", "closed protocol"];
    server.seen.wait_for(ends[1]).await;
    assert_eq!(server.seen.all()[1..], ends);
}

#[tokio::test]
async fn a_client_that_asks_for_no_namespace_is_closed_in_time() {
    // The server's timer ticks forty times before an answer to a ping is too late: a busy machine
    // does not make it so.
    let config = Config {
        ping_interval: Duration::from_millis(100),
        ping_timeout: Duration::from_secs(1),
        ..Config::default()
    };
    let server = Server::start(config);
    let mut idle = server.client().await;
    let mut used = server.client().await;
    used.send("0").await;
    assert!(used.beyond_pings().await.starts_with("40{"));
    assert_eq!(used.beyond_pings().await, r#"42["welcome"]"#);
    tokio::select! {
        // The connection breaks, since the client is to come back.
        end = idle.beyond_pings() => assert!(end.starts_with("end"), "{end}"),
        other = used.beyond_pings() => panic!("nothing was due: {other}"),
    }
    server.seen.wait_for("closed connect_timeout").await;
    used.send(r#"21["echo"]"#).await;
    assert_eq!(used.beyond_pings().await, "431[]");
}

#[tokio::test]
async fn a_verdict_may_come_later() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("0/later,").await;
    client.send(r#"2["settle","accept"]"#).await;
    let wanted = [
        r#"40/later,{"sid":"s2","pid":"p"}"#,
        r#"42["settled",true]"#,
    ];
    assert_eq!(client.take(2).await, wanted);
    assert_eq!(client.ask(r#"2/later,1["echo",1]"#).await, "43/later,1[1]");
}

#[tokio::test]
async fn a_refusal_may_come_later() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("0/later,").await;
    assert!(
        client
            .ask(r#"2["settle","refuse"]"#)
            .await
            .starts_with("44/later,{")
    );
    assert_eq!(client.next().await, r#"42["settled",true]"#);
    assert_eq!(client.ask(r#"2/later,1["echo",1]"#).await, INVALID);
}

#[tokio::test]
async fn a_verdict_for_a_client_that_asks_no_more_is_void() {
    let server = Server::start(Config::default());
    let mut client = server.connected().await;
    client.send("0/later,").await;
    client.send("1/later,").await;
    assert_eq!(
        client.ask(r#"2["settle","accept"]"#).await,
        r#"42["settled",false]"#
    );
}

#[tokio::test]
async fn a_second_verdict_does_not_replace_the_first() {
    for second in ["accept", "refuse"] {
        let server = Server::start(Config::default());
        let mut client = server.connected().await;
        client.send("0/twice,").await;
        client.send(r#"2["settle","accept"]"#).await;
        assert!(client.next().await.starts_with("40/twice,"));
        assert_eq!(client.next().await, r#"42["settled",true]"#);
        let settled = client.ask(&format!(r#"2["settle","{second}"]"#)).await;
        assert_eq!(settled, format!(r#"42["settled",{}]"#, second == "refuse"));
        drop(client);
        server.seen.wait_for("closed lost").await;
        let left = |seen: &&String| *seen == "disconnected /twice lost";
        assert_eq!(server.seen.all().iter().filter(left).count(), 1);
    }
}

#[tokio::test]
async fn a_verdict_is_for_the_attempt_that_it_is_about() {
    for first in ["accept", "refuse"] {
        let server = Server::start(Config::default());
        let mut client = server.connected().await;
        for packet in ["0/later,", "1/later,", "0/later,"] {
            client.send(packet).await;
        }
        let settled = client.ask(&format!(r#"2["settle","{first}"]"#)).await;
        assert_eq!(settled, format!(r#"42["settled",{}]"#, first == "refuse"));
        client.send(r#"2["settle","accept"]"#).await;
        // The first CONNECT was the second call, and the one that counts the third.
        assert_eq!(client.next().await, r#"40/later,{"sid":"s3","pid":"p"}"#);
        assert_eq!(client.next().await, r#"42["settled",true]"#);
    }
}

/// What `socket.io-msgpack-parser` sends first: a map of the packet's parts.
const IN_MESSAGEPACK: &[u8] = b"\x83\xa4type\x00\xa4data\x80\xa3nsp\xa1/";

#[tokio::test]
async fn a_client_of_another_parser_is_told_so_in_its_own_language() {
    let server = Server::start(Config::default());
    let mut client = server.client().await;
    client.attach(IN_MESSAGEPACK).await;
    assert!(
        client
            .next()
            .await
            .starts_with("binary [131, 164, 116, 121, 112, 101, 4, ")
    );
    assert_eq!(client.next().await, "close 1002");

    let client = server.polling().await;
    client.post("bg6R0eXBlAKRkYXRhgKNuc3ChLw==").await;
    assert!(client.poll().await.starts_with("bg6R0eXBlBKNuc3ChL6RkYXRh"));
    assert_eq!(client.poll().await, "1");
}

#[tokio::test]
async fn a_binary_message_that_nothing_announced_ends_the_connection() {
    let server = Server::start(Config::default());
    let mut stranger = server.client().await;
    stranger.attach(b"\x83 is no packet").await;
    assert_eq!(stranger.next().await, "close 1002");
    let mut member = server.connected().await;
    member.attach(IN_MESSAGEPACK).await;
    assert_eq!(member.next().await, "close 1002");
}
