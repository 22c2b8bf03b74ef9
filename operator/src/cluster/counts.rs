//! What goes on in a cluster's rooms, as its gateways have counted it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sluice_contract::RoomCounts;
use sluice_util::lock;

use super::{inventory::Inventory, moves::Moves};
use crate::room::{Activities, Activity};

/// How often gateways are asked, at most, and so how often a number in a Room's status changes.
const EVERY: Duration = Duration::from_secs(30);

/// What gateways have said.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// Whether one of them can store messages of rooms with history; `None` where none answers.
    pub(super) stores: Option<bool>,
    /// What goes on by Room; `None` until all have answered once.
    pub(super) activities: Option<Arc<Activities>>,
}

/// What they have said, and what the next count is compared with.
#[derive(Debug)]
struct LastCount {
    asked: Instant,
    counted: Counted,
    /// When all answered last, and what each had counted then, by its name.
    published: Option<(Instant, Published)>,
}

type Published = HashMap<String, HashMap<String, u64>>;

/// What the gateways of each cluster have counted, by the clusters' identities.
#[derive(Default)]
pub(super) struct Counts(Mutex<HashMap<String, LastCount>>);

impl Counts {
    /// What the gateways of a cluster have counted: asks them, unless that was done a moment ago
    /// and nothing is waited for.
    pub(super) async fn count(&self, inventory: &Inventory, moves: &Moves) -> Counted {
        let (uid, now) = (inventory.object.uid(), Instant::now());
        let last = lock(&self.0).remove(uid);
        let last = match last {
            Some(last) if !last.is_due(now) => last,
            last => LastCount::after(last, now, ask(inventory, moves).await),
        };
        let counted = last.counted.clone();
        lock(&self.0).insert(uid.to_owned(), last);
        counted
    }

    /// Forgets the clusters that are gone.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        lock(&self.0).retain(|uid, _| is_there(uid));
    }
}

/// What each gateway says that runs and does not end; `None` where it does not answer.
async fn ask(inventory: &Inventory, moves: &Moves) -> Vec<(String, Option<RoomCounts>)> {
    let pods = moves.observed.pods.iter();
    let running = pods.filter(|pod| pod.running && !pod.terminating);
    let asked = running.map(|pod| async move {
        // One that did not answer a moment ago is not waited for again.
        let seen = match pod.connections {
            Some(_) => moves.rooms(inventory, &pod.name).await,
            None => None,
        };
        (pod.name.clone(), seen)
    });
    join_all(asked).await
}

impl LastCount {
    /// While nobody stores anything, that is waited for.
    fn is_due(&self, now: Instant) -> bool {
        self.counted.stores != Some(true) || now.duration_since(self.asked) >= EVERY
    }

    /// What is known after these answers. Where one is missing, the numbers stay as they were: a
    /// part of them would be wrong.
    fn after(last: Option<Self>, now: Instant, answers: Vec<(String, Option<RoomCounts>)>) -> Self {
        let stores = answers
            .iter()
            .flat_map(|(_, seen)| seen)
            .map(|seen| seen.stores);
        let stores = stores.reduce(|one, other| one || other);
        let (activities, published) = last.map_or((None, None), |last| {
            (last.counted.activities, last.published)
        });
        let all: Option<Vec<_>> = answers
            .into_iter()
            .map(|(name, seen)| Some((name, seen?)))
            .collect();
        let early = published
            .as_ref()
            .is_some_and(|(at, _)| now.duration_since(*at) < EVERY);
        let (activities, published) = match all {
            Some(all) if !early => {
                let activities = sum(&all, published.as_ref(), now);
                (Some(Arc::new(activities)), Some((now, by_gateway(all))))
            }
            _ => (activities, published),
        };
        Self {
            asked: now,
            counted: Counted { stores, activities },
            published,
        }
    }
}

fn by_gateway(all: Vec<(String, RoomCounts)>) -> Published {
    let rooms = |seen: RoomCounts| {
        seen.rooms
            .into_iter()
            .map(|room| (room.name.into(), room.published))
    };
    all.into_iter()
        .map(|(gateway, seen)| (gateway, rooms(seen).collect()))
        .collect()
}

fn sum(
    all: &[(String, RoomCounts)],
    before: Option<&(Instant, Published)>,
    now: Instant,
) -> Activities {
    let mut members: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (gateway, seen) in all {
        for room in &seen.rooms {
            let known = before.and_then(|(_, published)| published.get(gateway)?.get(&*room.name));
            // What is counted anew was not counted before.
            let new = known.map_or(0, |known| room.published.saturating_sub(*known));
            let entry = members.entry(&*room.name).or_default();
            *entry = (entry.0 + room.members, entry.1 + new);
        }
    }
    let seconds = before.map(|(at, _)| now.duration_since(*at).as_secs_f64());
    let activities = members.into_iter().map(|(name, (members, new))| {
        let activity = Activity {
            members: i64::try_from(members).unwrap_or(i64::MAX),
            rate: seconds.map(|seconds| per_second(new, seconds)),
        };
        (name.to_owned(), activity)
    });
    activities.collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate need not be exact beyond 2^52 messages"
)]
fn per_second(messages: u64, seconds: f64) -> i64 {
    (messages as f64 / seconds.max(1.0)).round() as i64
}

#[cfg(test)]
mod tests;
