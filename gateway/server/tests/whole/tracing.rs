//! The switch that follows someone in the logs.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;

use crate::{
    native::Native,
    support::{cluster, with},
};

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let logs = tracing_subscriber::fmt().with_ansi(false);
        logs.with_writer(move || writer.clone()).init();
        log
    }

    /// The lines of the trace that have `part`.
    fn traced(&self, part: &str) -> usize {
        let log = self.0.lock().unwrap();
        let text = String::from_utf8_lossy(&log);
        let lines = text.lines().filter(|line| line.contains("trace:"));
        lines.filter(|line| line.contains(part)).count()
    }
}

#[test]
fn one_user_is_followed_in_the_log_and_nobody_else() {
    let log = Log::start();
    with(&[cluster(json!({}))], async |gateway| {
        let url = format!("http://{}/debug/trace", gateway.embedded.ops());
        let http = reqwest::Client::new();
        let status = async |request: reqwest::RequestBuilder| {
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(status(http.put(format!("{url}?user=followed"))).await, 200);
        for user in ["followed", "other"] {
            let (mut client, _) = Native::enter(&gateway, user).await;
            let room = format!("room-of-{user}");
            client.must(json!({"op": "join", "room": room})).await;
            client.publish(&room, 1).await;
            assert_eq!(client.data(1).await, [1]);
            client.leave().await;
        }
        for part in [
            "opened",
            "operation=\"join\"",
            "joined",
            "delivered=1",
            "ended",
        ] {
            assert!(log.traced(part) > 0, "{part}");
        }
        assert_eq!(log.traced("other"), 0);

        assert_eq!(status(http.delete(&url)).await, 200);
        let before = log.traced("");
        let (client, _) = Native::enter(&gateway, "followed").await;
        client.leave().await;
        assert_eq!(log.traced(""), before);
    });
}

#[test]
fn whoever_asks_for_a_trace_must_say_of_what() {
    with(&[cluster(json!({}))], async |gateway| {
        let url = format!("http://{}/debug/trace", gateway.embedded.ops());
        let http = reqwest::Client::new();
        for query in ["", "?session=x", "?user=a&room=b"] {
            let asked = http.put(format!("{url}{query}")).send().await.unwrap();
            assert_eq!(asked.status(), 400, "{query}");
        }
    });
}
