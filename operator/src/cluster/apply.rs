//! Making what is planned, and removing what is planned no more.

use std::collections::BTreeSet;

use serde_json::json;

use super::{moves::Moves, read::Seen};
use crate::{
    Kind, Object,
    apply::Written,
    context::Context,
    plan::{
        self, Inputs, Planned,
        names::{Names, REVISION},
    },
    trouble::{Effect, Trouble},
};

/// Makes everything, as far as that is possible: what one object is refused for keeps no other
/// from being made.
pub(super) async fn apply(
    seen: &Seen,
    inputs: &Inputs<'_>,
    moves: &Moves,
    context: &Context,
) -> Vec<Trouble> {
    let (wanted, sizes) = (&moves.observed.revision, &moves.decision.replicas);
    let mut planned = plan::plan(inputs);
    planned.extend(
        sizes
            .get(wanted)
            .map(|replicas| plan::deployment(inputs, *replicas)),
    );
    let mut names: BTreeSet<_> = planned
        .iter()
        .map(|it| (it.kind, it.name.clone()))
        .collect();
    let all = sizes
        .keys()
        .map(|it| (Kind::Deployment, inputs.cluster.names().deployment(it)));
    names.extend(all);
    let mut troubles = moves.mark(seen, context).await;
    for object in planned {
        if context.apis.have(object.kind) {
            troubles.extend(make(seen, inputs, object, context).await.err());
        }
    }
    for deployment in seen.owned(Kind::Deployment) {
        let revision = deployment.label(REVISION).unwrap_or_default();
        if let Some(replicas) = sizes.get(revision).filter(|_| revision != wanted) {
            troubles.extend(resize(deployment, *replicas, context).await.err());
        }
    }
    moves.tell(seen).await;
    // While something cannot be made, nothing is taken away.
    if troubles
        .iter()
        .all(|trouble| trouble.effect == Effect::Notes)
    {
        troubles.extend(clear(seen, &names, context).await);
    }
    troubles
}

async fn make(
    seen: &Seen,
    inputs: &Inputs<'_>,
    planned: Planned,
    context: &Context,
) -> Result<(), Trouble> {
    let (kind, name) = (planned.kind, planned.name.clone());
    let namespace = seen.object.namespace();
    let read = match kind {
        Kind::Secret => context.vault.get(&context.writer, namespace, &name).await?,
        _ => None,
    };
    let live = read.as_deref().or_else(|| seen.live(kind, &name));
    let written = context
        .writer
        .apply(seen.object.uid(), namespace, planned, live)
        .await?;
    if written == Written::Changed && name == inputs.cluster.names().documents() {
        touch(seen, inputs, context).await;
    }
    if written != Written::Unchanged {
        context.vault.forget(namespace, &name);
        tracing::info!(%kind, %name, %namespace, cluster = %seen.object.name(), ?written, "an object was made as it is planned");
    }
    Ok(())
}

/// Has the kubelet give a gateway its documents at once, which is the only way that they take where
/// there is no NATS: it looks at what is mounted into a pod when the pod changes, else once a
/// minute.
async fn touch(seen: &Seen, inputs: &Inputs<'_>, context: &Context) {
    if inputs.cluster.nats().is_some() {
        return;
    }
    let digest = sluice_bucket::digest(inputs.documents);
    let fields = json!({"metadata": {"annotations": {"sluice.dev/documents": digest}}});
    for pod in &seen.pods {
        let changed = context
            .writer
            .change(Kind::Pod, pod.namespace(), pod.name(), &fields)
            .await;
        if let Err(trouble) = changed {
            tracing::warn!(pod = %pod.name(), %trouble, "a gateway gets its documents a minute later");
        }
    }
}

/// Only the size of an earlier revision is decided here; the rest of it stays as it was made.
async fn resize(deployment: &Object, replicas: u32, context: &Context) -> Result<(), Trouble> {
    let spec = deployment.field("spec");
    if spec.get("replicas") == Some(&json!(replicas)) {
        return Ok(());
    }
    let fields = json!({"spec": {"replicas": replicas}});
    let (namespace, name) = (deployment.namespace(), deployment.name());
    context
        .writer
        .change(Kind::Deployment, namespace, name, &fields)
        .await
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
        if *kind == Kind::StatefulSet {
            troubles.extend(clear_logins(seen, context).await.err());
        }
    }
    troubles
}

/// The logins of NATS servers go with them; being Secrets, they are not seen by watching.
async fn clear_logins(seen: &Seen, context: &Context) -> Result<(), Trouble> {
    let (namespace, names) = (seen.object.namespace(), Names(seen.object.name()));
    for user in ["servers", "gateway", "operator", "backend"] {
        let name = names.nats_login(user);
        let secret = context.writer.get(Kind::Secret, namespace, &name).await?;
        let ours = secret.filter(|it| it.is_controlled_by(seen.object.uid()));
        if let Some(secret) = ours {
            context.vault.forget(namespace, &name);
            context.writer.delete(Kind::Secret, &secret).await?;
        }
    }
    Ok(())
}
