//! The switch that follows someone in the logs.

use serde_json::json;

use crate::{
    native::Native,
    support::{cluster, with},
};

#[test]
fn tracing_is_switched_on_and_off_while_the_gateway_runs() {
    with(&[cluster(json!({}))], async |gateway| {
        let url = format!("http://{}/debug/trace", gateway.embedded.ops());
        let http = reqwest::Client::new();
        let status = async |request: reqwest::RequestBuilder| {
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(status(http.put(format!("{url}?room=r"))).await, 200);
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "r"})).await;
        ann.publish("r", 1).await;
        assert_eq!(ann.data(1).await, [1]);
        assert_eq!(status(http.put(&url)).await, 400);
        assert_eq!(status(http.put(format!("{url}?session=x"))).await, 400);
        assert_eq!(status(http.put(format!("{url}?user=a&room=b"))).await, 400);
        assert_eq!(status(http.delete(&url)).await, 200);
    });
}
