//! Making what is planned, and removing what is planned no more.

use std::collections::BTreeSet;

use serde_json::json;
use sluice_contract::documents_digest;

use super::{inventory::Inventory, moves::Moves};
use crate::{
    Kind, Object,
    apply::Written,
    context::Context,
    plan::{
        self, Inputs, Planned,
        names::{Names, REVISION},
    },
    secrets,
    trouble::{Effect, Trouble},
};

/// Makes everything, as far as that is possible: what one object is refused for keeps no other
/// from being made.
pub(super) async fn apply(
    inventory: &Inventory,
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
    let mut troubles = moves.mark(inventory, context).await;
    for object in planned {
        if context.apis.have(object.kind) {
            troubles.extend(make(inventory, inputs, object, context).await.err());
        }
    }
    for deployment in inventory.owned(Kind::Deployment) {
        let revision = deployment.label(REVISION).unwrap_or_default();
        if let Some(replicas) = sizes.get(revision).filter(|_| revision != wanted) {
            troubles.extend(resize(deployment, *replicas, context).await.err());
        }
    }
    moves.tell(inventory).await;
    // While something cannot be made, nothing is taken away.
    if troubles
        .iter()
        .all(|trouble| trouble.effect == Effect::Notes)
    {
        troubles.extend(clear(inventory, &names, context).await);
        let former = inventory.keys.nats.former_applications.keys();
        let former = former.map(|name| plan::application_user(name)).collect();
        troubles.extend(clear_logins(inventory, former, context).await.err());
    }
    troubles
}

async fn make(
    inventory: &Inventory,
    inputs: &Inputs<'_>,
    planned: Planned,
    context: &Context,
) -> Result<(), Trouble> {
    let (kind, name) = (planned.kind, planned.name.clone());
    let namespace = inventory.object.namespace();
    let read = match kind {
        Kind::Secret => context.vault.get(&context.writer, namespace, &name).await?,
        _ => None,
    };
    let live = read.as_deref().or_else(|| inventory.live(kind, &name));
    let written = context
        .writer
        .apply(inventory.object.uid(), namespace, planned, live)
        .await?;
    if written == Written::Changed && name == inputs.cluster.names().documents() {
        touch(inventory, inputs, context).await;
    }
    if written != Written::Unchanged {
        context.vault.forget(namespace, &name);
        tracing::info!(%kind, %name, %namespace, cluster = %inventory.object.name(), ?written, "an object was made as it is planned");
    }
    Ok(())
}

/// Has the kubelet give a gateway its documents at once, which is the only way that they take where
/// there is no NATS: it looks at what is mounted into a pod when the pod changes, else once a
/// minute.
async fn touch(inventory: &Inventory, inputs: &Inputs<'_>, context: &Context) {
    if inputs.cluster.nats().is_some() {
        return;
    }
    let digest = documents_digest(inputs.documents);
    let fields = json!({"metadata": {"annotations": {"sluice.dev/documents": digest}}});
    for pod in &inventory.pods {
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

async fn clear(
    inventory: &Inventory,
    planned: &BTreeSet<(Kind, String)>,
    context: &Context,
) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for (kind, object) in &inventory.made {
        let ours = object.is_controlled_by(inventory.object.uid()) && !object.is_deleted();
        if !ours || planned.contains(&(*kind, object.name().to_owned())) {
            continue;
        }
        tracing::info!(%kind, name = %object.name(), namespace = %object.namespace(), "an object is planned no more and is deleted");
        troubles.extend(context.writer.delete(*kind, object).await.err());
        if *kind == Kind::StatefulSet {
            let logins = logins(inventory, context).await;
            troubles.extend(clear_logins(inventory, logins, context).await.err());
        }
    }
    troubles
}

/// Who may connect to NATS servers, the servers themselves last, whose Secret knows the others.
async fn logins(inventory: &Inventory, context: &Context) -> Vec<String> {
    let (namespace, names) = (inventory.object.namespace(), Names(inventory.object.name()));
    let servers = names.nats_login("servers");
    let servers = context
        .vault
        .get(&context.writer, namespace, &servers)
        .await;
    let stored = servers.ok().flatten();
    let stored = stored
        .map(|secret| secrets::data(&secret))
        .unwrap_or_default();
    let applications = stored
        .into_keys()
        .filter(|user| plan::application_of(user).is_some());
    let always = ["gateway", "operator", "backend"].map(str::to_owned);
    let all = always.into_iter().chain(applications);
    all.chain(["servers".to_owned()]).collect()
}

/// Deletes logins that are wanted no more, of NATS servers that go and of former applications; being
/// Secrets, they are not watched.
async fn clear_logins(
    inventory: &Inventory,
    users: Vec<String>,
    context: &Context,
) -> Result<(), Trouble> {
    let (namespace, names) = (inventory.object.namespace(), Names(inventory.object.name()));
    for user in users {
        let name = names.nats_login(&user);
        let secret = context.writer.get(Kind::Secret, namespace, &name).await?;
        let ours = secret.filter(|it| it.is_controlled_by(inventory.object.uid()));
        if let Some(secret) = ours {
            context.vault.forget(namespace, &name);
            context.writer.delete(Kind::Secret, &secret).await?;
        }
    }
    Ok(())
}
