//! All objects that belong to a cluster.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use sluice_crds::{Durability, RealtimeClusterSpec};

use crate::{
    Kind, Object,
    check::Secrets,
    context::Context,
    plan::{self, FILE, Keys, names::Names},
    secrets,
    trouble::Trouble,
};

/// A `RealtimeCluster` and all that belongs to it, as it was last seen.
pub(super) struct Inventory {
    pub(super) object: Arc<Object>,
    pub(super) rooms: Vec<Arc<Object>>,
    pub(super) secrets: Secrets,
    pub(super) keys: Keys,
    /// The documents that gateways start with.
    pub(super) documents: String,
    /// What was made for it, whatever its name.
    pub(super) made: Vec<(Kind, Arc<Object>)>,
    /// Its pods, of gateways and of NATS servers.
    pub(super) pods: Vec<Arc<Object>>,
}

/// Reads what is seen already, and the Secrets, which are not watched.
pub(super) async fn read(object: &Arc<Object>, context: &Context) -> Result<Inventory, Trouble> {
    let (namespace, name) = (object.namespace(), object.name());
    let stores = &context.stores;
    let made = Kind::MADE.into_iter().flat_map(|kind| {
        let objects = stores.of_cluster(kind, namespace, name);
        objects.into_iter().map(move |object| (kind, object))
    });
    let documents = stores.get(Kind::ConfigMap, namespace, &Names(name).documents());
    let documents = documents.filter(|map| map.is_controlled_by(object.uid()));
    let spec = object.field("spec");
    let managed = spec.pointer("/backbone/nats/managed").is_some();
    Ok(Inventory {
        object: Arc::clone(object),
        rooms: stores.of_cluster(Kind::Room, namespace, name),
        secrets: named(object, context).await?,
        keys: context
            .vault
            .keys(&context.writer, object, managed, &applications(&spec))
            .await?,
        documents: documents.map_or_else(String::new, |map| text(&map)),
        made: made.collect(),
        pods: stores.of_cluster(Kind::Pod, namespace, name),
    })
}

/// The names of the applications that a spec has.
fn applications(spec: &Value) -> BTreeSet<String> {
    let all = spec.get("applications").and_then(Value::as_array);
    let names = all.into_iter().flatten().map(|it| it.get("name"));
    names
        .filter_map(|name| name?.as_str().map(str::to_owned))
        .collect()
}

fn text(map: &Object) -> String {
    let data = map.field("data");
    let text = data.get(FILE).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// The Secrets that the cluster names, as far as they are there.
async fn named(object: &Object, context: &Context) -> Result<Secrets, Trouble> {
    let mut found = Secrets::new();
    for name in names(object) {
        let secret = context
            .vault
            .get(&context.writer, object.namespace(), &name)
            .await?;
        if let Some(secret) = secret {
            found.insert(name, secrets::data(&secret));
        }
    }
    Ok(found)
}

fn names(object: &Object) -> BTreeSet<String> {
    let Some(spec) = object.read::<RealtimeClusterSpec>("spec") else {
        return BTreeSet::new();
    };
    let references = spec
        .secret_refs()
        .into_iter()
        .map(|(_, key)| key.name.clone());
    let tls = spec.tls.iter().map(|tls| tls.secret_name.clone());
    references.chain(tls).collect()
}

impl Inventory {
    /// What a check depends on: it finds the same while this is the same.
    pub(super) fn to_check(&self) -> Value {
        let rooms = self.rooms.iter().map(|room| {
            json!([
                room.name(),
                room.uid(),
                room.generation(),
                room.is_deleted()
            ])
        });
        let mut rooms: Vec<_> = rooms.collect();
        rooms.sort_by_key(Value::to_string);
        json!([self.object.generation(), rooms, self.secrets])
    }

    /// How NATS servers that are there keep what they acknowledge.
    pub(super) fn durability(&self) -> Option<Durability> {
        let servers = self.owned(Kind::StatefulSet).next()?;
        Some(plan::durability(&servers.field("spec")))
    }

    /// An object that was made for the cluster, or has one of its names.
    pub(super) fn live(&self, kind: Kind, name: &str) -> Option<&Object> {
        let found = self
            .made
            .iter()
            .find(|(of, object)| *of == kind && object.name() == name);
        found.map(|(_, object)| object.as_ref())
    }

    /// The objects of a kind that the cluster owns.
    pub(super) fn owned(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let uid = self.object.uid();
        let of_kind = self.made.iter().filter(move |(of, _)| *of == kind);
        let objects = of_kind.map(|(_, object)| object.as_ref());
        objects.filter(move |object| object.is_controlled_by(uid))
    }
}
