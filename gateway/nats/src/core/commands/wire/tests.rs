use proptest::prelude::*;
use sluice_rooms::Pid;

use super::*;

fn name() -> impl Strategy<Value = Arc<str>> {
    ".{0,20}".prop_map(Arc::from)
}

fn session() -> impl Strategy<Value = SessionId> {
    Just(()).prop_map(|()| Pid::random().session())
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        name().prop_map(Target::User),
        session().prop_map(Target::Session),
        name().prop_map(Target::Token),
        Just(Target::Everyone),
    ]
}

fn message() -> impl Strategy<Value = Arc<Message>> {
    let attachments = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4);
    let from = prop::option::of(name());
    let except = prop::option::of(session());
    let parts = (
        ".{0,20}",
        ".{0,40}",
        attachments,
        from,
        "[a-z]{0,9}",
        any::<u64>(),
        except,
    );
    parts.prop_map(|(event, data, attachments, from, id, time, except)| {
        Arc::new(Message {
            room: None,
            event: event.into(),
            data: serde_json::to_string(&data).unwrap().into(),
            attachments: attachments.into_iter().map(Bytes::from).collect(),
            from,
            id: id.into(),
            position: None,
            read: None,
            time,
            except,
            accepted: Instant::now(),
        })
    })
}

fn request() -> impl Strategy<Value = Request> {
    let namespace = prop::option::of(name());
    let command = prop_oneof![
        (target(), namespace, message()).prop_map(|(to, n, m)| Command::Send(to, n, m)),
        (target(), name()).prop_map(|(to, r)| Command::Disconnect(to, (*r).into())),
        (target(), any::<Option<u64>>()).prop_map(|(to, at)| Command::Revoke(to, at)),
        (target(), name()).prop_map(|(to, room)| Command::Join(to, room)),
        (target(), name()).prop_map(|(to, room)| Command::Leave(to, room)),
    ];
    let user = prop::option::of(name());
    prop_oneof![
        4 => command.prop_map(|command| Request::Command(Arc::new(command))),
        1 => (user, 0..10_000_usize).prop_map(|(user, limit)| Request::Sessions { user, limit }),
    ]
}

/// Everything of it but when it was accepted, which each gateway says for itself.
fn described(request: &Request) -> String {
    let text = format!("{request:?}");
    let (before, after) = text.split_once("accepted: ").unwrap_or((&text, ""));
    format!(
        "{before}{}",
        after.split_once("})").map_or("", |(_, rest)| rest)
    )
}

proptest! {
    #[test]
    fn a_request_reads_back_as_it_was_written(request in request(), from in any::<u32>()) {
        let (gateway, read) = decode(encode(from, &request), Instant::now()).unwrap();
        prop_assert_eq!(gateway, from);
        prop_assert_eq!(described(&read), described(&request));
    }

    #[test]
    fn a_request_that_is_cut_off_or_too_long_is_none(request in request(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(7, &request);
        let cut = bytes.slice(..cut.index(bytes.len()));
        prop_assert!(decode(cut, Instant::now()).is_none());
        let longer: Bytes = [&bytes[..], b"x"].concat().into();
        prop_assert!(decode(longer, Instant::now()).is_none());
    }

    #[test]
    fn garbage_is_no_request(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(bytes.into(), Instant::now()).is_none());
    }
}

#[test]
fn data_that_is_no_json_is_refused() {
    let message = Message {
        room: None,
        event: "e".into(),
        data: "{".into(),
        attachments: Vec::new(),
        from: None,
        id: "1".into(),
        position: None,
        read: None,
        time: 0,
        except: None,
        accepted: Instant::now(),
    };
    let command = Command::Send(Target::Everyone, None, Arc::new(message));
    let bytes = encode(7, &Request::Command(Arc::new(command)));
    assert!(decode(bytes, Instant::now()).is_none());
}
