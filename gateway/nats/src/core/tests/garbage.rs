use proptest::prelude::*;
use sluice_backbone::{Command, Target};

use super::bus::{Bus, pending};
use crate::core::Faults;

const KINDS: [&str; 9] = [
    "fleet",
    "pres",
    "pres.=2F.team=20red",
    "pres.=2F",
    "users",
    "cmd",
    "gw.00000001.fleet",
    "gw.00000001.presence",
    "gw.00000001.users",
];

#[test]
fn garbage_on_every_subject_is_counted_and_changes_nothing() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.join(1, "bob");
    bus.run_seconds(2);
    for kind in KINDS {
        for garbage in ["", "{", "[]", "{}", r#"{"gateway":"x"}"#, "\0\0\0\u{1}{"] {
            bus.inject(0, kind, garbage.as_bytes());
        }
    }
    let faults = bus.nodes[0].core.faults();
    assert_eq!((faults.fleet, faults.presence), (12, 24));
    assert_eq!((faults.users, faults.commands), (12, 6));
    bus.run_seconds(2);
    assert_eq!(bus.view(0), ["ann", "bob"]);
}

#[test]
fn what_a_newer_version_says_is_counted_apart_from_garbage() {
    let mut bus = Bus::new(2);
    bus.join(0, "ann");
    bus.run_seconds(2);
    let said = br#"{"gateway":"00000002","version":1,"what":{"shards":[1]}}"#;
    bus.inject(0, "pres.=2F.team=20red", said);
    bus.inject(0, "users", said);
    let command = [&(said.len() as u32).to_be_bytes()[..], said].concat();
    bus.inject(0, "cmd", &command);
    bus.inject(0, "shards.1", said);
    let newer = bus.nodes[0].core.newer();
    assert_eq!((newer.presence, newer.users), (1, 1));
    assert_eq!((newer.commands, newer.subjects), (1, 1));
    assert_eq!(bus.nodes[0].core.faults(), Faults::default());
}

#[test]
fn an_answer_that_is_garbage_is_counted_and_the_right_one_still_taken() {
    let mut bus = Bus::new(2);
    bus.nodes[1].workers.with(|done| done.stuck = true);
    let command = Command::Leave(Target::Everyone, "a".into());
    let reply = bus.act(0, |core, at, out| core.command(at, command, out));
    let _answer = pending(reply);
    let packet = crate::Packet {
        subject: "_INBOX.0.1".into(),
        reply: None,
        headers: crate::Headers::default(),
        payload: "{".into(),
    };
    for request in 0..8 {
        bus.act(0, |core, at, out| core.answer(at, request, &packet, out));
    }
    assert_eq!(bus.nodes[0].core.faults().commands, 1);
}

/// Words that are well-formed, of a gateway that nobody knows.
fn word() -> impl Strategy<Value = String> {
    let what = prop_oneof![
        (0u64..9, ".{0,3}").prop_map(|(after, user)| {
            let user = serde_json::to_string(&user).unwrap();
            format!(r#"{{"changed":{{"after":{after},"joined":[{user}],"left":["ann"]}}}}"#)
        }),
        (0u32..3, 0u32..3).prop_map(|(part, parts)| {
            format!(r#"{{"all":{{"users":["zoe"],"part":{part},"parts":{parts}}}}}"#)
        }),
        Just(r#"{"count":5}"#.to_owned()),
        Just(r#""same""#.to_owned()),
        Just(r#""out""#.to_owned()),
        Just(r#""ask""#.to_owned()),
        Just(r#"{"check":[["=2F.team=20red",3],["x",1]]}"#.to_owned()),
    ];
    (what, 0u64..9, any::<bool>()).prop_map(|(what, version, known)| {
        let known = if known { r#""known":[],"# } else { "" };
        format!(
            r#"{{"gateway":"000000ff","room":"=2F.team=20red","version":{version},"sessions":1,{known}"what":{what}}}"#
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a gateway says that is not there any more, it is forgotten in the end.
    #[test]
    fn the_words_of_a_stranger_do_no_lasting_harm(words in prop::collection::vec((0..KINDS.len(), word()), 0..30)) {
        let mut bus = Bus::new(2);
        bus.join(0, "ann");
        bus.join(1, "bob");
        bus.run_seconds(2);
        for (kind, word) in words {
            bus.inject(0, KINDS[kind], word.as_bytes());
        }
        bus.run_seconds(12);
        prop_assert_eq!(bus.view(0), ["ann", "bob"]);
        prop_assert_eq!(bus.view(1), ["ann", "bob"]);
    }
}
