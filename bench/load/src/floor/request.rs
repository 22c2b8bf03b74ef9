//! The requests of the dialect, read by their shape: the only client is the generator.

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Connect,
    Join {
        ack: Vec<u8>,
        room: Vec<u8>,
    },
    /// `event` is the JSON array to deliver.
    Publish {
        ack: Vec<u8>,
        room: Vec<u8>,
        event: Vec<u8>,
    },
}

/// Reads a text frame of the generator; `None` when there is nothing to answer.
pub(crate) fn parse(text: &[u8]) -> Option<Request> {
    if text.starts_with(b"40") {
        return Some(Request::Connect);
    }
    let text = text.strip_prefix(b"42")?;
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (ack, array) = text.split_at_checked(digits)?;
    let ack = ack.to_vec();
    if let Some(room) = array.strip_prefix(br#"["join",""#) {
        return Some(Request::Join {
            ack,
            room: until_quote(room)?.to_vec(),
        });
    }
    let rest = array.strip_prefix(br#"["publish",""#)?;
    let room = until_quote(rest)?.to_vec();
    let event = rest.get(room.len() + 2..)?;
    Some(Request::Publish {
        ack,
        room,
        event: [b"[", event].concat(),
    })
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    text.split(|byte| *byte == b'"').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::outbox::Outbox;

    /// What the generator writes, without its frame.
    fn written(write: impl FnOnce(&mut Outbox)) -> Vec<u8> {
        let mut outbox = Outbox::unmasked();
        write(&mut outbox);
        outbox.bytes[6..].to_vec()
    }

    #[test]
    fn what_the_generator_writes_is_understood() {
        assert_eq!(
            parse(&written(|outbox| outbox.connect(None))),
            Some(Request::Connect)
        );
        let join = Request::Join {
            ack: b"0".to_vec(),
            room: b"r".to_vec(),
        };
        assert_eq!(parse(&written(|outbox| outbox.join("r"))), Some(join));
        let event = br#"["message","d"]"#.to_vec();
        let publish = Request::Publish {
            ack: b"0".to_vec(),
            room: b"r".to_vec(),
            event,
        };
        assert_eq!(
            parse(&written(|outbox| outbox.publish("r", b"\"d\""))),
            Some(publish)
        );
        assert_eq!(parse(b"3"), None);
    }
}
