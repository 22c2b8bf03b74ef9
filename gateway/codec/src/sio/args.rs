//! The payload of events and acknowledgements: an array whose elements stay raw JSON.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::{Error, MAX_ARGS, depth::too_deep, text};

/// Arguments as they stood in the payload. Most events have few.
pub type RawArgs<'a> = SmallVec<[&'a RawValue; 4]>;

/// An event's name and arguments.
#[derive(Debug, Clone)]
pub struct Args<'a> {
    /// As [`text`] reads it. A number stands for its digits, as it does in JavaScript.
    pub event: Cow<'a, str>,
    /// The arguments behind the event's name.
    pub args: RawArgs<'a>,
}

/// Names that Socket.IO gives a meaning of its own.
const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// Whether an event cannot have this name: a client that gets one closes its connection.
pub fn is_reserved(event: &str) -> bool {
    RESERVED.contains(&event)
}

/// Reads an event's payload, `["name", argument, …]`, whole: what follows the array is refused.
pub fn args(data: &str) -> Result<Args<'_>, Error> {
    let List {
        head: Name(event),
        args,
    } = read::<Name<'_>>(data)?;
    if is_reserved(&event) {
        return Err(Error::ReservedEvent);
    }
    Ok(Args { event, args })
}

/// Reads an acknowledgement's payload, `[argument, …]`, possibly empty.
pub fn ack_args(data: &str) -> Result<RawArgs<'_>, Error> {
    read::<Nothing>(data).map(|list| list.args)
}

fn read<'a, H: Head<'a>>(data: &'a str) -> Result<List<'a, H>, Error> {
    if too_deep(data.as_bytes()) {
        return Err(Error::TooDeep);
    }
    let list: List<'a, H> = serde_json::from_str(data).map_err(|_| Error::InvalidPayload)?;
    if list.args.len() > MAX_ARGS {
        return Err(Error::TooManyArgs);
    }
    Ok(list)
}

struct List<'a, H> {
    head: H,
    args: RawArgs<'a>,
}

/// What stands before the arguments.
trait Head<'a>: Sized {
    fn take<A: SeqAccess<'a>>(seq: &mut A) -> Result<Self, A::Error>;
}

struct Nothing;

impl<'a> Head<'a> for Nothing {
    fn take<A: SeqAccess<'a>>(_: &mut A) -> Result<Self, A::Error> {
        Ok(Self)
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'a> Head<'a> for Name<'a> {
    fn take<A: SeqAccess<'a>>(seq: &mut A) -> Result<Self, A::Error> {
        let name: Option<&RawValue> = seq.next_element()?;
        name.and_then(|name| text(name.get()).or_else(|| number(name.get())))
            .map(Name)
            .ok_or_else(|| de::Error::custom("an event's name must be a string or a whole number"))
    }
}

/// A whole number's digits.
fn number(json: &str) -> Option<Cow<'_, str>> {
    let number: serde_json::Number = serde_json::from_str(json).ok()?;
    (!number.is_f64()).then(|| number.to_string().into())
}

impl<'de, H: Head<'de>> Deserialize<'de> for List<'de, H> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<H>(PhantomData<H>);

impl<'de, H: Head<'de>> Visitor<'de> for ListVisitor<H> {
    type Value = List<'de, H>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let head = H::take(&mut seq)?;
        let mut args = RawArgs::new();
        while let Some(argument) = seq.next_element()? {
            if args.len() <= MAX_ARGS {
                args.push(argument);
            }
        }
        Ok(List { head, args })
    }
}
