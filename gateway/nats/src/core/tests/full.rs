//! Workers that are too far behind to be left more messages.

use std::{sync::Arc, time::Instant};

use sluice_backbone::{Command, Error, Publication, Reply, Target};
use sluice_rooms::{Message, Publisher, RoomSettings};

use super::bus::{Bus, now, room};

fn publish(bus: &mut Bus) -> Result<(), Error> {
    let publication = Publication {
        room: room(),
        settings: RoomSettings::default(),
        event: "e".into(),
        data: "1".into(),
        attachments: Vec::new(),
        from: None,
        publisher: Publisher::Application,
        id: None,
        except: None,
    };
    let reply = bus.act(0, |core, at, out| core.publish(at, publication, out));
    now(reply).map(|_| ())
}

fn send(bus: &mut Bus) -> Reply<u64> {
    let message = Message {
        room: None,
        event: "e".into(),
        data: "1".into(),
        attachments: Vec::new(),
        from: None,
        id: "1".into(),
        position: None,
        read: None,
        time: 5,
        except: None,
        accepted: Instant::now(),
    };
    let command = Command::Send(Target::Everyone, None, Arc::new(message));
    bus.act(0, |core, at, out| core.command(at, command, out))
}

#[test]
fn a_room_without_history_takes_no_more_than_its_workers_read() {
    let mut bus = Bus::new(1);
    bus.run_seconds(1);
    let settings = RoomSettings::default();
    let joined = bus.act(0, |core, at, out| {
        core.subscribe(at, (0, &room()), &settings, out)
    });
    now(joined).unwrap();
    assert_eq!(publish(&mut bus), Ok(()));
    bus.nodes[0].workers.with(|done| done.full = true);
    assert_eq!(publish(&mut bus), Err(Error::Overloaded));
    assert_eq!(bus.nodes[0].workers.with(|done| done.messages), 1);
    bus.nodes[0].workers.with(|done| done.full = false);
    assert_eq!(publish(&mut bus), Ok(()));
}

#[test]
fn what_goes_to_a_users_sessions_is_no_more_than_their_workers_read() {
    let mut bus = Bus::new(1);
    bus.run_seconds(1);
    bus.nodes[0].workers.with(|done| done.full = true);
    assert!(matches!(send(&mut bus), Reply::Now(Err(Error::Overloaded))));
    assert!(bus.nodes[0].workers.with(|done| done.commands.is_empty()));
}
