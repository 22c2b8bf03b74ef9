//! Browsers' pages from elsewhere.

use crate::support::{Response, Server, calm, request};

const TARGET: &str = "/engine.io/?EIO=4&transport=polling";

async fn ask(server: &Server, method: &str, headers: &[(&str, &str)]) -> Response {
    request(server.client().address, method, TARGET, headers, b"").await
}

#[tokio::test]
async fn a_preflight_is_answered_for_the_page_that_asks() {
    let server = Server::start(&calm());
    let headers = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type, x-tenant"),
    ];
    let answer = ask(&server, "OPTIONS", &headers).await;
    assert_eq!(answer.status, 204);
    let header = |name| answer.header(name);
    assert_eq!(
        header("access-control-allow-origin"),
        Some("https://a.example")
    );
    assert_eq!(header("access-control-allow-credentials"), Some("true"));
    assert_eq!(header("access-control-allow-methods"), Some("GET,POST"));
    assert_eq!(
        header("access-control-allow-headers"),
        Some("content-type, x-tenant")
    );
    assert!(server.seen.all().is_empty());
}

#[tokio::test]
async fn an_allowed_page_may_read_answers_and_refusals() {
    let server = Server::start(&calm());
    let origin = ("origin", "https://a.example");
    let opened = ask(&server, "GET", &[origin]).await;
    let refused = ask(&server, "POST", &[origin]).await;
    assert_eq!((opened.status, refused.status), (200, 400));
    for answer in [opened, refused] {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://a.example")
        );
        assert_eq!(answer.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn a_page_that_is_not_allowed_is_refused_and_may_not_read_why() {
    let server = Server::start(&calm());
    for method in ["GET", "POST", "OPTIONS"] {
        let answer = ask(&server, method, &[("origin", "https://evil.example")]).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.body, r#"{"code":4,"message":"Origin not allowed"}"#);
    }
}

#[tokio::test]
async fn a_client_that_is_no_page_gets_no_such_headers() {
    let server = Server::start(&calm());
    let answer = ask(&server, "GET", &[]).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}
