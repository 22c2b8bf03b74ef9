//! Published keys, from a real HTTP server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::*;
use crate::auth::{Jwks, JwksError, JwksTiming, KeyError};
use crate::testing::{forged, jwk, sign};

/// An identity provider that can be told what to answer.
struct Provider {
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
    url: String,
    server: AbortHandle,
}

impl Provider {
    async fn start() -> Self {
        let answer = Arc::new(Mutex::new((StatusCode::OK, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (shared, counter) = (Arc::clone(&answer), Arc::clone(&asked));
        let handler = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            std::future::ready(shared.lock().unwrap().clone())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let server = axum::serve(listener, Router::new().route("/jwks", get(handler)));
        let server = tokio::spawn(server.into_future()).abort_handle();
        Self {
            answer,
            asked,
            url,
            server,
        }
    }

    fn answers(&self, status: StatusCode, body: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, body.into());
    }

    fn publishes(&self, keys: &[(Algorithm, &str)]) {
        let keys: Vec<_> = keys
            .iter()
            .map(|(algorithm, id)| jwk(*algorithm, &json!({"kid": id})))
            .collect();
        self.answers(StatusCode::OK, json!({"keys": keys}).to_string());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

const QUICK: JwksTiming = JwksTiming {
    period: Duration::from_hours(1),
    at_least: Duration::from_millis(1),
    timeout: Duration::from_secs(5),
    retry: Duration::from_millis(1),
};

fn jwks(provider: &Provider, timing: JwksTiming) -> Arc<Jwks> {
    Jwks::new(&provider.url, vec![], timing).unwrap()
}

fn named(algorithm: Algorithm, id: &str) -> String {
    let header = json!({"alg": format!("{algorithm:?}"), "kid": id});
    forged(&header, &claims(), |message| sign(algorithm, message))
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .unwrap();
}

#[tokio::test]
async fn keys_are_read_at_the_start_and_an_unknown_one_is_asked_for() {
    let provider = Provider::start().await;
    provider.publishes(&[(Algorithm::RS256, "old")]);
    let jwks = jwks(&provider, QUICK);
    let checked = Authenticator::with_jwks(TokenRules::default(), Arc::clone(&jwks));
    let old = named(Algorithm::RS256, "old");
    assert_eq!(checked.authenticate(&old, NOW), Err(AuthError::UnknownKey));
    jwks.start();
    until(|| checked.authenticate(&old, NOW).is_ok()).await;

    provider.publishes(&[(Algorithm::ES256, "new")]);
    let new = named(Algorithm::ES256, "new");
    assert_eq!(checked.authenticate(&new, NOW), Err(AuthError::UnknownKey));
    until(|| jwks.can_read()).await;
    assert!(jwks.refresh().await);
    assert!(checked.authenticate(&new, NOW).is_ok());
    assert_eq!(checked.authenticate(&old, NOW), Err(AuthError::UnknownKey));
}

#[tokio::test]
async fn whoever_asks_during_the_first_read_waits_for_it() {
    let provider = Provider::start().await;
    provider.publishes(&[(Algorithm::ES256, "k")]);
    let jwks = jwks(&provider, JwksTiming::default());
    jwks.start();
    jwks.start();
    assert!(jwks.refresh().await);
    assert_eq!((jwks.key_count(), provider.asked()), (1, 1));
}

#[tokio::test]
async fn unknown_keys_do_not_make_it_ask_more_often_than_it_may() {
    let provider = Provider::start().await;
    provider.publishes(&[(Algorithm::ES256, "k")]);
    let jwks = jwks(
        &provider,
        JwksTiming {
            at_least: Duration::from_hours(1),
            ..QUICK
        },
    );
    jwks.start();
    until(|| jwks.key_count() == 1).await;
    for _ in 0..100 {
        assert!(!jwks.refresh().await);
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn many_who_ask_at_once_are_answered_by_one_read() {
    let provider = Provider::start().await;
    provider.publishes(&[(Algorithm::ES256, "k")]);
    let jwks = jwks(&provider, QUICK);
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let jwks = Arc::clone(&jwks);
            tokio::spawn(async move { jwks.refresh().await })
        })
        .collect();
    tokio::task::yield_now().await;
    jwks.start();
    for waiter in waiting {
        assert!(waiter.await.unwrap());
    }
    assert!(provider.asked() <= 2, "{}", provider.asked());
}

#[tokio::test]
async fn the_last_good_keys_stay_when_the_endpoint_fails() {
    let provider = Provider::start().await;
    provider.publishes(&[(Algorithm::ES256, "k")]);
    let jwks = jwks(&provider, QUICK);
    let checked = Authenticator::with_jwks(TokenRules::default(), Arc::clone(&jwks));
    jwks.start();
    until(|| jwks.key_count() == 1).await;
    for (status, body, error) in [
        (StatusCode::BAD_GATEWAY, "", JwksError::Status(502)),
        (StatusCode::FOUND, "", JwksError::Status(302)),
        (StatusCode::OK, "<html>", JwksError::Keys(KeyError::KeySet)),
        (
            StatusCode::OK,
            "{\"keys\":[]}",
            JwksError::Keys(KeyError::NoKey),
        ),
    ] {
        provider.answers(status, body);
        jwks.refresh().await;
        until(|| jwks.last_error().as_deref() == Some(&error)).await;
        assert!(
            checked
                .authenticate(&named(Algorithm::ES256, "k"), NOW)
                .is_ok()
        );
        assert_eq!(jwks.key_count(), 1);
    }
    provider.answers(StatusCode::OK, " ".repeat(1024 * 1024 + 1));
    until(|| jwks.last_error().as_deref() == Some(&JwksError::TooLarge)).await;
    provider.publishes(&[(Algorithm::ES256, "k"), (Algorithm::RS256, "l")]);
    until(|| jwks.key_count() == 2).await;
    assert_eq!(jwks.last_error(), None);
    assert!(jwks.reads().1 >= 5);
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_until_it_is_back() {
    let provider = Provider::start().await;
    provider.server.abort();
    let address = provider
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/jwks")
        .to_owned();
    let jwks = jwks(&provider, QUICK);
    jwks.start();
    until(|| {
        matches!(
            jwks.last_error().as_deref(),
            Some(JwksError::Unreachable(_))
        )
    })
    .await;
    let body = json!({"keys": [jwk(Algorithm::ES256, &json!({"kid": "k"}))]}).to_string();
    let back = Router::new().route("/jwks", get(move || std::future::ready(body.clone())));
    let listener = TcpListener::bind(&address).await.unwrap();
    let server = tokio::spawn(axum::serve(listener, back).into_future());
    until(|| jwks.key_count() == 1).await;
    server.abort();
}

#[tokio::test]
async fn a_server_that_never_answers_costs_no_more_than_the_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", silent.local_addr().unwrap());
    let timing = JwksTiming {
        timeout: Duration::from_millis(20),
        ..QUICK
    };
    let jwks = Jwks::new(&url, vec![], timing).unwrap();
    jwks.start();
    until(|| {
        matches!(
            jwks.last_error().as_deref(),
            Some(JwksError::Unreachable(_))
        )
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_not_believed() {
    let provider = Provider::start().await;
    provider.publishes(&[(Algorithm::ES256, "k")]);
    let url = provider.url.replace("http:", "https:");
    let jwks = Jwks::new(&url, vec![], QUICK).unwrap();
    jwks.start();
    until(|| {
        matches!(
            jwks.last_error().as_deref(),
            Some(JwksError::Unreachable(_))
        )
    })
    .await;
    assert_eq!(jwks.key_count(), 0);
}

#[tokio::test]
async fn the_task_ends_when_nobody_needs_the_keys() {
    let provider = Provider::start().await;
    provider.publishes(&[(Algorithm::ES256, "k")]);
    let jwks = jwks(&provider, QUICK);
    jwks.start();
    until(|| jwks.key_count() == 1).await;
    let weak = Arc::downgrade(&jwks);
    drop(jwks);
    until(|| weak.strong_count() == 0 && weak.weak_count() == 0).await;
}

#[test]
fn an_address_that_cannot_be_asked_is_refused_at_once() {
    for url in [
        "",
        "id.example.com",
        "file:///etc/passwd",
        "ftp://id.example.com",
    ] {
        let error = Jwks::new(url, vec![], JwksTiming::default()).unwrap_err();
        assert!(matches!(error, JwksError::Setup(_)), "{url}");
    }
}
