//! What the application answers, read from the bytes that it sent.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use sluice_codec::sio::{self, MAX_ATTACHMENTS};
use sluice_rooms::check_name;

use crate::{BackendError, Refusal};

/// The most rooms that a session is put into when it connects.
const MAX_ROOMS: usize = 1000;
/// The longest data of a session, in bytes: each session has its own.
const MAX_DATA: usize = 4096;
/// The longest code and message of a refusal, in bytes.
const MAX_CODE: usize = 64;
const MAX_MESSAGE: usize = 1024;

/// The answer to an event, which every client can read.
#[derive(Debug, Clone)]
pub struct EventAnswer {
    /// Its data; `null` where the backend gave none.
    pub data: Box<RawValue>,
    /// Binary attachments, which placeholders in `data` refer to.
    pub attachments: Vec<Bytes>,
}

/// The answer to a session that wants to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectAnswer {
    /// It may.
    Accepted(AcceptedSession),
    /// It may not.
    Refused(Refusal),
}

/// What the backend says of a session that it accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AcceptedSession {
    /// The names of the rooms that it is in from the start.
    pub rooms: Vec<Box<str>>,
    /// Its user, where the backend names one.
    pub user: Option<Box<str>>,
    /// What is said to the backend with each of its events, as JSON.
    pub data: Option<Box<str>>,
    /// When it ends if nothing is done, in seconds since 1970.
    pub expires: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct EventBody {
    data: Option<Box<RawValue>>,
    attachments: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ConnectBody {
    rooms: Vec<Box<str>>,
    user: Option<Box<str>>,
    data: Option<Box<RawValue>>,
    expires: Option<u64>,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: OwnError,
}

#[derive(Deserialize)]
struct OwnError {
    code: Box<str>,
    message: Box<str>,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

impl Default for EventAnswer {
    fn default() -> Self {
        Self {
            data: RawValue::NULL.to_owned(),
            attachments: Vec::new(),
        }
    }
}

impl EventAnswer {
    /// Reads the body of an answer to an event: nothing, or `{"data": …, "attachments": […]}`.
    pub(crate) fn read(body: &[u8]) -> Result<Self, BackendError> {
        let answer: EventBody = parse(body)?;
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
    pub(crate) fn from_reply(body: &[u8]) -> Result<Self, BackendError> {
        Self::read(&accepted(body)?)
    }
}

impl ConnectAnswer {
    /// Reads the body of an answer to a session that wants to begin: nothing, or
    /// `{"rooms": ["…"], "user": "…", "data": …, "expires": …}`, each of which may be missing.
    pub(crate) fn read(body: &[u8]) -> Result<Self, BackendError> {
        let ConnectBody {
            rooms,
            user,
            data,
            expires,
        } = parse(body)?;
        if rooms.len() > MAX_ROOMS {
            return Err(invalid(format!("it names more than {MAX_ROOMS} rooms")));
        }
        for (index, room) in rooms.iter().enumerate() {
            check_name(room).map_err(|error| invalid(format!("rooms[{index}]: {error}")))?;
        }
        if let Some(user) = &user {
            check_name(user).map_err(|error| invalid(format!("user: {error}")))?;
        }
        if data
            .as_ref()
            .is_some_and(|data| data.get().len() > MAX_DATA)
        {
            return Err(invalid(format!("its data has more than {MAX_DATA} bytes")));
        }
        Ok(Self::Accepted(AcceptedSession {
            rooms,
            user,
            data: data.map(text),
            expires,
        }))
    }

    /// Reads an answer that came without a status, as [`EventAnswer::from_reply`] does.
    pub(crate) fn from_reply(body: &[u8]) -> Result<Self, BackendError> {
        Self::or_refused(accepted(body).and_then(|body| Self::read(&body)))
    }

    /// A refusal with a code of the application's own is its answer; one without is an error.
    pub(crate) fn or_refused(answer: Result<Self, BackendError>) -> Result<Self, BackendError> {
        match answer {
            Err(BackendError::Refused { own: Some(own), .. }) => Ok(Self::Refused(*own)),
            other => other,
        }
    }
}

/// The backend's own code, message and data out of a refusal's body:
/// `{"error": {"code": "…", "message": "…", "data": …}}`, the code in snake case.
pub(crate) fn own_error(body: &[u8]) -> Option<Box<Refusal>> {
    let own = serde_json::from_slice::<ErrorBody>(body).ok()?.error;
    let snake = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let fits = (1..=MAX_CODE).contains(&own.code.len()) && own.message.len() <= MAX_MESSAGE;
    // A client that is sent what it cannot read closes its connection.
    let data = own.data.filter(|data| check(data.get(), 0).is_ok());
    (fits && own.code.bytes().all(snake)).then(|| {
        Box::new(Refusal {
            code: own.code,
            message: own.message,
            data: data.map(text),
        })
    })
}

fn text(json: Box<RawValue>) -> Box<str> {
    json.into()
}

/// What an answer without a status says beside whether it is one.
fn accepted(body: &[u8]) -> Result<Vec<u8>, BackendError> {
    let mut fields: BTreeMap<String, Box<RawValue>> = parse(body)?;
    let ok = match fields.remove("ok").as_ref().map(|ok| ok.get()) {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(invalid("ok is neither true nor false".to_owned())),
    };
    if !ok || fields.contains_key("error") {
        let own = own_error(body);
        return Err(BackendError::Refused { status: None, own });
    }
    // Texts and raw JSON can always be written.
    Ok(serde_json::to_vec(&fields).unwrap_or_default())
}

fn parse<T: for<'de> Deserialize<'de> + Default>(body: &[u8]) -> Result<T, BackendError> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body)
        .map_err(|error| invalid(format!("it is not the JSON asked for: {error}")))
}

fn decode(attachment: &String) -> Result<Bytes, BackendError> {
    let bytes = STANDARD.decode(attachment);
    bytes
        .map(Bytes::from)
        .map_err(|error| invalid(format!("an attachment is not base64: {error}")))
}

/// A client that is sent what it cannot read closes its connection.
fn check(data: &str, attachments: usize) -> Result<(), BackendError> {
    let read = sio::ack_args(&format!("[{data}]")).map(drop);
    let placed = if attachments > 0 {
        sio::placeholders(data, attachments)
    } else {
        Ok(())
    };
    read.and(placed)
        .map_err(|error| invalid(format!("clients could not read its data: {error}")))
}

fn invalid(what: String) -> BackendError {
    BackendError::AnswerInvalid(what)
}
