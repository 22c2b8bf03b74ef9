//! Objects of the API server as the operator keeps them: small, and whatever their kind.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, core::DynamicResourceScope};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _,
};
use serde_json::{Map, Value};

use crate::Kind;

/// An object of any kind: its metadata, and all else as JSON text, which is a fraction of the
/// memory that the parsed form takes. `managedFields` are left out, and so are `apiVersion` and
/// `kind`, which whoever watches knows.
///
/// Nothing in an object can make it unreadable: what its fields mean is found out by who asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    /// The object's metadata.
    pub(crate) metadata: ObjectMeta,
    /// What `spec.clusterRef` names, which is asked of every Room again and again.
    cluster: Option<Box<str>>,
    body: Box<str>,
}

impl Object {
    /// All fields but `apiVersion`, `kind` and `metadata`.
    pub(crate) fn body(&self) -> Map<String, Value> {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A field at the top of the object, such as `spec`; `null` if it is not there.
    pub(crate) fn field(&self, name: &str) -> Value {
        self.body().remove(name).unwrap_or_default()
    }

    /// A field at the top of the object, read as a type; `None` if it is not there or means
    /// something else.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.field(name)).ok()
    }

    /// Forgets every field at the top but one.
    pub(crate) fn keep_only(&mut self, name: &str) {
        let mut body = self.body();
        body.retain(|field, _| field == name);
        self.body = Value::Object(body).to_string().into();
    }

    /// The whole object, as it would be sent.
    pub(crate) fn to_value(&self) -> Value {
        let mut all = self.body();
        let metadata = serde_json::to_value(&self.metadata).unwrap_or_default();
        all.insert("metadata".to_owned(), metadata);
        Value::Object(all)
    }

    /// The `RealtimeCluster` that it says it belongs to.
    pub(crate) fn cluster_ref(&self) -> Option<&str> {
        self.cluster.as_deref()
    }

    /// The object's name, or nothing.
    pub(crate) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The Kubernetes namespace that the object is in, or nothing.
    pub(crate) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// The object's identity, or nothing.
    pub(crate) fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The generation of its spec, or 0.
    pub(crate) fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// A label's value.
    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        let labels = self.metadata.labels.as_ref()?;
        labels.get(key).map(String::as_str)
    }

    /// An annotation's value.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        let annotations = self.metadata.annotations.as_ref()?;
        annotations.get(key).map(String::as_str)
    }

    /// Whether the object of that identity controls this one.
    pub(crate) fn is_controlled_by(&self, uid: &str) -> bool {
        let owners = self.metadata.owner_references.iter().flatten();
        owners
            .into_iter()
            .any(|owner| owner.controller == Some(true) && owner.uid == uid)
    }

    /// Whether the object is on its way out.
    pub(crate) fn is_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}

impl Resource for Object {
    type DynamicType = Kind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &Kind) -> Cow<'_, str> {
        kind.name().into()
    }

    fn group(kind: &Kind) -> Cow<'_, str> {
        kind.group().into()
    }

    fn version(kind: &Kind) -> Cow<'_, str> {
        kind.version().into()
    }

    fn plural(kind: &Kind) -> Cow<'_, str> {
        kind.plural().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Map::deserialize(deserializer)?;
        let metadata = all.remove("metadata").unwrap_or_default();
        let mut metadata: ObjectMeta =
            serde_json::from_value(metadata).map_err(D::Error::custom)?;
        metadata.managed_fields = None;
        all.remove("apiVersion");
        all.remove("kind");
        let body = serde_json::to_string(&all).map_err(D::Error::custom)?;
        let cluster = all
            .get("spec")
            .and_then(|spec| spec.pointer("/clusterRef/name")?.as_str());
        Ok(Self {
            metadata,
            cluster: cluster.map(Into::into),
            body: body.into(),
        })
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_kept_without_what_nobody_asks_for() {
        let object: Object = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "b", "managedFields": [{"manager": "x"}]},
            "data": {"k": "v"},
        }))
        .unwrap();
        assert_eq!((object.name(), object.namespace()), ("a", "b"));
        assert_eq!(object.metadata.managed_fields, None);
        assert_eq!(object.field("data"), json!({"k": "v"}));
        assert_eq!(object.field("spec"), Value::Null);
        assert_eq!(
            object.to_value(),
            json!({"metadata": {"name": "a", "namespace": "b"}, "data": {"k": "v"}})
        );
    }

    #[test]
    fn only_the_controller_counts_as_the_owner() {
        let owned = |controller: bool| -> Object {
            let owner = json!({"apiVersion": "v1", "kind": "A", "name": "a", "uid": "u", "controller": controller});
            serde_json::from_value(json!({"metadata": {"ownerReferences": [owner]}})).unwrap()
        };
        assert!(owned(true).is_controlled_by("u"));
        assert!(!owned(false).is_controlled_by("u"));
        assert!(!owned(true).is_controlled_by("v"));
    }
}
