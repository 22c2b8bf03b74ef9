//! Requests that come to nothing.

use crate::support::{Client, Server, calm, request};

async fn refusal(client: &Client, method: &str, target: &str) -> (u16, String) {
    let answer = client.request(method, target, b"").await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn each_fault_is_answered_with_the_protocols_code() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let polling = "/engine.io/?EIO=4&transport=polling";
    let unknown = "x".repeat(28);
    for (method, target, wanted) in [
        (
            "GET",
            "/engine.io/?EIO=4&transport=abc".into(),
            r#"{"code":0,"message":"Transport unknown"}"#,
        ),
        (
            "GET",
            "/engine.io/".into(),
            r#"{"code":0,"message":"Transport unknown"}"#,
        ),
        (
            "GET",
            format!("{polling}&sid={unknown}"),
            r#"{"code":1,"message":"Session ID unknown"}"#,
        ),
        (
            "POST",
            format!("{polling}&sid={unknown}"),
            r#"{"code":1,"message":"Session ID unknown"}"#,
        ),
        (
            "PUT",
            polling.into(),
            r#"{"code":2,"message":"Bad handshake method"}"#,
        ),
        (
            "PUT",
            format!("{polling}&sid={sid}"),
            r#"{"code":3,"message":"Bad request"}"#,
        ),
        (
            "GET",
            "/engine.io/?EIO=4&transport=websocket".into(),
            r#"{"code":3,"message":"Bad request"}"#,
        ),
        (
            "GET",
            "/engine.io/?EIO=3&transport=polling".into(),
            r#"{"code":5,"message":"Unsupported protocol version: Engine.IO 4 is spoken here; connect with Socket.IO 3 or newer"}"#,
        ),
        (
            "GET",
            "/engine.io/?EIO=4&transport=polling&j=0".into(),
            r#"{"code":3,"message":"Bad request: JSONP is not spoken here; leave the option forceJSONP out"}"#,
        ),
    ] {
        assert_eq!(
            refusal(&client, method, &target).await,
            (400, wanted.to_owned()),
            "{target}"
        );
    }
}

#[tokio::test]
async fn the_application_may_refuse_a_client() {
    let server = Server::start(&calm());
    let target = "/engine.io/?EIO=4&transport=polling";
    let headers = [("x-refuse", "1")];
    let answer = request(server.client().address, "GET", target, &headers, b"").await;
    assert_eq!(
        (answer.status, &*answer.body),
        (403, r#"{"code":4,"message":"not you"}"#)
    );
    assert!(server.seen.all().is_empty());
}

#[tokio::test]
async fn there_is_nothing_at_other_paths() {
    let server = Server::start(&calm());
    let client = server.client();
    for path in ["/", "/engine.io/x", "/socket.io/", "/engine.iox"] {
        let target = format!("{path}?EIO=4&transport=polling");
        assert_eq!(
            client.request("GET", &target, b"").await.status,
            404,
            "{path}"
        );
    }
    let target = "/engine.io?EIO=4&transport=polling";
    assert_eq!(client.request("GET", target, b"").await.status, 200);
}
