//! What only shows when all documents are seen together.

use std::collections::HashMap;
use std::hash::Hash;

use super::place::Place;
use super::problem::{Problem, ProblemCode};
use super::{Documents, Secret, Source, references};
use crate::{RealtimeCluster, Room};

/// The documents that were read, each with its place.
#[derive(Default)]
pub(super) struct ReadDocuments {
    pub(super) clusters: Vec<(Place, RealtimeCluster)>,
    pub(super) rooms: Vec<(Place, Room)>,
    pub(super) secrets: Vec<(Place, Secret)>,
    refused_clusters: Vec<Place>,
}

impl ReadDocuments {
    /// Notes a document that could not be read, so that it is not reported as missing too.
    pub(super) fn incomplete(&mut self, place: &Place) {
        if place.kind.as_deref() == Some("RealtimeCluster") {
            self.refused_clusters.push(place.clone());
        }
    }
}

/// Checks all documents together; returns them if there is exactly one `RealtimeCluster`.
pub(super) fn check(
    found: ReadDocuments,
    sources: &[Source<'_>],
    problems: &mut Vec<Problem>,
) -> Option<Documents> {
    same_names(&found, problems);
    same_matches(&found.rooms, problems);
    cluster_count(&found, sources, problems);
    if found.refused_clusters.is_empty()
        && let [(place, cluster)] = found.clusters.as_slice()
    {
        for (place, room) in &found.rooms {
            fits_cluster(place, room, cluster, problems);
        }
        references::check(place, &cluster.spec, &found.secrets, problems);
    }
    let (_, cluster) = found.clusters.into_iter().next()?;
    let rooms = found.rooms.into_iter().map(|(_, room)| room).collect();
    let secrets = found
        .secrets
        .into_iter()
        .map(|(_, secret)| secret)
        .collect();
    Some(Documents {
        cluster,
        rooms,
        secrets,
    })
}

fn cluster_count(found: &ReadDocuments, sources: &[Source<'_>], problems: &mut Vec<Problem>) {
    let places: Vec<&Place> = found
        .clusters
        .iter()
        .map(|(place, _)| place)
        .chain(&found.refused_clusters)
        .collect();
    let unreadable = problems
        .iter()
        .any(|problem| problem.code == ProblemCode::InvalidYaml);
    match places.as_slice() {
        [] if unreadable => {}
        [] => problems.push(no_cluster(sources)),
        [first, more @ ..] => {
            for place in more {
                let message = format!(
                    "there is another RealtimeCluster in {}; a gateway belongs to one, so keep one",
                    describe(first)
                );
                problems.push(Problem::at(place, "", ProblemCode::ClusterCount, message));
            }
        }
    }
}

fn no_cluster(sources: &[Source<'_>]) -> Problem {
    let names: Vec<&str> = sources.iter().map(|source| source.name).collect();
    Problem {
        file: if names.is_empty() {
            "no file".to_owned()
        } else {
            names.join(", ")
        },
        document: None,
        line: None,
        subject: None,
        path: String::new(),
        message: "there is no RealtimeCluster; add one, it says what the gateway does".to_owned(),
        code: ProblemCode::ClusterCount,
    }
}

fn same_names(found: &ReadDocuments, problems: &mut Vec<Problem>) {
    let places = found.rooms.iter().map(|(place, _)| place);
    let places = places.chain(found.secrets.iter().map(|(place, _)| place));
    let named = places.map(|place| (place, (place.kind.clone(), place.name.clone())));
    twice(named, |place, first| {
        let message = format!("{} has the same name; rename one", describe(first));
        problems.push(Problem::at(
            place,
            "metadata.name",
            ProblemCode::Duplicate,
            message,
        ));
    });
}

fn same_matches(rooms: &[(Place, Room)], problems: &mut Vec<Problem>) {
    let matches = rooms.iter().map(|(place, room)| {
        let spec = &room.spec;
        (
            place,
            (&spec.cluster_ref.name, &spec.namespace, &spec.match_),
        )
    });
    twice(matches, |place, first| {
        let message = format!(
            "{} matches the same rooms in the same namespace; merge the two, or change one",
            describe(first)
        );
        problems.push(Problem::at(
            place,
            "spec.match",
            ProblemCode::Duplicate,
            message,
        ));
    });
}

/// Calls `found` with each place whose key another place had before it, and with that one.
fn twice<'a, K: Eq + Hash>(
    items: impl Iterator<Item = (&'a Place, K)>,
    mut found: impl FnMut(&Place, &Place),
) {
    let mut seen: HashMap<K, &Place> = HashMap::new();
    for (place, key) in items {
        match seen.get(&key) {
            Some(first) => found(place, first),
            None => drop(seen.insert(key, place)),
        }
    }
}

fn fits_cluster(
    place: &Place,
    room: &Room,
    cluster: &RealtimeCluster,
    problems: &mut Vec<Problem>,
) {
    let (wanted, name) = (
        &room.spec.cluster_ref.name,
        cluster.metadata.name.as_deref(),
    );
    if let Some(name) = name.filter(|name| name != wanted) {
        let message = format!("there is no RealtimeCluster {wanted}; the one here is {name}");
        let path = "spec.clusterRef.name";
        problems.push(Problem::at(
            place,
            path,
            ProblemCode::UnknownReference,
            message,
        ));
    }
    let (own, other) = (&room.metadata.namespace, &cluster.metadata.namespace);
    if let (Some(own), Some(other)) = (own, other)
        && own != other
    {
        let message = format!(
            "this Room is in the Kubernetes namespace {own} and its RealtimeCluster in {other}; put both in one"
        );
        let path = "metadata.namespace";
        problems.push(Problem::at(
            place,
            path,
            ProblemCode::UnknownReference,
            message,
        ));
    }
    let namespace = &room.spec.namespace;
    if !cluster.spec.has_namespace(namespace) {
        let message = format!(
            "the RealtimeCluster has no namespace {namespace}, so no client can get there; add it to its spec.namespaces"
        );
        problems.push(Problem::at(
            place,
            "spec.namespace",
            ProblemCode::UnknownReference,
            message,
        ));
    }
}

fn describe(place: &Place) -> String {
    let subject = place.subject().unwrap_or_default();
    format!("{}, document {} ({subject})", place.file, place.document)
}
