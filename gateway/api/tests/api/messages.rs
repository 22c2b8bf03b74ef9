use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use sluice_backbone::{Backbone, Command, Target};
use sluice_rooms::{RoomKey, RoomSettings};

use crate::harness::{Running, answer, assert_refused, start};

async fn with_member(room: &str) -> Running {
    let api = start().await;
    let room = RoomKey::new("/", room);
    api.backbone
        .subscribe(0, &room, &RoomSettings::default())
        .wait()
        .await
        .unwrap();
    api
}

fn hello() -> Value {
    json!({"event": "hello", "data": {"text": "žluť"}})
}

#[tokio::test]
async fn a_publication_reaches_the_rooms_members() {
    let api = with_member("lobby").await;
    let (status, body) = api.post("/v1/rooms/lobby/messages", hello()).await;
    assert_eq!(
        (status.as_u16(), &body["ok"], &body["offset"]),
        (200, &json!(true), &json!(1))
    );
    assert_eq!(body["duplicate"], json!(false));
    let messages = api.worker.messages.lock().unwrap();
    assert_eq!(
        (&*messages[0].event, &*messages[0].data),
        ("hello", r#"{"text":"žluť"}"#)
    );
    assert_eq!(
        (&messages[0].from, &*messages[0].id),
        (&None, body["id"].as_str().unwrap())
    );
}

#[tokio::test]
async fn a_rooms_name_is_any_text() {
    let name = "a/b #?%>*.ž";
    let api = with_member(name).await;
    let path = "/v1/rooms/a%2Fb%20%23%3F%25%3E*.%C5%BE/messages";
    assert_eq!(api.post(path, hello()).await.0, 200);
    let messages = api.worker.messages.lock().unwrap();
    assert_eq!(messages[0].room.as_ref().unwrap(), &RoomKey::new("/", name));
}

#[tokio::test]
async fn a_name_that_is_not_utf8_or_too_long_is_refused() {
    let api = start().await;
    assert_refused(
        &api.post("/v1/rooms/%FF/messages", hello()).await,
        400,
        "path_invalid",
    );
    let long = format!("/v1/rooms/{}/messages", "x".repeat(257));
    assert_refused(&api.post(&long, hello()).await, 400, "path_invalid");
}

#[tokio::test]
async fn the_same_id_is_published_once() {
    let api = with_member("lobby").await;
    let keyed = |id: &'static str| {
        let request = api.request(Method::POST, "/v1/rooms/lobby/messages");
        answer(request.header("Idempotency-Key", id).json(&hello()))
    };
    let (_, first) = keyed("order-1").await;
    let (_, second) = keyed("order-1").await;
    assert_eq!(
        (&first["id"], &first["duplicate"]),
        (&json!("order-1"), &json!(false))
    );
    assert_eq!(
        (&second["offset"], &second["duplicate"]),
        (&first["offset"], &json!(true))
    );
    let mut body = hello();
    body["id"] = json!("order-1");
    assert_eq!(
        api.post("/v1/rooms/lobby/messages", body).await.1["duplicate"],
        json!(true)
    );
    assert_eq!(api.worker.messages.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn two_ids_for_one_message_are_refused() {
    let api = start().await;
    let mut body = hello();
    body["id"] = json!("b");
    let request = api.request(Method::POST, "/v1/rooms/lobby/messages");
    let answer = answer(request.header("Idempotency-Key", "a").json(&body)).await;
    assert_refused(&answer, 400, "id_conflict");
}

#[tokio::test]
async fn a_room_belongs_to_a_namespace() {
    let api = with_member("lobby").await;
    let path = "/v1/rooms/lobby/messages?namespace=/admin";
    assert_eq!(api.post(path, hello()).await.0, 200);
    assert!(api.worker.messages.lock().unwrap().is_empty());
    let path = "/v1/rooms/lobby/messages?namespace=/other";
    assert_refused(&api.post(path, hello()).await, 404, "namespace_unknown");
}

#[tokio::test]
async fn a_room_that_may_not_be_is_refused() {
    let api = start().await;
    assert_refused(
        &api.post("/v1/rooms/nowhere/messages", hello()).await,
        404,
        "room_unknown",
    );
}

#[tokio::test]
async fn attachments_come_as_base64() {
    let api = with_member("lobby").await;
    let data = json!({"file": {"_placeholder": true, "num": 0}});
    let bytes = [0, 159, 255];
    let body = json!({"event": "e", "data": data, "attachments": [STANDARD.encode(bytes)]});
    assert_eq!(api.post("/v1/rooms/lobby/messages", body).await.0, 200);
    assert_eq!(
        api.worker.messages.lock().unwrap()[0].attachments,
        [&bytes[..]]
    );
    let (_, history) = api.get("/v1/rooms/lobby/history").await;
    assert_eq!(
        history["messages"][0]["attachments"][0],
        json!(STANDARD.encode(bytes))
    );
}

#[tokio::test]
async fn what_a_client_would_choke_on_is_refused() {
    let api = start().await;
    let data = json!([{"_placeholder": true, "num": 1}]);
    for (body, status, code) in [
        (
            json!({"event": "e", "data": data, "attachments": ["AA=="]}),
            422,
            "placeholder_invalid",
        ),
        (
            json!({"event": "e", "data": 1, "attachments": ["%"]}),
            422,
            "attachment_invalid",
        ),
        (
            json!({"event": "e", "data": 1, "attachments": vec!["AA=="; 33]}),
            422,
            "attachments_too_many",
        ),
        (
            json!({"event": "disconnect", "data": 1}),
            422,
            "event_reserved",
        ),
        (json!({"event": "", "data": 1}), 422, "body_invalid"),
        (json!({"event": "e"}), 422, "body_invalid"),
        (
            json!({"event": "e", "data": 1, "room": "r"}),
            422,
            "body_invalid",
        ),
        (
            json!({"event": "typed", "data": 1}),
            422,
            "schema_violation",
        ),
    ] {
        assert_refused(
            &api.post("/v1/rooms/lobby/messages", body).await,
            status,
            code,
        );
    }
    let nested = format!(
        r#"{{"event":"e","data":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let request = api
        .request(Method::POST, "/v1/rooms/lobby/messages")
        .body(nested);
    assert_refused(&answer(request).await, 422, "data_invalid");
    let request = api
        .request(Method::POST, "/v1/rooms/lobby/messages")
        .body("{");
    assert_refused(&answer(request).await, 400, "json_invalid");
}

#[tokio::test]
async fn a_room_that_is_published_to_too_fast_says_when_to_return() {
    let api = start().await;
    let response = loop {
        let request = api
            .request(Method::POST, "/v1/rooms/slow/messages")
            .json(&hello());
        let response = request.send().await.unwrap();
        if response.status() != 200 {
            break response;
        }
    };
    assert_eq!(response.headers()["retry-after"], "1");
    let answer = (response.status(), response.json().await.unwrap());
    assert_refused(&answer, 429, "room_rate_limited");
}

#[tokio::test]
async fn an_overloaded_gateway_says_so() {
    let api = with_member("lobby").await;
    *api.worker.full.lock().unwrap() = true;
    assert_refused(
        &api.post("/v1/rooms/lobby/messages", hello()).await,
        503,
        "overloaded",
    );
}

#[tokio::test]
async fn a_direct_message_goes_to_all_sessions_of_a_user() {
    let api = start().await;
    for user in ["ann", "ann", "bob"] {
        api.session(user);
    }
    let (_, body) = api.post("/v1/users/ann/messages", hello()).await;
    assert_eq!(body["sessions"], json!(2));
    let commands = api.commands();
    let Command::Send(target, None, message) = &commands[0] else {
        panic!("{commands:?}")
    };
    assert_eq!(
        (target, &*message.event),
        (&Target::User("ann".into()), "hello")
    );
    assert_eq!(json!(message.id), body["id"]);
}

#[tokio::test]
async fn a_broadcast_goes_to_everyone_or_to_one_namespace() {
    let api = start().await;
    api.session("ann");
    let (_, body) = api.post("/v1/messages?namespace=/admin", hello()).await;
    assert_eq!(body["sessions"], json!(1));
    let commands = api.commands();
    let Command::Send(Target::Everyone, Some(namespace), _) = &commands[0] else {
        panic!()
    };
    assert_eq!(&**namespace, "/admin");
    let answer = api.post("/v1/messages?namespace=/other", hello()).await;
    assert_refused(&answer, 404, "namespace_unknown");
}

#[tokio::test]
async fn a_publication_is_counted_once_for_its_room() {
    let api = with_member("lobby").await;
    for _ in 0..2 {
        let body = json!({"event": "hello", "data": 1, "id": "the same"});
        assert_eq!(api.post("/v1/rooms/lobby/messages", body).await.0, 200);
    }
    let counted = api.policy.published.lock().unwrap();
    assert_eq!(*counted, [RoomKey::new("/", "lobby")]);
}
