//! What a `RealtimeCluster` says of `Secret`s.

use super::place::Place;
use super::problem::{Problem, ProblemCode};
use super::{Secret, suggest};
use crate::SecretKeyRef;
use crate::cluster::RealtimeClusterSpec;

/// A `Secret` that is there must have the key that is asked of it.
pub(super) fn check(
    place: &Place,
    spec: &RealtimeClusterSpec,
    secrets: &[(Place, Secret)],
    problems: &mut Vec<Problem>,
) {
    for (path, SecretKeyRef { name, key }) in spec.secret_refs() {
        let secret = secrets
            .iter()
            .map(|(_, secret)| secret)
            .find(|secret| secret.name == *name);
        let Some(secret) = secret.filter(|secret| secret.get(key).is_none()) else {
            continue;
        };
        let keys: Vec<&str> = secret.keys().collect();
        let message = format!(
            "the Secret {name} has no key {key}; {}",
            suggest::hint(key, &keys)
        );
        problems.push(Problem::at(
            place,
            path,
            ProblemCode::UnknownReference,
            message,
        ));
    }
}
