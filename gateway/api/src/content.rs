//! What is published, checked as if a client had sent it.

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use sluice_codec::sio::{self, MAX_ATTACHMENTS};
use sluice_contract::Code;

use crate::{Refusal, extract::Name};

/// The header that can carry a message's id.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// An event and its data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Message")]
pub(crate) struct MessageBody {
    /// The event's name, as clients listen for it.
    event: Name,
    /// Its data, any JSON. `{"_placeholder":true,"num":0}` stands for the first attachment.
    #[schemars(with = "serde_json::Value")]
    data: Box<RawValue>,
    /// The message's id; the same one twice is stored once in a room with history. The header
    /// `Idempotency-Key` is the same.
    id: Option<Name>,
    /// Binary attachments, each as base64.
    #[serde(default)]
    attachments: Vec<String>,
}

/// A message that every client can read.
pub(crate) struct Content {
    pub(crate) event: Box<str>,
    pub(crate) data: Box<str>,
    pub(crate) attachments: Vec<Bytes>,
    pub(crate) id: Option<Box<str>>,
}

impl MessageBody {
    /// Refuses what a client would choke on.
    pub(crate) fn check(self, headers: &HeaderMap) -> Result<Content, Refusal> {
        let id = id(self.id, headers)?;
        if self.attachments.len() > MAX_ATTACHMENTS {
            let message =
                format!("a message carries at most {MAX_ATTACHMENTS} attachments; send fewer");
            return Err(Refusal::new(Code::AttachmentsTooMany, message));
        }
        let attachments = self
            .attachments
            .iter()
            .enumerate()
            .map(decode)
            .collect::<Result<Vec<_>, _>>()?;
        let event = self.event.0;
        let data = Box::<str>::from(self.data);
        check_payload(&event, &data, attachments.len())?;
        Ok(Content {
            event: event.as_ref().into(),
            data,
            attachments,
            id,
        })
    }
}

fn check_payload(event: &str, data: &str, attachments: usize) -> Result<(), Refusal> {
    let payload = format!("[{},{data}]", serde_json::Value::from(event));
    let checked = sio::args(&payload).map(drop).and_then(|()| {
        if attachments > 0 {
            sio::placeholders(data, attachments)
        } else {
            Ok(())
        }
    });
    checked.map_err(|error| match error {
        sio::Error::ReservedEvent => Refusal::new(Code::EventReserved,
            format!("the event's name {event} has a meaning of its own in Socket.IO; choose another one"),
        ),
        sio::Error::InvalidPlaceholder => Refusal::new(Code::PlaceholderInvalid,
            format!("data refers to an attachment that is not there; there are {attachments}, counted from 0"),
        ),
        _ => Refusal::new(Code::DataInvalid, format!("clients could not read the data: {error}")),
    })
}

fn decode((index, attachment): (usize, &String)) -> Result<Bytes, Refusal> {
    STANDARD
        .decode(attachment)
        .map(Bytes::from)
        .map_err(|error| {
            let message =
                format!("attachments[{index}] is not base64 (RFC 4648 section 4, padded): {error}");
            Refusal::new(Code::AttachmentInvalid, message)
        })
}

fn id(body: Option<Name>, headers: &HeaderMap) -> Result<Option<Box<str>>, Refusal> {
    let body = body.map(|name| Box::<str>::from(&*name.0));
    let Some(header) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(body);
    };
    let header = std::str::from_utf8(header.as_bytes())
        .ok()
        .and_then(|id| sluice_rooms::check_name(id).ok())
        .map(Box::<str>::from)
        .ok_or_else(|| {
            let message = "Idempotency-Key is not 1 to 256 bytes of UTF-8; send a shorter one";
            Refusal::new(Code::IdInvalid, message)
        })?;
    match body {
        Some(body) if body != header => Err(Refusal::new(
            Code::IdConflict,
            "the body's id and Idempotency-Key differ; send one of them, or the same in both",
        )),
        _ => Ok(Some(header)),
    }
}
