use serde_json::json;
use sluice_backbone::{Command, Target};

use crate::harness::{assert_refused, start};

#[tokio::test]
async fn a_user_is_put_into_a_room_and_taken_out() {
    let api = start().await;
    api.session("ann");
    assert_eq!(
        api.put("/v1/rooms/vip/users/ann").await.1["sessions"],
        json!(1)
    );
    assert_eq!(
        api.delete("/v1/rooms/vip/users/ann").await.1["sessions"],
        json!(1)
    );
    let ann = Target::User("ann".into());
    let commands = api.commands();
    assert!(
        matches!(&commands[0], Command::Join(target, room) if *target == ann && **room == *"vip")
    );
    assert!(
        matches!(&commands[1], Command::Leave(target, room) if *target == ann && **room == *"vip")
    );
}

#[tokio::test]
async fn a_session_is_put_into_a_room_and_taken_out() {
    let api = start().await;
    let ann = api.session("ann");
    let path = format!("/v1/rooms/vip/sessions/{ann}");
    assert_eq!(api.put(&path).await.1["sessions"], json!(1));
    assert_eq!(api.delete(&path).await.1["sessions"], json!(1));
    let commands = api.commands();
    assert!(matches!(&commands[0], Command::Join(Target::Session(session), _) if *session == ann));
    assert!(matches!(&commands[1], Command::Leave(Target::Session(session), _) if *session == ann));
}

#[tokio::test]
async fn what_is_no_session_id_is_refused() {
    let api = start().await;
    assert_refused(&api.delete("/v1/sessions/ann").await, 400, "path_invalid");
}

#[tokio::test]
async fn sessions_are_disconnected_with_a_reason() {
    let api = start().await;
    let ann = api.session("ann");
    let (_, body) = api
        .delete("/v1/users/ann/sessions?reason=closing%20time")
        .await;
    assert_eq!(body, json!({"ok": true, "sessions": 1}));
    api.delete(&format!("/v1/sessions/{ann}")).await;
    let commands = api.commands();
    assert!(
        matches!(&commands[0], Command::Disconnect(Target::User(_), reason) if **reason == *"closing time")
    );
    assert!(
        matches!(&commands[1], Command::Disconnect(Target::Session(_), reason) if !reason.is_empty())
    );
}

#[tokio::test]
async fn a_reason_fits_into_a_close_frame() {
    let api = start().await;
    let path = format!("/v1/users/ann/sessions?reason={}", "x".repeat(124));
    assert_refused(&api.delete(&path).await, 400, "reason_too_long");
    assert_refused(
        &api.delete("/v1/users/ann/sessions?why=x").await,
        400,
        "query_invalid",
    );
}

#[tokio::test]
async fn a_user_who_is_not_connected_has_no_sessions() {
    let api = start().await;
    assert_eq!(
        api.delete("/v1/users/ann/sessions").await.1,
        json!({"ok": true, "sessions": 0})
    );
}
