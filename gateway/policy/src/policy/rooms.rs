//! Compiling Room documents.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use sluice_crds::cluster::RoomsDefault;
use sluice_crds::room::RoomAccess;
use sluice_crds::{Documents, Room, RoomSpec};

use super::Policy;
use super::problems::Problems;
use crate::limits::Rate;
use crate::regular::PatternBudget;
use crate::rooms::{History, Pattern, Presence, RoomLimits, RoomPolicy, Rules, Table};
use crate::{AccessRule, Schemas};

type ByName = FxHashMap<Box<str>, Arc<RoomPolicy>>;

/// The Rooms by name; those that have not changed are the earlier snapshot's.
pub(super) fn by_name(
    documents: &Documents,
    earlier: Option<&Policy>,
    problems: &mut Problems,
) -> ByName {
    let mut rooms = ByName::default();
    let mut left = PatternBudget::whole();
    for document in &documents.rooms {
        let name = document.metadata.name.as_deref().unwrap_or_default();
        let known = earlier.and_then(|earlier| earlier.by_name.get(name));
        let unchanged = known.filter(|room| room.source.as_ref() == Some(&document.spec));
        let room = match unchanged.filter(|room| left.take(room.pattern_bytes)) {
            Some(room) => Some(Arc::clone(room)),
            None => compile(name, document, &mut left, problems).map(Arc::new),
        };
        if let Some(room) = room {
            rooms.insert(name.into(), room);
        }
    }
    rooms
}

/// The Rooms of each namespace, ready to be asked.
pub(super) fn by_namespace(rooms: &ByName) -> FxHashMap<Box<str>, Table<Arc<RoomPolicy>>> {
    let mut groups: FxHashMap<Box<str>, Vec<_>> = FxHashMap::default();
    for room in rooms.values() {
        let namespace = room.source.as_ref().map_or("/", |spec| &spec.namespace);
        let entry = (room.pattern.clone(), Arc::clone(room));
        groups.entry(namespace.into()).or_default().push(entry);
    }
    groups
        .into_iter()
        .map(|(namespace, rooms)| (namespace, Table::new(rooms)))
        .collect()
}

/// What a room gets that no Room is for.
pub(super) fn without_document(default: RoomsDefault) -> Option<Arc<RoomPolicy>> {
    let open = RoomSpec::new("", "*");
    let everyone = || AccessRule::always(true);
    let rules = Rules {
        join: everyone(),
        publish: everyone(),
        presence: everyone(),
        history: None,
    };
    match default {
        RoomsDefault::Deny => None,
        RoomsDefault::Open => {
            let room = with("", &open, rules, Schemas::default());
            Some(Arc::new(RoomPolicy {
                source: None,
                ..room
            }))
        }
    }
}

fn compile(
    name: &str,
    document: &Room,
    left: &mut PatternBudget,
    problems: &mut Problems,
) -> Option<RoomPolicy> {
    let spec = &document.spec;
    let subject = format!("Room {name}");
    let before = left.left();
    let rules = rules(&subject, &spec.access, left, problems);
    let schemas = Schemas::compile_within(&spec.schemas, left).map_err(|errors| {
        for (event, error) in errors {
            problems.invalid(&subject, format!("spec.schemas.{event}"), error);
        }
    });
    let room = with(name, spec, rules?, schemas.ok()?);
    Some(RoomPolicy {
        pattern_bytes: before - left.left(),
        ..room
    })
}

fn rules(
    subject: &str,
    access: &RoomAccess,
    left: &mut PatternBudget,
    problems: &mut Problems,
) -> Option<Rules> {
    let mut rule = |field: &str, text: &str| {
        AccessRule::compile_within(text, left)
            .map_err(|error| problems.invalid(subject, format!("spec.access.{field}"), error))
            .ok()
    };
    let join = rule("join", &access.join);
    let publish = rule("publish", &access.publish);
    let presence = rule("presence", &access.presence);
    let history = access.history.as_ref().map(|text| rule("history", text));
    let history = match history {
        None => None,
        Some(compiled) => Some(compiled?),
    };
    Some(Rules {
        join: join?,
        publish: publish?,
        presence: presence?,
        history,
    })
}

fn with(name: &str, spec: &RoomSpec, rules: Rules, schemas: Schemas) -> RoomPolicy {
    RoomPolicy {
        name: name.into(),
        pattern: Pattern::new(&spec.match_),
        history: spec.history.as_ref().map(|history| History {
            max_messages: history.max_messages,
            max_age: history.max_age.map(sluice_crds::Duration::as_std),
        }),
        presence: Presence {
            enabled: spec.presence.enabled,
            announce: spec.presence.enabled && spec.presence.announce,
        },
        limits: RoomLimits {
            members: spec.limits.members,
            messages: Rate::per_second(spec.limits.messages_per_second),
        },
        schemas,
        on_slow_consumer: spec.on_slow_consumer,
        tally: crate::Tally::default(),
        rules,
        pattern_bytes: 0,
        source: Some(spec.clone()),
    }
}
