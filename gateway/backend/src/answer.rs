//! What the backend says.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use sluice_codec::sio::{self, MAX_ATTACHMENTS};
use sluice_rooms::check_name;

use crate::WebhookError;

/// The most rooms that a session is put into when it connects.
const MAX_ROOMS: usize = 1000;
/// The longest code and message of a refusal, in bytes.
const MAX_CODE: usize = 64;
const MAX_MESSAGE: usize = 1024;

/// The answer to an event, which every client can read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its data; `null` where the backend gave none.
    pub data: Box<RawValue>,
    /// Binary attachments, which placeholders in `data` refer to.
    pub attachments: Vec<Bytes>,
}

/// The answer to a session that wants to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connect {
    /// It may, and is in these rooms from the start.
    Accepted {
        /// The rooms' names.
        rooms: Vec<Box<str>>,
    },
    /// It may not.
    Refused {
        /// For programs; the backend's own.
        code: Box<str>,
        /// For people.
        message: Box<str>,
    },
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct EventAnswer {
    data: Option<Box<RawValue>>,
    attachments: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ConnectAnswer {
    rooms: Vec<Box<str>>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: OwnError,
}

#[derive(Deserialize)]
struct OwnError {
    code: Box<str>,
    message: Box<str>,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            data: RawValue::NULL.to_owned(),
            attachments: Vec::new(),
        }
    }
}

impl Answer {
    /// Reads the body of an answer to an event: nothing, or `{"data": …, "attachments": […]}`.
    pub(crate) fn read(body: &[u8]) -> Result<Self, WebhookError> {
        let answer: EventAnswer = parse(body)?;
        if answer.attachments.len() > MAX_ATTACHMENTS {
            return Err(invalid(format!(
                "it has more than {MAX_ATTACHMENTS} attachments"
            )));
        }
        let attachments = answer
            .attachments
            .iter()
            .map(decode)
            .collect::<Result<Vec<_>, _>>()?;
        let data = answer.data.unwrap_or_else(|| RawValue::NULL.to_owned());
        check(data.get(), attachments.len())?;
        Ok(Self { data, attachments })
    }

    /// Reads an answer that came without a status: the same, or with `"ok": true`; a refusal has
    /// `"ok": false` or an `error`.
    pub fn from_reply(body: &[u8]) -> Result<Self, WebhookError> {
        Self::read(&accepted(body)?)
    }
}

impl Connect {
    /// Reads the body of an answer to a session that wants to begin: nothing, or
    /// `{"rooms": ["…"]}`.
    pub(crate) fn read(body: &[u8]) -> Result<Self, WebhookError> {
        let ConnectAnswer { rooms } = parse(body)?;
        if rooms.len() > MAX_ROOMS {
            return Err(invalid(format!("it names more than {MAX_ROOMS} rooms")));
        }
        for (index, room) in rooms.iter().enumerate() {
            check_name(room).map_err(|error| invalid(format!("rooms[{index}]: {error}")))?;
        }
        Ok(Self::Accepted { rooms })
    }

    /// Reads an answer that came without a status, as [`Answer::from_reply`] does.
    pub fn from_reply(body: &[u8]) -> Result<Self, WebhookError> {
        match accepted(body).and_then(|body| Self::read(&body)) {
            Err(WebhookError::Refused {
                own: Some((code, message)),
                ..
            }) => Ok(Self::Refused { code, message }),
            other => other,
        }
    }
}

/// The backend's own code and message out of a refusal's body:
/// `{"error": {"code": "…", "message": "…"}}`, the code in snake case.
pub(crate) fn own_error(body: &[u8]) -> Option<(Box<str>, Box<str>)> {
    let OwnError { code, message } = serde_json::from_slice::<ErrorAnswer>(body).ok()?.error;
    let snake = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let fits = (1..=MAX_CODE).contains(&code.len()) && message.len() <= MAX_MESSAGE;
    (fits && code.bytes().all(snake)).then_some((code, message))
}

/// What an answer without a status says beside whether it is one.
fn accepted(body: &[u8]) -> Result<Vec<u8>, WebhookError> {
    let mut fields: BTreeMap<String, Box<RawValue>> = parse(body)?;
    let ok = match fields.remove("ok").as_ref().map(|ok| ok.get()) {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(invalid("ok is neither true nor false".to_owned())),
    };
    if !ok || fields.contains_key("error") {
        let own = own_error(body);
        return Err(WebhookError::Refused { status: None, own });
    }
    // Texts and raw JSON can always be written.
    Ok(serde_json::to_vec(&fields).unwrap_or_default())
}

fn parse<T: for<'de> Deserialize<'de> + Default>(body: &[u8]) -> Result<T, WebhookError> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body)
        .map_err(|error| invalid(format!("it is not the JSON asked for: {error}")))
}

fn decode(attachment: &String) -> Result<Bytes, WebhookError> {
    let bytes = STANDARD.decode(attachment);
    bytes
        .map(Bytes::from)
        .map_err(|error| invalid(format!("an attachment is not base64: {error}")))
}

/// A client that is sent what it cannot read closes its connection.
fn check(data: &str, attachments: usize) -> Result<(), WebhookError> {
    let read = sio::ack_args(&format!("[{data}]")).map(drop);
    let placed = if attachments > 0 {
        sio::placeholders(data, attachments)
    } else {
        Ok(())
    };
    read.and(placed)
        .map_err(|error| invalid(format!("clients could not read its data: {error}")))
}

fn invalid(what: String) -> WebhookError {
    WebhookError::AnswerInvalid(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        match Answer::read(body.as_bytes()) {
            Err(WebhookError::AnswerInvalid(what)) => what,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn an_answer_carries_data_and_attachments() {
        let body = br#"{"data":{"_placeholder":true,"num":0},"attachments":["AQI="]}"#;
        let answer = Answer::read(body).unwrap();
        assert_eq!(answer.attachments, [&[1, 2][..]]);
        assert_eq!(Answer::read(b"").unwrap().data.get(), "null");
        assert_eq!(Answer::read(b"{}").unwrap().data.get(), "null");
        assert_eq!(Answer::read(br#"{"data":[1]}"#).unwrap().data.get(), "[1]");
    }

    #[test]
    fn an_answer_without_a_status_says_itself_whether_it_is_a_refusal() {
        let answer = Answer::from_reply(br#"{"ok":true,"data":[1]}"#).unwrap();
        assert_eq!(answer.data.get(), "[1]");
        assert_eq!(Answer::from_reply(b"").unwrap().data.get(), "null");
        let own = Some(("sold_out".into(), "Nothing is left.".into()));
        let text = r#"{"ok":false,"error":{"code":"sold_out","message":"Nothing is left."}}"#;
        for (body, own) in [
            (text, own),
            (r#"{"ok":false}"#, None),
            (r#"{"error":1}"#, None),
        ] {
            let refused = WebhookError::Refused { status: None, own };
            assert_eq!(
                Answer::from_reply(body.as_bytes()).unwrap_err(),
                refused,
                "{body}"
            );
        }
        assert!(matches!(
            Connect::from_reply(text.as_bytes()),
            Ok(Connect::Refused { .. })
        ));
        for body in [r#"{"ok":1}"#, r#"{"ok":true,"text":1}"#, "[]"] {
            let error = Answer::from_reply(body.as_bytes()).unwrap_err();
            assert!(matches!(error, WebhookError::AnswerInvalid(_)), "{body}");
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
            Connect::read(br#"{"rooms":["lobby"]}"#),
            Ok(Connect::Accepted { rooms })
        );
        assert_eq!(Connect::read(b""), Ok(Connect::Accepted { rooms: vec![] }));
        assert!(Connect::read(br#"{"rooms":[""]}"#).is_err());
    }

    #[test]
    fn a_backends_own_error_passes_if_it_is_one() {
        let own = own_error(br#"{"error":{"code":"sold_out","message":"Nothing is left."}}"#);
        assert_eq!(own, Some(("sold_out".into(), "Nothing is left.".into())));
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
}
