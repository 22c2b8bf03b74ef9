use std::{sync::Arc, time::Instant};

use sluice_backbone::{Command, Error, SessionInfo, Target};
use sluice_rooms::{Message, Pid};

use super::bus::{Bus, later, pending, poll};

fn leave() -> Command {
    Command::Leave(Target::User("ann".into()), "a".into())
}

fn send(data: &str) -> Command {
    let message = Message {
        room: None,
        event: "e".into(),
        data: data.into(),
        attachments: vec![vec![0, 255].into()],
        from: Some("bob".into()),
        id: "1".into(),
        position: None,
        read: None,
        time: 5,
        except: None,
        accepted: Instant::now(),
    };
    Command::Send(Target::Everyone, Some("/".into()), Arc::new(message))
}

fn info(user: &str) -> SessionInfo {
    SessionInfo {
        session: Pid::random().session(),
        user: user.into(),
        namespace: "/".into(),
        protocol: "websocket",
        connected: true,
        rooms: vec!["a".into()],
    }
}

#[test]
fn a_command_is_carried_out_everywhere_and_the_sum_comes_back() {
    let mut bus = Bus::new(3);
    let reply = bus.act(0, |core, at, out| core.command(at, leave(), out));
    assert_eq!(later(reply), Ok(3));
    for node in &bus.nodes {
        assert_eq!(node.workers.with(|done| done.commands.len()), 1);
    }
}

#[test]
fn a_message_arrives_as_it_was_sent() {
    let mut bus = Bus::new(2);
    let command = send(r#"{"a":1}"#);
    bus.act(0, |core, at, out| {
        drop(core.command(at, command, out));
    });
    let commands = bus.nodes[1]
        .workers
        .with(|done| std::mem::take(&mut done.commands));
    let Command::Send(Target::Everyone, Some(namespace), message) = &*commands[0] else {
        panic!("{commands:?}");
    };
    assert_eq!((&**namespace, &*message.data), ("/", r#"{"a":1}"#));
    assert_eq!(message.attachments, [vec![0, 255]]);
    assert_eq!(message.from.as_deref(), Some("bob"));
}

#[test]
fn a_gateway_that_does_not_answer_is_waited_for_and_counted() {
    let mut bus = Bus::new(3);
    bus.nodes[2].workers.with(|done| done.stuck = true);
    let reply = bus.act(0, |core, at, out| core.command(at, leave(), out));
    let mut answer = pending(reply);
    bus.run_seconds(1);
    assert!(poll(&mut answer).is_none());
    bus.run_seconds(1);
    assert_eq!(poll(&mut answer), Some(Ok(2)));
    assert_eq!(bus.nodes[0].core.faults().silent, 1);
}

#[test]
fn a_gateway_that_is_not_heard_is_not_waited_for() {
    let mut bus = Bus::new(2);
    bus.kill(1);
    bus.run_seconds(4);
    let reply = bus.act(0, |core, at, out| core.command(at, leave(), out));
    assert_eq!(later(reply), Ok(1));
}

#[test]
fn without_a_link_a_command_is_for_the_sessions_here() {
    let mut bus = Bus::new(2);
    bus.disconnect(0);
    let reply = bus.act(0, |core, at, out| core.command(at, leave(), out));
    assert_eq!(later(reply), Ok(1));
}

#[test]
fn a_link_that_is_lost_ends_the_wait() {
    let mut bus = Bus::new(2);
    bus.nodes[1].workers.with(|done| done.stuck = true);
    let reply = bus.act(0, |core, at, out| core.command(at, leave(), out));
    let mut answer = pending(reply);
    bus.disconnect(0);
    assert_eq!(poll(&mut answer), Some(Ok(1)));
}

#[test]
fn a_command_that_nats_would_not_take_is_refused() {
    let mut bus = Bus::new(2);
    let command = send(&format!("\"{}\"", "x".repeat(1024 * 1024)));
    let reply = bus.act(0, |core, at, out| core.command(at, command, out));
    assert_eq!(later(reply), Err(Error::TooLarge));
    assert!(bus.nodes[0].workers.with(|done| done.commands.is_empty()));
}

#[test]
fn sessions_of_all_gateways_are_listed_up_to_a_limit() {
    let mut bus = Bus::new(3);
    for (node, user) in bus.nodes.iter().zip(["ann", "bob", "cem"]) {
        node.workers
            .with(|done| done.sessions = vec![info(user), info(user)]);
    }
    let mut list = |limit| {
        let reply = bus.act(0, |core, at, out| core.sessions(at, None, limit, out));
        later(reply).unwrap()
    };
    let mut users: Vec<_> = list(10).iter().map(|info| info.user.to_string()).collect();
    users.sort();
    assert_eq!(users, ["ann", "ann", "bob", "bob", "cem", "cem"]);
    assert_eq!(list(3).len(), 3);
}
