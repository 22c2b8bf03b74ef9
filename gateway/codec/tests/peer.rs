//! Laws of the frames between gateways.

#![allow(missing_docs, reason = "a test")]

use bytes::Bytes;
use proptest::{array::uniform21, collection::vec, prelude::*};
use sluice_codec::peer::{Answer, Ask, CALLS, Malformed, Marks, Refused, TELLS, Tell, VERSION};

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn asks() -> impl Strategy<Value = Ask> {
    let sid = || uniform21(any::<u8>());
    prop_oneof![
        sid().prop_map(|sid| Ask::Poll { sid }),
        (sid(), any::<u64>(), any::<u64>(), bytes()).prop_map(|(sid, transfer, after, body)| {
            Ask::Post {
                sid,
                transfer,
                after,
                body,
            }
        }),
        (sid(), any::<u64>(), any::<bool>()).prop_map(|(sid, tunnel, deflate)| Ask::Probe {
            sid,
            tunnel,
            deflate
        }),
        (any::<u64>(), any::<u64>(), bytes()).prop_map(|(transfer, after, body)| Ask::Part {
            transfer,
            after,
            body
        }),
        any::<u64>().prop_map(|transfer| Ask::Rest { transfer }),
        Just(Ask::Alive),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let refused = prop_oneof![
        Just(Refused::Unknown),
        Just(Refused::Bad),
        Just(Refused::TooLarge),
        Just(Refused::Full),
    ];
    prop_oneof![
        bytes().prop_map(Answer::Whole),
        (any::<u64>(), bytes()).prop_map(|(transfer, bytes)| Answer::Part { transfer, bytes }),
        refused.prop_map(Answer::Refused),
    ]
}

fn tells() -> impl Strategy<Value = Tell> {
    let marks =
        || (any::<u64>(), any::<u64>()).prop_map(|(received, written)| Marks { received, written });
    prop_oneof![
        uniform21(any::<u8>()).prop_map(|sid| Tell::Abandoned { sid }),
        (any::<u64>(), any::<u64>(), marks(), bytes()).prop_map(
            |(tunnel, offset, marks, bytes)| {
                Tell::Data {
                    tunnel,
                    offset,
                    marks,
                    bytes,
                }
            }
        ),
        (any::<u64>(), marks()).prop_map(|(tunnel, marks)| Tell::Ack { tunnel, marks }),
        (any::<u64>(), any::<u64>()).prop_map(|(tunnel, offset)| Tell::Fin { tunnel, offset }),
        any::<u64>().prop_map(|tunnel| Tell::Reset { tunnel }),
        any::<u64>().prop_map(|tunnel| Tell::Leave { tunnel }),
        (any::<u64>(), marks()).prop_map(|(tunnel, marks)| Tell::Missing { tunnel, marks }),
    ]
}

/// Bytes that often are nearly a frame.
fn noise() -> impl Strategy<Value = Bytes> {
    let near = (0_u8..8, vec(any::<u8>(), 0..60)).prop_map(|(kind, rest)| {
        let frame: Vec<u8> = [VERSION, kind].into_iter().chain(rest).collect();
        Bytes::from(frame)
    });
    prop_oneof![bytes(), near]
}

proptest! {
    #[test]
    fn a_question_that_is_written_is_read_back(ask in asks()) {
        prop_assert!(CALLS.contains(&ask.kind()));
        prop_assert_eq!(Ask::decode(ask.encode()), Ok(ask));
    }

    #[test]
    fn an_answer_that_is_written_is_read_back(answer in answers()) {
        prop_assert_eq!(Answer::decode(answer.encode()), Ok(answer));
    }

    #[test]
    fn news_that_are_written_are_read_back(tell in tells()) {
        prop_assert!(TELLS.contains(&tell.kind()));
        prop_assert_eq!(Tell::decode(tell.encode()), Ok(tell));
    }

    #[test]
    fn whatever_is_read_was_written_in_the_same_bytes(frame in noise()) {
        if let Ok(ask) = Ask::decode(frame.clone()) {
            prop_assert_eq!(ask.encode(), &frame);
        }
        if let Ok(answer) = Answer::decode(frame.clone()) {
            prop_assert_eq!(answer.encode(), &frame);
        }
        if let Ok(tell) = Tell::decode(frame.clone()) {
            prop_assert_eq!(tell.encode(), &frame);
        }
    }

    #[test]
    fn a_frame_that_was_cut_short_is_refused_where_its_length_is_known(tell in tells(), at in any::<usize>()) {
        // A piece of a tunnel has no length of its own: it ends with its frame.
        prop_assume!(!matches!(tell, Tell::Data { .. }));
        let whole = tell.encode();
        let cut = at % whole.len();
        prop_assert_eq!(Tell::decode(whole.slice(..cut)), Err(Malformed));
    }

    #[test]
    fn a_frame_of_another_version_is_refused(ask in asks(), version in any::<u8>()) {
        prop_assume!(version != VERSION);
        let mut frame = ask.encode().to_vec();
        frame[0] = version;
        prop_assert_eq!(Ask::decode(frame.into()), Err(Malformed));
    }
}
