//! Making objects as they are wanted, with no more writes than that takes.

mod memory;

use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::{Value, json};

use self::memory::{Key, Memory};
use crate::{
    Kind, Object,
    compare::differences,
    digest,
    metrics::Metrics,
    plan::{APPLIED, MANAGER, Planned},
    reason,
    trouble::{Trouble, refused},
};

/// Writes objects, and remembers what it wrote.
pub(crate) struct Writer {
    client: Client,
    memory: Memory,
    metrics: Metrics,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was as it is wanted, and nothing was written.
    Unchanged,
    /// It was not there, and was made.
    Created,
    /// It was not as it is wanted, and was changed.
    Changed,
}

impl Writer {
    /// A writer that counts what it does.
    pub(crate) fn new(client: Client, metrics: Metrics) -> Self {
        Self {
            client,
            memory: Memory::default(),
            metrics,
        }
    }

    /// The objects of a kind in a Kubernetes namespace.
    pub(crate) fn api(&self, kind: Kind, namespace: &str) -> Api<Object> {
        Api::namespaced_with(self.client.clone(), namespace, &kind)
    }

    /// Makes an object as it is planned. `live` is the object as it was last seen, if it was.
    ///
    /// An object of that name that belongs to somebody else is left alone.
    ///
    /// # Errors
    /// What is in the way.
    pub(crate) async fn apply(
        &self,
        owner: &str,
        namespace: &str,
        planned: Planned,
        live: Option<&Object>,
    ) -> Result<Written, Trouble> {
        let Planned {
            kind,
            name,
            mut value,
        } = planned;
        let wanted = digest(&value);
        value["metadata"]["annotations"][APPLIED] = wanted.as_str().into();
        let key = Key::new(kind, namespace, &name);
        // Only what is not seen is asked for: it may be somebody else's, or just made.
        let found = match live {
            Some(_) => None,
            None => self.get(kind, namespace, &name).await?,
        };
        let live = live.or(found.as_ref());
        if let Some(live) = live {
            belongs(kind, live, owner)?;
            if self.memory.is_as_wanted(&key, &wanted, &value, live) {
                return Ok(Written::Unchanged);
            }
        }
        let applied = self.patch(kind, namespace, &name, &value).await?;
        let odd = differences(&value, &applied.to_value());
        self.memory.note(key, wanted, &applied, odd);
        Ok(if live.is_some() {
            Written::Changed
        } else {
            Written::Created
        })
    }

    async fn patch(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        value: &Value,
    ) -> Result<Object, Trouble> {
        let params = PatchParams::apply(MANAGER).force();
        let patched = self
            .api(kind, namespace)
            .patch(name, &params, &Patch::Apply(value))
            .await;
        self.metrics.wrote(kind, "apply");
        patched.map_err(|error| refused(&format!("the {kind} {name} cannot be made"), &error))
    }

    /// The object as it is now.
    ///
    /// # Errors
    /// Where the API server does not say.
    pub(crate) async fn get(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, Trouble> {
        let found = self.api(kind, namespace).get_opt(name).await;
        found.map_err(|error| refused(&format!("the {kind} {name} cannot be read"), &error))
    }

    /// Changes some fields of an object that is there.
    ///
    /// # Errors
    /// What is in the way.
    pub(crate) async fn change(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        fields: &Value,
    ) -> Result<(), Trouble> {
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let changed = self
            .api(kind, namespace)
            .patch(name, &params, &Patch::Merge(fields))
            .await;
        self.metrics.wrote(kind, "patch");
        match changed {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(refused(
                &format!("the {kind} {name} cannot be changed"),
                &error,
            )),
        }
    }

    /// Deletes an object, if it is still the one that was seen. What it owns goes with it.
    ///
    /// # Errors
    /// What is in the way.
    pub(crate) async fn delete(&self, kind: Kind, live: &Object) -> Result<(), Trouble> {
        let (namespace, name) = (live.namespace(), live.name());
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: live.metadata.uid.clone(),
                ..Preconditions::default()
            }),
            ..DeleteParams::background()
        };
        let deleted = self.api(kind, namespace).delete(name, &params).await;
        self.metrics.wrote(kind, "delete");
        self.memory.forget(&Key::new(kind, namespace, name));
        match deleted {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            Err(error) => Err(refused(
                &format!("the {kind} {name} cannot be deleted"),
                &error,
            )),
        }
    }

    /// Sets an object's status, unless it is that already.
    ///
    /// # Errors
    /// What is in the way.
    pub(crate) async fn status(
        &self,
        kind: Kind,
        object: &Object,
        status: &Value,
    ) -> Result<bool, Trouble> {
        let key = Key::new(kind, object.namespace(), object.name());
        if self.memory.status_is(&key, object, status) {
            return Ok(false);
        }
        let body = json!({
            "apiVersion": kind.api_version(),
            "kind": kind.name(),
            "metadata": {"name": object.name(), "uid": object.uid()},
            "status": status,
        });
        let params = PatchParams::apply(MANAGER).force();
        let api = self.api(kind, object.namespace());
        let patched = api
            .patch_status(object.name(), &params, &Patch::Apply(&body))
            .await;
        self.metrics.wrote(kind, "status");
        match patched {
            Ok(patched) => {
                self.memory.note_status(key, &patched, status);
                Ok(true)
            }
            // It is gone, or another one of its name is there.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
            Err(error) => Err(refused(
                &format!("the status of {kind} {} cannot be written", object.name()),
                &error,
            )),
        }
    }

    /// Forgets all that was written for a cluster that is gone.
    pub(crate) fn forget(&self, namespace: &str, names: impl Fn(&str) -> bool) {
        self.memory.forget_all(namespace, names);
    }
}

fn belongs(kind: Kind, live: &Object, owner: &str) -> Result<(), Trouble> {
    if live.is_controlled_by(owner) {
        if live.is_deleted() {
            let message = format!(
                "the {kind} {} is being deleted; it is made again when it is gone",
                live.name()
            );
            return Err(Trouble::waits(reason::BEING_DELETED, message));
        }
        return Ok(());
    }
    let message = format!(
        "there is a {kind} {} that belongs to somebody else, and it is left alone; delete or rename it, or give the RealtimeCluster another name",
        live.name()
    );
    Err(Trouble::stalls(reason::NAME_TAKEN, message))
}
