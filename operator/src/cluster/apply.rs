//! Making what is planned, and removing what is planned no more.

use std::collections::BTreeSet;

use serde_json::json;

use super::{facts::Facts, read::Seen, sizes::sizes};
use crate::{
    Kind, Object,
    apply::Written,
    context::Context,
    plan::{self, Inputs, Planned, names::REVISION},
    trouble::{Effect, Trouble},
};

/// Makes everything, as far as that is possible: what one object is refused for keeps no other
/// from being made.
pub(super) async fn apply(
    seen: &Seen,
    inputs: &Inputs<'_>,
    facts: &Facts,
    context: &Context,
) -> Vec<Trouble> {
    let mut planned = plan::plan(inputs);
    let sizes = sizes(&facts.revision, facts.wanted, &facts.revisions);
    let replicas = sizes.get(&facts.revision).copied().unwrap_or(facts.wanted);
    planned.push(plan::deployment(inputs, replicas));
    let mut names: BTreeSet<_> = planned.iter().map(|it| (it.kind, it.name.clone())).collect();
    let earlier = sizes.keys().map(|it| (Kind::Deployment, inputs.cluster.names().deployment(it)));
    names.extend(earlier);
    let mut troubles = Vec::new();
    for object in planned {
        if context.apis.have(object.kind) {
            troubles.extend(make(seen, object, context).await.err());
        }
    }
    for deployment in seen.owned(Kind::Deployment) {
        let revision = deployment.label(REVISION).unwrap_or_default();
        if let Some(replicas) = sizes.get(revision).filter(|_| revision != facts.revision) {
            troubles.extend(resize(deployment, *replicas, context).await.err());
        }
    }
    // While something cannot be made, nothing is taken away.
    if troubles.iter().all(|trouble| trouble.effect == Effect::Notes) {
        troubles.extend(clear(seen, &names, context).await);
    }
    troubles
}

async fn make(seen: &Seen, planned: Planned, context: &Context) -> Result<(), Trouble> {
    let (kind, name) = (planned.kind, planned.name.clone());
    let namespace = seen.object.namespace();
    let read = match kind {
        Kind::Secret => context.vault.get(&context.writer, namespace, &name).await?,
        _ => None,
    };
    let live = read.as_deref().or_else(|| seen.live(kind, &name));
    let written = context.writer.apply(seen.object.uid(), namespace, planned, live).await?;
    if written != Written::Unchanged {
        context.vault.forget(namespace, &name);
        tracing::info!(%kind, %name, %namespace, cluster = %seen.object.name(), ?written, "an object was made as it is planned");
    }
    Ok(())
}

/// Only the size of an earlier revision is decided here; the rest of it stays as it was made.
async fn resize(deployment: &Object, replicas: u32, context: &Context) -> Result<(), Trouble> {
    let spec = deployment.field("spec");
    if spec.get("replicas") == Some(&json!(replicas)) {
        return Ok(());
    }
    let fields = json!({"spec": {"replicas": replicas}});
    let (namespace, name) = (deployment.namespace(), deployment.name());
    context.writer.change(Kind::Deployment, namespace, name, &fields).await
}

async fn clear(seen: &Seen, planned: &BTreeSet<(Kind, String)>, context: &Context) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for (kind, object) in &seen.made {
        let ours = object.is_controlled_by(seen.object.uid()) && !object.is_deleted();
        if !ours || planned.contains(&(*kind, object.name().to_owned())) {
            continue;
        }
        tracing::info!(%kind, name = %object.name(), namespace = %object.namespace(), "an object is planned no more and is deleted");
        troubles.extend(context.writer.delete(*kind, object).await.err());
    }
    troubles
}
