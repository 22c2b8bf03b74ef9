use std::sync::Arc;

use serde_json::{Value, json};
use sluice_backbone::Backbone;
use sluice_rooms::{RoomKey, RoomSettings};

use crate::harness::{Running, assert_refused, start};

async fn with_history(messages: u64) -> Running {
    let api = start().await;
    for number in 1..=messages {
        api.post(
            "/v1/rooms/lobby/messages",
            json!({"event": "e", "data": number}),
        )
        .await;
    }
    api
}

fn data(page: &Value) -> Vec<u64> {
    page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["data"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_history_is_read_in_pages() {
    let api = with_history(5).await;
    let (_, newest) = api.get("/v1/rooms/lobby/history?limit=2").await;
    assert_eq!(data(&newest), [4, 5]);
    let (_, next) = api.get("/v1/rooms/lobby/history?after=1&limit=2").await;
    assert_eq!(data(&next), [2, 3]);
    let (_, earlier) = api.get("/v1/rooms/lobby/history?before=4&limit=2").await;
    assert_eq!(data(&earlier), [2, 3]);
    assert_eq!(
        (&next["epoch"], &next["truncated"]),
        (&newest["epoch"], &json!(false))
    );
    let message = &next["messages"][0];
    assert_eq!(
        (&message["event"], &message["offset"]),
        (&json!("e"), &json!(2))
    );
    assert!(message["time"].as_u64().unwrap() > 1_700_000_000_000 && message["from"].is_null());
}

#[tokio::test]
async fn a_room_without_history_has_none_to_read() {
    let api = start().await;
    assert_refused(&api.get("/v1/rooms/plain/history").await, 409, "no_history");
}

#[tokio::test]
async fn a_page_has_its_bounds() {
    let api = start().await;
    for (path, code) in [
        ("/v1/rooms/lobby/history?limit=1001", "limit_out_of_range"),
        ("/v1/rooms/lobby/history?limit=0", "limit_out_of_range"),
        ("/v1/rooms/lobby/history?after=-1", "query_invalid"),
        ("/v1/rooms/lobby/history?from=1", "query_invalid"),
        ("/v1/rooms/lobby/presence?limit=10001", "limit_out_of_range"),
        ("/v1/sessions?limit=1001", "limit_out_of_range"),
    ] {
        assert_refused(&api.get(path).await, 400, code);
    }
}

#[tokio::test]
async fn presence_names_the_users_in_a_room() {
    let api = start().await;
    let (room, settings) = (RoomKey::new("/", "lobby"), RoomSettings::default());
    for user in ["ann", "ann", "bob"] {
        api.backbone
            .join(&room, &Arc::from(user), &settings)
            .wait()
            .await
            .unwrap();
    }
    let (_, mut body) = api.get("/v1/rooms/lobby/presence").await;
    body["users"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(ToString::to_string);
    assert_eq!(
        body,
        json!({"ok": true, "users": ["ann", "bob"], "count": 2})
    );
    let (_, one) = api.get("/v1/rooms/lobby/presence?limit=1").await;
    assert_eq!(
        (one["users"].as_array().unwrap().len(), &one["count"]),
        (1, &json!(2))
    );
    assert_refused(
        &api.get("/v1/rooms/dark/presence").await,
        409,
        "no_presence",
    );
}

#[tokio::test]
async fn sessions_are_listed_by_user() {
    let api = start().await;
    let (ann, _) = (api.session("ann"), api.session("bob"));
    let (_, body) = api.get("/v1/sessions?user=ann").await;
    let expected = json!([{
        "session": ann, "user": "ann", "namespace": "/", "protocol": "socketio",
        "connected": true, "rooms": ["lobby"],
    }]);
    assert_eq!(body["sessions"], expected);
    let (_, all) = api.get("/v1/sessions").await;
    assert_eq!(all["sessions"].as_array().unwrap().len(), 2);
}
