//! A message in the form each protocol wants, made once and when first needed.

use std::{cell::OnceCell, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use sluice_applications::Mark;
use sluice_codec::sio;
use sluice_net::SharedFrame;
use sluice_rooms::{Announcement, Message, RoomKey};
use sluice_socketio::packet::{self, Packet};

use crate::outcome::{Meta, base64, raw};

/// An event for many sessions of one namespace.
pub(crate) struct Encoded {
    namespace: Arc<str>,
    content: Content,
    socketio: OnceCell<Packet>,
    native: OnceCell<SharedFrame>,
}

enum Content {
    Message(Arc<Message>),
    /// One of the gateway's own events: its name and its one argument as JSON.
    Own(&'static str, String),
    /// What an application emits: a JSON array of the event's name and its arguments, and the
    /// attachments; and how far its readers have got with it.
    Emitted(Box<str>, Vec<Bytes>, Option<Mark>),
}

/// The plain protocol's form of a pushed event.
#[derive(Serialize)]
struct Push<'a> {
    event: &'a str,
    data: &'a RawValue,
    /// Further arguments, where an application emits more than one.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    more: &'a [&'a RawValue],
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
    /// What a client sends back to recover, as the last argument is in Socket.IO.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
}

impl Encoded {
    /// A message for sessions of `namespace`.
    pub(crate) fn message(namespace: &Arc<str>, message: Arc<Message>) -> Self {
        Self::new(namespace, Content::Message(message))
    }

    /// What an application emits.
    pub(crate) fn emitted(
        namespace: &Arc<str>,
        array: &str,
        attachments: &[Bytes],
        mark: Option<Mark>,
    ) -> Self {
        let content = Content::Emitted(array.into(), attachments.to_vec(), mark);
        Self::new(namespace, content)
    }

    /// One of the gateway's own events.
    pub(crate) fn own(namespace: &Arc<str>, event: &'static str, data: &impl Serialize) -> Self {
        let json = serde_json::to_string(data).unwrap_or_else(|_| "null".into());
        Self::new(namespace, Content::Own(event, json))
    }

    /// Who came to and went from a room.
    pub(crate) fn presence(room: &RoomKey, news: &Announcement) -> Self {
        #[derive(Serialize)]
        struct Data<'a> {
            room: &'a str,
            joined: &'a [Arc<str>],
            left: &'a [Arc<str>],
        }
        let data = Data {
            room: &room.name,
            joined: &news.joined,
            left: &news.left,
        };
        Self::own(&room.namespace, "presence", &data)
    }

    fn new(namespace: &Arc<str>, content: Content) -> Self {
        Self {
            namespace: Arc::clone(namespace),
            content,
            socketio: OnceCell::new(),
            native: OnceCell::new(),
        }
    }

    /// The message, where it is one that a history keeps.
    pub(crate) fn kept(&self) -> Option<&Arc<Message>> {
        match &self.content {
            Content::Message(message) if message.position.is_some() => Some(message),
            _ => None,
        }
    }

    /// As Socket.IO has it: `(data, meta)`, and with history the reading as the last argument,
    /// which the stock client keeps to recover from.
    pub(crate) fn socketio(&self) -> &Packet {
        self.socketio.get_or_init(|| match &self.content {
            Content::Own(event, json) => packet::event(&self.namespace, None, event, &[json], &[]),
            Content::Emitted(array, attachments, None) => {
                packet::event_of(&self.namespace, None, array, attachments)
            }
            Content::Emitted(array, attachments, Some(mark)) => {
                let array = with_mark(array, *mark);
                packet::event_of(&self.namespace, None, &array, attachments)
            }
            Content::Message(message) => {
                let meta = serde_json::to_string(&Meta::from(&**message)).unwrap_or_default();
                let reading = message.reading();
                let reading = reading.map(|reading| format!("\"{reading}\""));
                let mut args = vec![&*message.data, &*meta];
                args.extend(reading.as_deref());
                let attachments = &message.attachments;
                packet::event(&self.namespace, None, &message.event, &args, attachments)
            }
        })
    }

    /// The message as the plain protocol has it.
    pub(crate) fn native(&self) -> &SharedFrame {
        self.native
            .get_or_init(|| SharedFrame::text(&self.native_json()))
    }

    fn native_json(&self) -> String {
        let data;
        let args;
        let push = match &self.content {
            Content::Emitted(array, attachments, mark) => {
                // It was read before, and found to be an event.
                let Ok(emitted) = sio::args(array) else {
                    return String::new();
                };
                args = emitted;
                Push {
                    event: &args.event,
                    data: args.args.first().copied().unwrap_or(RawValue::NULL),
                    more: args.args.get(1..).unwrap_or_default(),
                    meta: None,
                    offset: mark.map(|mark| mark.to_string()),
                    attachments: base64(attachments),
                }
            }
            Content::Own(event, json) => {
                data = raw(json);
                Push {
                    event,
                    data: &data,
                    more: &[],
                    meta: None,
                    offset: None,
                    attachments: Vec::new(),
                }
            }
            Content::Message(message) => {
                data = raw(&message.data);
                Push {
                    event: &message.event,
                    data: &data,
                    more: &[],
                    meta: Some((&**message).into()),
                    offset: message.reading().map(|reading| reading.to_string()),
                    attachments: base64(&message.attachments),
                }
            }
        };
        serde_json::to_string(&push).unwrap_or_default()
    }
}

/// An event with a mark as its last argument, where the stock client looks for it.
fn with_mark(array: &str, mark: Mark) -> String {
    // It was read before, and found to be an array with a name.
    let open = array.trim_end().strip_suffix(']').unwrap_or(array);
    format!("{open},\"{mark}\"]")
}
