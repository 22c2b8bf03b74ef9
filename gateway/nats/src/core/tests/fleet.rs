use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;

use sluice_backbone::Publication;
use sluice_contract::{Draining, GatewayState, PolicyStatus, Status, WireVersion};
use sluice_rooms::{Publisher, RoomKey, RoomSettings};

use super::bus::Bus;
use crate::core::{AnswerTo, Called, Core, GONE_AFTER, TICK, Unreachable, histories::IdOwner};

fn names(bus: &Bus, node: usize) -> Vec<String> {
    let peers = bus.nodes[node].core.peers(bus.at);
    peers.iter().map(|peer| peer.name.to_string()).collect()
}

fn is_heard(bus: &Bus, node: usize, other: usize) -> bool {
    let fleet = &bus.nodes[node].core.fleet;
    fleet.is_heard(other as u32 + 1, bus.at.now)
}

fn draining(remaining: u64) -> Status {
    Status {
        state: GatewayState::Draining,
        connections: remaining,
        draining: Some(Draining {
            remaining,
            rate: Some(9.0),
        }),
        ..Status::default()
    }
}

#[test]
fn a_new_gateway_knows_all_others_at_once_and_they_know_it() {
    let bus = Bus::new(3);
    assert_eq!(names(&bus, 2), ["chat-0", "chat-1"]);
    assert_eq!(names(&bus, 0), ["chat-1", "chat-2"]);
    assert!(is_heard(&bus, 2, 0) && is_heard(&bus, 0, 2));
}

#[test]
fn a_gateway_knows_its_fleet_once_every_other_had_the_time_to_speak() {
    let mut bus = Bus::new(2);
    let late = bus.start();
    let knows = |bus: &Bus| bus.nodes[late].core.is_acquainted(bus.at);
    bus.run_seconds(1);
    assert!(!knows(&bus));
    bus.run_seconds(1);
    assert!(knows(&bus));
    bus.disconnect(late);
    bus.connect(late);
    assert!(knows(&bus));
}

#[test]
fn two_gateways_of_one_name_know_it_until_one_of_them_is_gone() {
    let mut bus = Bus::new(2);
    bus.run_seconds(10);
    let namesakes = |bus: &Bus, node: usize| bus.nodes[node].core.namesakes();
    let twin = bus.start_as("chat-0");
    bus.run_seconds(6);
    assert_eq!((namesakes(&bus, 0), namesakes(&bus, twin)), (1, 1));
    assert_eq!(namesakes(&bus, 1), 0);
    bus.kill(twin);
    bus.run_seconds(5);
    assert_eq!(namesakes(&bus, 0), 0);
}

#[test]
fn a_gateway_that_starts_again_at_once_is_no_namesake_of_its_own_ghost() {
    let mut bus = Bus::new(2);
    bus.run_seconds(10);
    let again = bus.start_as("chat-0");
    // What it sent last is still on its way.
    bus.run_seconds(1);
    bus.kill(0);
    for _ in 0..12 {
        bus.run_seconds(1);
        assert_eq!(bus.nodes[again].core.namesakes(), 0);
    }
}

/// Writes down which gateways are gone.
#[derive(Default)]
struct Goodbyes(Mutex<Vec<u32>>);

impl Called for Goodbyes {
    fn called(&self, _: u32, _: &str, _: Bytes, _: Option<AnswerTo>) {}

    fn gone(&self, gateway: u32) {
        self.0.lock().unwrap().push(gateway);
    }
}

#[test]
fn layers_above_learn_of_a_goodbye_at_once_and_take_silence_for_nothing() {
    let mut bus = Bus::new(3);
    let goodbyes = Arc::<Goodbyes>::default();
    bus.nodes[0].core.set_called(Arc::clone(&goodbyes) as _);
    bus.act(1, Core::bye);
    bus.kill(2);
    bus.run(TICK);
    assert_eq!(*goodbyes.0.lock().unwrap(), [2]);
    bus.run(GONE_AFTER * 2);
    assert_eq!(*goodbyes.0.lock().unwrap(), [2]);
}

/// What becomes of a call to a gateway that is not there.
fn unheard(bus: &mut Bus) -> Unreachable {
    let within = Duration::from_secs(1);
    let mut told = bus.act(0, |core, at, out| {
        core.call(at, (9, "ask"), b"", within, out)
    });
    told.try_recv().unwrap().unwrap_err()
}

#[test]
fn that_nobody_listens_for_a_gateway_counts_once_nats_has_been_there_for_a_while() {
    let mut bus = Bus::new(1);
    bus.run_seconds(4);
    assert_eq!(unheard(&mut bus), Unreachable::Silent);
    bus.run_seconds(1);
    assert_eq!(unheard(&mut bus), Unreachable::Absent);
    bus.disconnect(0);
    bus.connect(0);
    assert_eq!(unheard(&mut bus), Unreachable::Silent);
}

#[test]
fn that_nobody_listens_counts_for_nothing_while_the_server_sends_its_clients_away() {
    let mut bus = Bus::new(1);
    bus.run_seconds(5);
    bus.act(0, |core, _, _| core.lame_duck());
    bus.run_seconds(60);
    assert_eq!(unheard(&mut bus), Unreachable::Silent);
    bus.disconnect(0);
    bus.connect(0);
    bus.run_seconds(4);
    assert_eq!(unheard(&mut bus), Unreachable::Silent);
    bus.run_seconds(1);
    assert_eq!(unheard(&mut bus), Unreachable::Absent);
}

#[test]
fn a_gateway_says_what_it_is_doing() {
    let mut bus = Bus::new(2);
    let status = Status {
        connections: 7,
        policy: PolicyStatus {
            revision: 4,
            digest: "ab".into(),
            refused: None,
        },
        ..Status::default()
    };
    bus.act(0, |core, at, out| core.set_status(at, status.clone(), out));
    bus.run_seconds(1);
    assert_eq!(bus.nodes[1].core.peers(bus.at)[0].status, status);
}

#[test]
fn a_drain_is_known_at_once() {
    let mut bus = Bus::new(2);
    bus.act(0, |core, at, out| core.set_status(at, draining(5), out));
    assert_eq!(bus.nodes[1].core.peers(bus.at)[0].status, draining(5));
}

/// Heartbeats of a gateway that reads up to a wire version, if it says that.
fn beat(number: u32, reads: Option<u32>) -> String {
    let reads = reads.map_or(String::new(), |reads| format!(r#","reads":{reads}"#));
    format!(r#"{{"gateway":"{number:08x}"{reads}}}"#)
}

/// Gateways that read up to wire version 3, in a cluster whose rollouts are finalised.
fn of_version_3(gateways: usize) -> Bus {
    let mut bus = Bus::new(gateways);
    for node in &mut bus.nodes {
        node.core.fleet.reads = WireVersion(3);
        node.core.set_finalised(WireVersion(3));
    }
    bus.run_seconds(1);
    bus
}

#[test]
fn gateways_learn_of_each_other_what_they_read() {
    let bus = of_version_3(2);
    assert_eq!(bus.nodes[0].core.peers(bus.at)[0].reads, WireVersion(3));
    assert_eq!(bus.nodes[0].core.writes(), WireVersion(3));
}

#[test]
fn a_gateway_writes_what_all_read_until_those_that_read_less_are_gone() {
    let mut bus = of_version_3(2);
    bus.inject(0, "fleet", beat(0x20, Some(2)).as_bytes());
    assert_eq!(bus.nodes[0].core.writes(), WireVersion(2));
    bus.inject(0, "fleet", beat(0x10, None).as_bytes());
    assert_eq!(bus.nodes[0].core.writes(), WireVersion::FIRST);
    let bye = r#"{"gateway":"00000010","bye":true}"#;
    bus.inject(0, "fleet", bye.as_bytes());
    assert_eq!(bus.nodes[0].core.writes(), WireVersion(2));
    bus.run(GONE_AFTER);
    bus.run_seconds(1);
    assert_eq!(bus.nodes[0].core.writes(), WireVersion(3));
}

#[test]
fn a_gateway_that_has_said_nothing_of_itself_yet_counts_as_one_that_reads_the_least() {
    let mut bus = of_version_3(1);
    let said = r#"{"gateway":"00000010","what":"same"}"#;
    bus.inject(0, "users", said.as_bytes());
    assert_eq!(bus.nodes[0].core.writes(), WireVersion::FIRST);
    bus.inject(0, "fleet", beat(0x10, Some(3)).as_bytes());
    assert_eq!(bus.nodes[0].core.writes(), WireVersion(3));
}

#[test]
fn a_gateway_writes_no_more_than_what_was_finalised() {
    let mut bus = of_version_3(2);
    bus.nodes[0].core.set_finalised(WireVersion(2));
    assert_eq!(bus.nodes[0].core.writes(), WireVersion(2));
    let unfinished = Bus::new(2);
    assert_eq!(unfinished.nodes[0].core.writes(), WireVersion::FIRST);
}

#[test]
fn draining_gateways_share_one_rate() {
    let mut bus = Bus::new(3);
    bus.act(0, |core, at, out| core.set_status(at, draining(300), out));
    bus.act(1, |core, at, out| core.set_status(at, draining(100), out));
    let share = |node: usize| bus.nodes[node].core.share(bus.at, 100.0);
    assert!((share(0) - 75.0).abs() < 1e-9);
    assert!((share(1) - 25.0).abs() < 1e-9);
}

#[test]
fn a_gateway_that_dies_is_not_heard_soon_and_gone_later() {
    let mut bus = Bus::new(2);
    bus.kill(1);
    bus.run(Duration::from_millis(2_500));
    assert!(is_heard(&bus, 0, 1));
    bus.run(Duration::from_secs(1));
    assert!(!is_heard(&bus, 0, 1));
    assert_eq!(names(&bus, 0), ["chat-1"]);
    bus.run(GONE_AFTER);
    assert!(names(&bus, 0).is_empty());
}

#[test]
fn a_gateway_that_says_bye_is_heard_no_more() {
    let mut bus = Bus::new(2);
    bus.act(1, Core::bye);
    assert!(!is_heard(&bus, 0, 1));
    assert!(bus.nodes[0].core.peers(bus.at)[0].ends);
    bus.run(GONE_AFTER);
    assert!(names(&bus, 0).is_empty());
}

#[test]
fn while_nobody_can_be_heard_nobody_is_gone() {
    let mut bus = Bus::new(2);
    bus.disconnect(0);
    bus.run(GONE_AFTER * 2);
    assert_eq!(names(&bus, 0), ["chat-1"]);
    bus.kill(1);
    bus.connect(0);
    bus.run(Duration::from_millis(9_800));
    assert_eq!(names(&bus, 0), ["chat-1"]);
    bus.run_seconds(1);
    assert!(names(&bus, 0).is_empty());
}

#[test]
fn the_number_of_gateways_is_bounded() {
    let mut bus = Bus::new(1);
    for number in 100..4_300 {
        bus.inject(0, "fleet", beat(number, None).as_bytes());
    }
    assert_eq!(names(&bus, 0).len(), 4_096);
    assert!(bus.nodes[0].core.faults().fleet >= 104);
}

#[test]
fn an_id_is_its_publishers_once_the_whole_fleet_writes_so() {
    let publication = |publisher: Publisher, id: Option<&str>| Publication {
        room: RoomKey::new("/", "r"),
        settings: RoomSettings::default(),
        event: "e".into(),
        data: "1".into(),
        attachments: Vec::new(),
        from: None,
        publisher,
        id: id.map(Into::into),
        except: None,
    };
    let anns = publication(Publisher::User("ann".into()), Some("order-18"));
    let applications = publication(Publisher::Application, Some("order-18"));
    let mut bus = of_version_3(2);
    let owner = |bus: &Bus, it| bus.nodes[0].core.id_owner(it);
    assert_eq!(owner(&bus, &anns), IdOwner::Publisher);
    assert_eq!(owner(&bus, &applications), IdOwner::Room);
    bus.inject(0, "fleet", beat(0x10, None).as_bytes());
    assert_eq!(owner(&bus, &anns), IdOwner::Room, "0.1.0 is in the fleet");
}
