//! What operations answer, as JSON.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use sluice_rooms::{Message, SessionId};

use crate::failure::Failure;

/// A successful answer's own members.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Success {
    Done {},
    Joined {
        room: Arc<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
        offset: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        recovered: Option<bool>,
    },
    Published {
        #[serde(rename = "messageId")]
        id: Box<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        offset: Option<u64>,
    },
    Members {
        users: Vec<Arc<str>>,
        count: usize,
    },
    History {
        messages: Vec<Past>,
        epoch: String,
        truncated: bool,
        /// Whether there are more messages than an answer holds, of those that were asked for.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        more: bool,
    },
    Refreshed {
        expires: u64,
    },
    Backend {
        data: Box<RawValue>,
        /// Beside the JSON in Socket.IO, and in base64 in the plain protocol.
        #[serde(skip)]
        attachments: Vec<Bytes>,
    },
    Connected {
        session: String,
        user: Arc<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<String>,
        recovered: bool,
        #[serde(rename = "pingInterval")]
        ping_interval: u64,
    },
}

impl Success {
    /// Whether it says how far something reaches, or who is there: it is true only behind all that
    /// was accepted before it.
    pub(crate) fn has_place(&self) -> bool {
        match self {
            Self::Published { offset, .. } => offset.is_some(),
            Self::Members { .. } | Self::History { .. } => true,
            _ => false,
        }
    }
}

/// A message of a history.
#[derive(Debug, Serialize)]
pub(crate) struct Past {
    event: Box<str>,
    data: Box<RawValue>,
    meta: Meta,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
}

/// What every message says of itself.
#[derive(Debug, Serialize)]
pub(crate) struct Meta {
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Arc<str>>,
    id: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    time: u64,
}

impl From<&Message> for Meta {
    fn from(message: &Message) -> Self {
        Self {
            room: message.room.as_ref().map(|room| Arc::clone(&room.name)),
            from: message.from.clone(),
            id: message.id.clone(),
            offset: message.position.map(|position| position.offset),
            time: message.time,
        }
    }
}

impl From<&Message> for Past {
    fn from(message: &Message) -> Self {
        Self {
            event: message.event.clone(),
            data: raw(&message.data),
            meta: message.into(),
            attachments: base64(&message.attachments),
        }
    }
}

/// Attachments in base64, for JSON.
pub(crate) fn base64(attachments: &[Bytes]) -> Vec<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    attachments
        .iter()
        .map(|attachment| STANDARD.encode(attachment))
        .collect()
}

/// The attachments that placeholders in an answer refer to.
pub(crate) fn attachments(outcome: &Outcome) -> Vec<Bytes> {
    match outcome {
        Ok(Success::Backend { attachments, .. }) => attachments.clone(),
        _ => Vec::new(),
    }
}

/// What an application's acknowledgement is in the plain protocol: its first argument is the data.
pub(crate) fn of_application(array: &str, attachments: &[Bytes]) -> Success {
    let args = sluice_codec::sio::ack_args(array);
    let first = args
        .ok()
        .and_then(|args| args.first().map(|arg| raw(arg.get())));
    Success::Backend {
        data: first.unwrap_or_default(),
        attachments: attachments.to_vec(),
    }
}

/// JSON text as a raw value; what is no JSON becomes `null`.
pub(crate) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap_or_default()
}

/// An operation's result.
pub(crate) type Outcome = Result<Success, Failure>;

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Good {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RawValue>,
        ok: bool,
        #[serde(flatten)]
        success: &'a Success,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<String>,
    },
    Bad {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RawValue>,
        ok: bool,
        error: &'a Failure,
    },
}

/// A result as the one JSON object that answers it; `id` is the request's in the plain protocol.
pub(crate) fn json(outcome: &Outcome, id: Option<&RawValue>) -> String {
    if let (
        Ok(Success::Published {
            id: message,
            offset,
        }),
        None,
    ) = (outcome, id)
    {
        return published(message, *offset);
    }
    let body = match outcome {
        Ok(success) => {
            let attachments = if id.is_some() {
                base64(&attachments(outcome))
            } else {
                Vec::new()
            };
            Body::Good {
                id,
                ok: true,
                success,
                attachments,
            }
        }
        Err(error) => Body::Bad {
            id,
            ok: false,
            error,
        },
    };
    serde_json::to_string(&body).unwrap_or_else(|_| r#"{"ok":false}"#.to_owned())
}

/// The most frequent answer, written without the detour that flattening takes.
fn published(id: &str, offset: Option<u64>) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(64);
    out.push_str(r#"{"ok":true,"id":"#);
    out.push_str(&serde_json::to_string(id).unwrap_or_default());
    if let Some(offset) = offset {
        let _ = write!(out, r#","offset":{offset}"#);
    }
    out.push('}');
    out
}

/// A public session id as clients know it.
pub(crate) fn session(id: SessionId) -> String {
    id.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_its_code_and_message() {
        let json = json(&Err(Failure::RATE), None);
        assert!(json.starts_with(r#"{"ok":false,"error":{"code":"rate_limited","message":"#));
    }

    #[test]
    fn an_answer_repeats_the_requests_id() {
        let id = raw("7");
        assert_eq!(
            json(&Ok(Success::Done {}), Some(&id)),
            r#"{"id":7,"ok":true}"#
        );
    }

    #[test]
    fn a_receipt_reads_the_same_by_either_way() {
        let answer = || {
            Ok(Success::Published {
                id: "a\"b".into(),
                offset: Some(3),
            })
        };
        assert_eq!(
            json(&answer(), None),
            r#"{"ok":true,"id":"a\"b","offset":3}"#
        );
        let id = raw("1");
        // In the plain protocol the request's id comes first, and the message's is `messageId`.
        let plain = json(&answer(), Some(&id));
        assert_eq!(plain, r#"{"id":1,"ok":true,"messageId":"a\"b","offset":3}"#);
    }
}
