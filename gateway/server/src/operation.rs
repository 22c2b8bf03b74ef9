//! What a client can ask for, in both protocols.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use sluice_codec::sio;
use sluice_rooms::{Query, check_name};

use crate::failure::Failure;

/// The most messages in one answer to `history`.
pub(crate) const MAX_PAGE: usize = 1_000;

/// How many messages `history` answers where the client does not say.
const DEFAULT_PAGE: usize = 50;

/// An operation with its arguments.
#[derive(Debug)]
pub(crate) enum Operation<'a> {
    Join {
        room: Cow<'a, str>,
        from: JoinOptions,
    },
    Leave {
        room: Cow<'a, str>,
    },
    Publish(Publish<'a>),
    Direct {
        user: Cow<'a, str>,
        content: Content<'a>,
    },
    Broadcast {
        content: Content<'a>,
    },
    Presence {
        room: Cow<'a, str>,
    },
    History {
        room: Cow<'a, str>,
        query: Query,
    },
    Refresh {
        token: Cow<'a, str>,
    },
    /// Asks whether the gateway is there. Only the plain protocol has it: a browser's program sees
    /// no WebSocket pings, and in Socket.IO `ping` is an event like others.
    Ping,
    /// An event for the application's backend.
    Emit {
        content: Content<'a>,
        ack: bool,
    },
}

/// An event with its data.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    pub(crate) event: Cow<'a, str>,
    pub(crate) data: Cow<'a, str>,
    pub(crate) attachments: Vec<Bytes>,
}

/// A message for a room.
#[derive(Debug)]
pub(crate) struct Publish<'a> {
    pub(crate) room: Cow<'a, str>,
    pub(crate) content: Content<'a>,
    pub(crate) id: Option<Box<str>>,
    pub(crate) echo: bool,
}

/// Where a member goes on reading.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct JoinOptions {
    pub(crate) after: Option<u64>,
    pub(crate) epoch: Option<Box<str>>,
}

/// What `publish` takes beside the message.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PublishOptions {
    pub(crate) id: Option<Box<str>>,
    pub(crate) echo: Option<bool>,
}

/// Which part of a history is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct HistoryOptions {
    pub(crate) after: Option<u64>,
    pub(crate) before: Option<u64>,
    pub(crate) limit: Option<usize>,
}

impl From<HistoryOptions> for Query {
    fn from(options: HistoryOptions) -> Self {
        let limit = options.limit.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
        Self {
            after: options.after,
            before: options.before,
            limit,
            max_bytes: None,
        }
    }
}

impl<'a> Operation<'a> {
    /// What clients call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Publish(_) => "publish",
            Self::Direct { .. } => "direct",
            Self::Broadcast { .. } => "broadcast",
            Self::Presence { .. } => "presence",
            Self::History { .. } => "history",
            Self::Refresh { .. } => "refresh",
            Self::Ping => "ping",
            Self::Emit { .. } => "emit",
        }
    }

    /// The room that it is about, if any.
    pub(crate) fn room(&self) -> Option<&str> {
        match self {
            Self::Join { room, .. }
            | Self::Leave { room }
            | Self::Publish(Publish { room, .. })
            | Self::Presence { room }
            | Self::History { room, .. } => Some(room),
            _ => None,
        }
    }

    /// Reads a Socket.IO event: its name is the operation, its arguments come in order.
    pub(crate) fn from_event(
        name: Cow<'a, str>,
        args: &[&'a RawValue],
        attachments: Vec<Bytes>,
        ack: bool,
    ) -> Result<Self, Failure> {
        let args = Args {
            operation: &name,
            args,
        };
        Ok(match &*name {
            "join" => Self::Join {
                room: args.name(0, "room")?,
                from: args.options(1)?,
            },
            "leave" => Self::Leave {
                room: args.name(0, "room")?,
            },
            "publish" => Self::Publish(args.publish(attachments)?),
            "direct" => Self::Direct {
                user: args.name(0, "user")?,
                content: args.content(1, attachments)?,
            },
            "broadcast" => Self::Broadcast {
                content: args.content(0, attachments)?,
            },
            "presence" => Self::Presence {
                room: args.name(0, "room")?,
            },
            "history" => Self::History {
                room: args.name(0, "room")?,
                query: args.options::<HistoryOptions>(1)?.into(),
            },
            "refresh" => Self::Refresh {
                token: args.text(0, "token", unicode)?,
            },
            _ => {
                let data = args.all();
                Self::Emit {
                    content: Content {
                        event: name,
                        data,
                        attachments,
                    },
                    ack,
                }
            }
        })
    }
}

/// The arguments of a Socket.IO event.
struct Args<'n, 'a> {
    operation: &'n str,
    args: &'n [&'a RawValue],
}

impl<'a> Args<'_, 'a> {
    fn text(
        &self,
        at: usize,
        what: &str,
        read: impl Fn(&'a str) -> Option<Cow<'a, str>>,
    ) -> Result<Cow<'a, str>, Failure> {
        let arg = self.args.get(at).ok_or_else(|| self.missing(at, what))?;
        read(arg.get()).ok_or_else(|| {
            let operation = self.operation;
            Failure::arguments(format!(
                "argument {} of {operation}, the {what}, must be a string",
                at + 1
            ))
        })
    }

    fn name(&self, at: usize, what: &str) -> Result<Cow<'a, str>, Failure> {
        let name = self.text(at, what, unicode)?;
        check_name(&name)?;
        Ok(name)
    }

    fn missing(&self, at: usize, what: &str) -> Failure {
        let operation = self.operation;
        Failure::arguments(format!(
            "{operation} lacks its argument {}, the {what}",
            at + 1
        ))
    }

    fn options<T: Deserialize<'a> + Default>(&self, at: usize) -> Result<T, Failure> {
        match self.args.get(at).map(|arg| arg.get()) {
            None | Some("null") => Ok(T::default()),
            Some(json) => serde_json::from_str(json).map_err(|e| {
                let operation = self.operation;
                Failure::arguments(format!(
                    "argument {} of {operation}, its options: {e}",
                    at + 1
                ))
            }),
        }
    }

    fn content(&self, at: usize, attachments: Vec<Bytes>) -> Result<Content<'a>, Failure> {
        let event = self.text(at, "event", sio::text)?;
        let data = self.args.get(at + 1).map_or("null", |arg| arg.get());
        check_content(&event, data, attachments.len())?;
        Ok(Content {
            event,
            data: data.into(),
            attachments,
        })
    }

    fn publish(&self, attachments: Vec<Bytes>) -> Result<Publish<'a>, Failure> {
        let options: PublishOptions = self.options(3)?;
        Ok(Publish {
            room: self.name(0, "room")?,
            content: self.content(1, attachments)?,
            id: message_id(options.id)?,
            echo: options.echo.unwrap_or(true),
        })
    }

    /// All arguments as the data of one event: the argument where there is one, else the array.
    fn all(&self) -> Cow<'a, str> {
        match self.args {
            [] => "null".into(),
            [one] => one.get().into(),
            many => {
                let many: Vec<&str> = many.iter().map(|arg| arg.get()).collect();
                format!("[{}]", many.join(",")).into()
            }
        }
    }
}

/// Events that only the gateway itself sends.
const OWN_EVENTS: [&str; 4] = ["presence", "drain", "revoked", "throttled"];

/// Checks what one client sends to others: no name and no placeholder may make a stock client
/// close its connection, and nobody may speak for the gateway.
pub(crate) fn check_content(event: &str, data: &str, attachments: usize) -> Result<(), Failure> {
    check_name(event)?;
    if sio::is_reserved(event) || OWN_EVENTS.contains(&event) {
        return Err(Failure::EVENT_RESERVED);
    }
    if attachments > 0 && sio::placeholders(data, attachments).is_err() {
        return Err(Failure::arguments(
            "a placeholder in the data names an attachment that the message does not have",
        ));
    }
    Ok(())
}

/// Checks a publisher's id for its message.
pub(crate) fn message_id(id: Option<Box<str>>) -> Result<Option<Box<str>>, Failure> {
    if let Some(id) = &id {
        check_name(id)?;
    }
    Ok(id)
}

/// A JSON string's text where it is Unicode: two names that differ must not become one.
fn unicode(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.into());
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(name: &'a str, args: &'a [Box<RawValue>]) -> Result<Operation<'a>, Failure> {
        let args: Vec<&RawValue> = args.iter().map(|arg| &**arg).collect();
        Operation::from_event(name.into(), &args, Vec::new(), true)
    }

    fn args(json: &[&str]) -> Vec<Box<RawValue>> {
        json.iter().map(|json| crate::outcome::raw(json)).collect()
    }

    #[test]
    fn a_publish_takes_its_arguments_in_order() {
        let args = args(&[
            r#""r""#,
            r#""e""#,
            r#"{"a":1}"#,
            r#"{"id":"x","echo":false}"#,
        ]);
        let Ok(Operation::Publish(publish)) = read("publish", &args) else {
            panic!("refused")
        };
        assert_eq!((&*publish.room, &*publish.content.event), ("r", "e"));
        assert_eq!(publish.content.data, r#"{"a":1}"#);
        assert_eq!((publish.id.as_deref(), publish.echo), (Some("x"), false));
    }

    #[test]
    fn escaped_names_are_read() {
        let args = args(&[r#""caf\u00e9""#]);
        assert!(matches!(read("join", &args), Ok(Operation::Join { room, .. }) if room == "café"));
    }

    #[test]
    fn half_an_emoji_passes_in_an_event_and_its_data_but_not_in_the_name_of_a_room() {
        let half = r#""a\ud83d""#;
        let read_it = args(&[r#""r""#, half, half]);
        let Ok(Operation::Publish(publish)) = read("publish", &read_it) else {
            panic!("refused")
        };
        assert_eq!(publish.content.event, "a\u{FFFD}");
        assert_eq!(publish.content.data, half);
        assert_eq!(
            read("join", &args(&[half])).unwrap_err().code(),
            "bad_arguments"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let failure = read("join", &args(&["1"])).unwrap_err();
        assert_eq!(
            failure.message,
            "argument 1 of join, the room, must be a string"
        );
        let failure = read("publish", &args(&[r#""r""#])).unwrap_err();
        assert_eq!(failure.message, "publish lacks its argument 2, the event");
        let failure = read("history", &args(&[r#""r""#, r#"{"limit":-1}"#])).unwrap_err();
        assert!(
            failure
                .message
                .starts_with("argument 2 of history, its options: ")
        );
    }

    #[test]
    fn an_unknown_event_goes_to_the_backend_with_all_its_arguments() {
        let args = args(&["1", "[2]"]);
        let Ok(Operation::Emit { content, .. }) = read("order", &args) else {
            panic!("refused")
        };
        assert_eq!((&*content.event, &*content.data), ("order", "[1,[2]]"));
    }

    #[test]
    fn a_name_that_would_close_the_readers_is_refused() {
        for event in ["connect", "disconnect", "newListener", "presence", "drain"] {
            let args = args(&[r#""r""#, &format!("{event:?}"), "1"]);
            assert_eq!(
                read("publish", &args).unwrap_err().code(),
                "event_reserved",
                "{event}"
            );
        }
    }

    #[test]
    fn a_placeholder_without_its_attachment_is_refused() {
        let args = args(&[r#""r""#, r#""e""#, r#"{"_placeholder":true,"num":1}"#]);
        let args: Vec<&RawValue> = args.iter().map(|arg| &**arg).collect();
        let blobs = vec![Bytes::from_static(b"a")];
        let failure = Operation::from_event("publish".into(), &args, blobs, true).unwrap_err();
        assert_eq!(failure.code(), "bad_arguments");
    }

    #[test]
    fn a_history_page_is_bounded() {
        let query: Query = HistoryOptions {
            limit: Some(1 << 40),
            ..Default::default()
        }
        .into();
        assert_eq!(query.limit, MAX_PAGE);
    }
}
