//! What a `RealtimeCluster` says of `Secret`s.

use super::problem::{Problem, ProblemCode};
use super::yaml::Place;
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
    for (path, SecretKeyRef { name, key }) in references(spec) {
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

fn references(spec: &RealtimeClusterSpec) -> Vec<(&'static str, &SecretKeyRef)> {
    let jwt = spec
        .auth
        .jwt
        .as_ref()
        .and_then(|jwt| jwt.key_secret_ref.as_ref());
    let webhook = spec
        .backend
        .as_ref()
        .and_then(|backend| backend.webhook.as_ref());
    let nats = spec
        .backbone
        .as_ref()
        .and_then(|backbone| backbone.nats.as_ref());
    let nats = nats.and_then(|nats| nats.external.as_ref());
    [
        ("spec.auth.jwt.keySecretRef.key", jwt),
        (
            "spec.backend.webhook.secretRef.key",
            webhook.map(|webhook| &webhook.secret_ref),
        ),
        (
            "spec.serverApi.keySecretRef.key",
            spec.server_api.as_ref().map(|api| &api.key_secret_ref),
        ),
        (
            "spec.backbone.nats.external.credentialsSecretRef.key",
            nats.and_then(|nats| nats.credentials_secret_ref.as_ref()),
        ),
    ]
    .into_iter()
    .filter_map(|(path, reference)| Some((path, reference?)))
    .collect()
}
