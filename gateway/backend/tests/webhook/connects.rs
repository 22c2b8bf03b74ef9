use serde_json::{json, value::RawValue};
use sluice_backend::{AcceptedSession, BackendError, ConnectAnswer, ConnectRequest, Refusal};
use sluice_rooms::Pid;

use crate::backend::both;

fn request() -> ConnectRequest {
    ConnectRequest {
        namespace: "/".into(),
        user: "ann".into(),
        session: Pid::random().session(),
        recovered: false,
        protocol: "socketio",
        handshake: None,
        claims: Some(RawValue::from_string(r#"{"sub":"ann"}"#.into()).unwrap()),
    }
}

#[tokio::test]
async fn an_accepted_session_gets_its_rooms() {
    let (backend, webhook) = both().await;
    backend.answer(200, r#"{"rooms":["lobby","team-7"]}"#);
    let request = request();
    let session = request.session;
    let rooms = vec!["lobby".into(), "team-7".into()];
    assert_eq!(
        webhook.connect(request).await,
        Ok(ConnectAnswer::Accepted(AcceptedSession {
            rooms,
            ..AcceptedSession::default()
        }))
    );
    let expected = json!({
        "type": "connect", "namespace": "/", "user": "ann", "session": session,
        "recovered": false, "protocol": "socketio", "claims": {"sub": "ann"},
    });
    assert_eq!(backend.bodies(), [expected]);
}

#[tokio::test]
async fn a_refused_session_gets_the_backends_reason() {
    let (backend, webhook) = both().await;
    backend.answer(
        403,
        r#"{"error":{"code":"banned","message":"You are banned."}}"#,
    );
    let refused = ConnectAnswer::Refused(Refusal {
        code: "banned".into(),
        message: "You are banned.".into(),
        data: None,
    });
    assert_eq!(webhook.connect(request()).await, Ok(refused));
}

#[tokio::test]
async fn a_refusal_without_a_reason_is_an_error() {
    let (backend, webhook) = both().await;
    backend.answer(404, "not found");
    let error = webhook.connect(request()).await.unwrap_err();
    assert_eq!(
        error,
        BackendError::Refused {
            status: Some(404),
            own: None
        }
    );
}

#[tokio::test]
async fn a_room_without_a_name_is_not_joined() {
    let (backend, webhook) = both().await;
    backend.answer(200, r#"{"rooms":[""]}"#);
    let error = webhook.connect(request()).await.unwrap_err();
    assert!(matches!(error, BackendError::AnswerInvalid(what) if what.contains("rooms[0]")));
}
