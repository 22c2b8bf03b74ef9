//! Reading the plain protocol's frames.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use sluice_codec::sio::{self, MAX_ATTACHMENTS};
use sluice_contract::Code;
use sluice_rooms::{Pid, check_name};

use crate::{
    failure::Failure,
    hub::ClientPosition,
    operation::{
        Content, HistoryOptions, JoinOptions, Operation, Publish, check_content, message_id,
    },
};

/// A request's id, repeated in its answer.
type Id = Option<Box<RawValue>>;

/// The longest request id, so that an answer stays as small as its request.
const MAX_ID: usize = 128;

/// A frame from a client.
pub(super) enum Frame<'a> {
    Connect(Id, Connect<'a>),
    Operation(Id, Operation<'a>),
}

/// The first frame: who the client is, and the session it may have had.
#[derive(Deserialize)]
pub(super) struct Connect<'a> {
    #[serde(borrow)]
    pub(super) token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) namespace: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pid: Option<Cow<'a, str>>,
    /// The `offset` of the last push that had one.
    #[serde(borrow)]
    pub(super) offset: Option<Cow<'a, str>>,
    /// Whatever the backend is to be told.
    #[serde(borrow)]
    auth: Option<&'a RawValue>,
}

impl Connect<'_> {
    pub(super) fn pid(&self) -> Option<Pid> {
        self.pid.as_deref().and_then(Pid::parse)
    }

    /// What it has for the backend, as JSON; empty where it has nothing.
    pub(super) fn auth(&self) -> &str {
        self.auth.map_or("", RawValue::get)
    }

    pub(super) fn position(&self) -> ClientPosition {
        ClientPosition::parse(self.offset.as_deref())
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    op: Option<Cow<'a, str>>,
}

/// All that the operations take; each uses what is its own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    room: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    attachments: Vec<Cow<'a, str>>,
    message_id: Option<Box<str>>,
    echo: Option<bool>,
    after: Option<u64>,
    before: Option<u64>,
    limit: Option<usize>,
    epoch: Option<Box<str>>,
}

impl<'a> Frame<'a> {
    /// Reads a frame, or says what is wrong with it, with the id to answer to.
    pub(super) fn read(text: &'a str) -> Result<Self, (Failure, Id)> {
        let head: Head<'_> = serde_json::from_str(text).map_err(|e| (not_a_frame(&e), None))?;
        let id = head
            .id
            .filter(|id| id.get().len() <= MAX_ID)
            .map(ToOwned::to_owned);
        match Self::read_operation(text, head.op.as_deref(), id.is_some()) {
            Ok(Read::Connect(connect)) => Ok(Self::Connect(id, connect)),
            Ok(Read::Operation(operation)) => Ok(Self::Operation(id, operation)),
            Err(failure) => Err((failure, id)),
        }
    }

    /// The id of a frame that is not read whole.
    pub(super) fn id(text: &str) -> Id {
        let head: Option<Head<'_>> = serde_json::from_str(text).ok();
        let id = head.and_then(|head| head.id);
        id.filter(|id| id.get().len() <= MAX_ID)
            .map(ToOwned::to_owned)
    }

    fn read_operation(text: &'a str, op: Option<&str>, ack: bool) -> Result<Read<'a>, Failure> {
        let op = op.ok_or(Failure::new(
            Code::BadFrame,
            "the frame lacks op, the operation: connect, join, leave, publish and so on",
        ))?;
        if op == "connect" {
            return serde_json::from_str(text)
                .map(Read::Connect)
                .map_err(|e| not_a_frame(&e));
        }
        let fields: Fields<'_> = serde_json::from_str(text).map_err(|e| not_a_frame(&e))?;
        fields.operation(op, ack).map(Read::Operation)
    }
}

/// The id of a frame of which only the beginning is there, where that holds it.
pub(super) fn id_of(head: &str) -> Id {
    let mut rest = head.trim_start().strip_prefix('{')?;
    loop {
        let key = value(&mut rest)?;
        rest = rest.trim_start().strip_prefix(':')?;
        let value = value(&mut rest)?;
        if key.get() == r#""id""# {
            return (value.get().len() <= MAX_ID).then(|| value.to_owned());
        }
        rest = rest.trim_start().strip_prefix(',')?;
    }
}

/// Takes the JSON value that `text` begins with off it.
fn value<'a>(text: &mut &'a str) -> Option<&'a RawValue> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = values.next()?.ok()?;
    *text = text.get(values.byte_offset()..)?;
    Some(value)
}

enum Read<'a> {
    Connect(Connect<'a>),
    Operation(Operation<'a>),
}

fn not_a_frame(error: &serde_json::Error) -> Failure {
    Failure::new(
        Code::BadFrame,
        format!("the frame is not as expected: {error}"),
    )
}

impl<'a> Fields<'a> {
    fn operation(self, op: &str, ack: bool) -> Result<Operation<'a>, Failure> {
        Ok(match op {
            "join" => {
                let from = JoinOptions {
                    after: self.after,
                    epoch: self.epoch.clone(),
                };
                Operation::Join {
                    room: self.room()?,
                    from,
                }
            }
            "leave" => Operation::Leave { room: self.room()? },
            "publish" => {
                let id = message_id(self.message_id.clone())?;
                let (room, echo) = (self.room()?, self.echo.unwrap_or(true));
                Operation::Publish(Publish {
                    room,
                    content: self.content()?,
                    id,
                    echo,
                })
            }
            "direct" => {
                let user = name(self.user.clone(), "user")?;
                Operation::Direct {
                    user,
                    content: self.content()?,
                }
            }
            "broadcast" => Operation::Broadcast {
                content: self.content()?,
            },
            "presence" => Operation::Presence { room: self.room()? },
            "history" => {
                let (after, before, limit) = (self.after, self.before, self.limit);
                let query = HistoryOptions {
                    after,
                    before,
                    limit,
                }
                .into();
                Operation::History {
                    room: self.room()?,
                    query,
                }
            }
            "refresh" => Operation::Refresh {
                token: self.token.ok_or_else(|| lacks("token"))?,
            },
            "ping" => Operation::Ping,
            "emit" => Operation::Emit {
                content: self.content()?,
                ack,
            },
            other => return Err(unknown(other)),
        })
    }

    fn room(&self) -> Result<Cow<'a, str>, Failure> {
        name(self.room.clone(), "room")
    }

    fn content(self) -> Result<Content<'a>, Failure> {
        let event = self.event.ok_or_else(|| lacks("event"))?;
        let event = sio::text(event.get())
            .ok_or_else(|| Failure::new(Code::BadFrame, "the event of a frame must be a string"))?;
        let data = self.data.map_or("null", RawValue::get);
        let attachments = attachments(&self.attachments)?;
        check_content(&event, data, attachments.len())?;
        Ok(Content {
            event,
            data: data.into(),
            attachments,
        })
    }
}

fn name<'a>(name: Option<Cow<'a, str>>, field: &str) -> Result<Cow<'a, str>, Failure> {
    let name = name.ok_or_else(|| lacks(field))?;
    check_name(&name)?;
    Ok(name)
}

fn lacks(field: &str) -> Failure {
    Failure::arguments(format!("the frame lacks {field}"))
}

fn unknown(op: &str) -> Failure {
    let op: String = op.chars().take(32).collect();
    let message =
        format!("there is no operation {op}; send events of the application with op emit");
    Failure::new(Code::UnknownOperation, message)
}

fn attachments(base64: &[Cow<'_, str>]) -> Result<Vec<Bytes>, Failure> {
    if base64.len() > MAX_ATTACHMENTS {
        return Err(Failure::arguments(
            "the frame has more attachments than allowed; send 32 at most",
        ));
    }
    let decode = |text: &Cow<'_, str>| STANDARD.decode(&**text).map(Bytes::from);
    base64
        .iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::arguments("an attachment is not base64 with padding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> (String, Option<String>) {
        match Frame::read(text) {
            Err((failure, id)) => (failure.code().to_owned(), id.map(|id| id.get().to_owned())),
            Ok(_) => panic!("{text} was read"),
        }
    }

    #[test]
    fn a_publish_takes_its_fields() {
        let text = r#"{"id":3,"op":"publish","room":"r","event":"e","data":{"a":1},"messageId":"m","echo":false}"#;
        let Ok(Frame::Operation(Some(id), Operation::Publish(publish))) = Frame::read(text) else {
            panic!("refused")
        };
        assert_eq!(
            (id.get(), &*publish.room, &*publish.content.data),
            ("3", "r", r#"{"a":1}"#)
        );
        assert_eq!((publish.id.as_deref(), publish.echo), (Some("m"), false));
    }

    #[test]
    fn the_id_of_a_frame_that_is_cut_off_is_found_where_it_comes_before_the_cut() {
        let whole =
            r#" { "op" : "publish", "data": {"id": 4, "a": [1, "}"]}, "id": "x7", "more": "..."#;
        let id = |text: &str| id_of(text).map(|id| id.get().to_owned());
        assert_eq!(id(whole).as_deref(), Some(r#""x7""#));
        let before = whole.find(r#""x7""#).unwrap();
        for cut in 0..before + 4 {
            assert_eq!(id(&whole[..cut]), None, "{cut}");
        }
        for text in ["[1]", "{", "{}", r#"{"id"}"#, r#"{"id":}"#] {
            assert_eq!(id(text), None, "{text}");
        }
        assert_eq!(id(&format!(r#"{{"id":"{}","#, "i".repeat(MAX_ID))), None);
    }

    #[test]
    fn what_no_rust_type_holds_passes_as_data() {
        for data in [r#""a\ud83d""#, "1e400", r#"{"\udc00":[-1e999]}"#] {
            let text = format!(
                r#"{{"op":"publish","room":"r","event":"e","data":[{data},{{"_placeholder":true,"num":0}}],"attachments":["AQ=="]}}"#
            );
            let Ok(Frame::Operation(_, Operation::Publish(publish))) = Frame::read(&text) else {
                panic!("{data} is refused")
            };
            assert!(publish.content.data.contains(data));
        }
    }

    #[test]
    fn a_connect_names_the_session_it_had() {
        let pid = Pid::random();
        let text = format!(
            r#"{{"id":1,"op":"connect","token":"t","pid":"{}"}}"#,
            pid.reveal()
        );
        let Ok(Frame::Connect(_, connect)) = Frame::read(&text) else {
            panic!("refused")
        };
        assert_eq!(
            (connect.token.as_deref(), connect.pid()),
            (Some("t"), Some(pid))
        );
    }

    #[test]
    fn what_is_wrong_is_answered_to_the_requests_id() {
        assert_eq!(
            failure(r#"{"id":1}"#),
            ("bad_frame".into(), Some("1".into()))
        );
        assert_eq!(failure("nonsense"), ("bad_frame".into(), None));
        assert_eq!(failure(r#"{"id":2,"op":"fly"}"#).0, "unknown_operation");
        assert_eq!(
            failure(r#"{"id":2,"op":"join"}"#),
            ("bad_arguments".into(), Some("2".into()))
        );
        assert_eq!(failure(r#"{"op":"join","room":""}"#).0, "bad_name");
    }

    #[test]
    fn attachments_are_base64_and_few() {
        let frame = |list: &str| {
            format!(r#"{{"op":"publish","room":"r","event":"e","attachments":[{list}]}}"#)
        };
        assert!(Frame::read(&frame(r#""AQID""#)).is_ok());
        assert_eq!(failure(&frame(r#""!""#)).0, "bad_arguments");
        assert_eq!(
            failure(&frame(&vec![r#""AQID""#; 33].join(","))).0,
            "bad_arguments"
        );
    }
}
