use super::*;

fn refused(body: &str) -> String {
    match EventAnswer::read(body.as_bytes()) {
        Err(BackendError::AnswerInvalid(what)) => what,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn an_answer_carries_data_and_attachments() {
    let body = br#"{"data":{"_placeholder":true,"num":0},"attachments":["AQI="]}"#;
    let answer = EventAnswer::read(body).unwrap();
    assert_eq!(answer.attachments, [&[1, 2][..]]);
    assert_eq!(EventAnswer::read(b"").unwrap().data.get(), "null");
    assert_eq!(EventAnswer::read(b"{}").unwrap().data.get(), "null");
    assert_eq!(
        EventAnswer::read(br#"{"data":[1]}"#).unwrap().data.get(),
        "[1]"
    );
}

#[test]
fn an_answer_without_a_status_says_itself_whether_it_is_a_refusal() {
    let answer = EventAnswer::from_reply(br#"{"ok":true,"data":[1]}"#).unwrap();
    assert_eq!(answer.data.get(), "[1]");
    assert_eq!(EventAnswer::from_reply(b"").unwrap().data.get(), "null");
    let own = Some(Box::new(Refusal {
        code: "sold_out".into(),
        message: "Nothing is left.".into(),
        data: None,
    }));
    let text = r#"{"ok":false,"error":{"code":"sold_out","message":"Nothing is left."}}"#;
    for (body, own) in [
        (text, own),
        (r#"{"ok":false}"#, None),
        (r#"{"error":1}"#, None),
    ] {
        let refused = BackendError::Refused { status: None, own };
        assert_eq!(
            EventAnswer::from_reply(body.as_bytes()).unwrap_err(),
            refused,
            "{body}"
        );
    }
    assert!(matches!(
        ConnectAnswer::from_reply(text.as_bytes()),
        Ok(ConnectAnswer::Refused(_))
    ));
    for body in [r#"{"ok":1}"#, r#"{"ok":true,"text":1}"#, "[]"] {
        let error = EventAnswer::from_reply(body.as_bytes()).unwrap_err();
        assert!(matches!(error, BackendError::AnswerInvalid(_)), "{body}");
    }
}

#[test]
fn what_clients_could_not_read_is_refused() {
    assert!(refused("OK").contains("JSON"));
    assert!(refused(r#"{"text":"hello"}"#).contains("text"));
    assert!(refused(r#"{"data":1,"attachments":["%"]}"#).contains("base64"));
    let misplaced = r#"{"data":{"_placeholder":true,"num":1},"attachments":["AQI="]}"#;
    assert!(refused(misplaced).contains("attachment"));
    assert!(
        refused(&format!(
            r#"{{"data":{}{}}}"#,
            "[".repeat(500),
            "]".repeat(500)
        ))
        .contains("deep")
    );
}

#[test]
fn an_accepted_session_has_rooms_with_names() {
    let rooms = vec!["lobby".into()];
    assert_eq!(
        ConnectAnswer::read(br#"{"rooms":["lobby"]}"#),
        Ok(ConnectAnswer::Accepted(AcceptedSession {
            rooms,
            ..AcceptedSession::default()
        }))
    );
    assert_eq!(
        ConnectAnswer::read(b""),
        Ok(ConnectAnswer::Accepted(AcceptedSession::default()))
    );
    assert!(ConnectAnswer::read(br#"{"rooms":[""]}"#).is_err());
}

#[test]
fn a_backends_own_error_passes_if_it_is_one() {
    let own = own_error(br#"{"error":{"code":"sold_out","message":"Nothing is left."}}"#);
    let refusal = |data: Option<&str>| Refusal {
        code: "sold_out".into(),
        message: "Nothing is left.".into(),
        data: data.map(Box::from),
    };
    assert_eq!(own, Some(refusal(None).into()));
    for (data, passes) in [(r#"{"left":0}"#, true), ("null", false)] {
        let error = format!(
            r#"{{"error":{{"code":"sold_out","message":"Nothing is left.","data":{data}}}}}"#
        );
        let wanted = refusal(passes.then_some(data));
        assert_eq!(own_error(error.as_bytes()), Some(wanted.into()), "{data}");
    }
    for body in [
        "",
        "no",
        "{}",
        r#"{"error":"no"}"#,
        r#"{"error":{"code":"Not Snake","message":""}}"#,
    ] {
        assert_eq!(own_error(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn an_accepted_session_has_what_the_backend_says_of_it() {
    let answer = br#"{"user":"ann","data":{"cart": 7},"expires":1763912345}"#;
    let accepted = AcceptedSession {
        user: Some("ann".into()),
        data: Some(r#"{"cart": 7}"#.into()),
        expires: Some(1_763_912_345),
        ..AcceptedSession::default()
    };
    let read = ConnectAnswer::read(answer);
    assert_eq!(read, Ok(ConnectAnswer::Accepted(accepted)));
    let large = format!(r#"{{"data":"{}"}}"#, "x".repeat(4096));
    for body in [r#"{"user":""}"#, r#"{"expires":"soon"}"#, &large] {
        assert!(ConnectAnswer::read(body.as_bytes()).is_err(), "{body}");
    }
}
