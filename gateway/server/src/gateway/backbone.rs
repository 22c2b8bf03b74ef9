//! The backbone that the documents name: `memory` for a gateway by itself, `nats` for a fleet.

use std::{io, sync::Arc, time::Duration};

use sluice_applications::Sockets;
use sluice_backbone::{Backbone, Memory, Workers};
use sluice_bucket::Connection;
use sluice_crds::Documents;
use sluice_nats::{
    Nats,
    core::Identity,
    streams::{self, Wanted},
};
use sluice_policy::Policy;
use tokio::{runtime::Runtime, sync::watch};

use super::{
    Setup,
    nats_login::{names, nats_login, options},
};
use crate::{
    applications::{Applications, Reach},
    rules,
};

/// How many copies of each message NATS servers keep that are there already, where they are a
/// cluster.
const REPLICAS: usize = 3;

/// The backbone of this gateway, and its connection where that is NATS.
pub(crate) struct ConfiguredBackbone {
    pub(super) backbone: Arc<dyn Backbone>,
    pub(super) nats: Option<Arc<Nats>>,
    /// How NATS is reached by others than the backbone.
    reach: Option<Reach>,
    wanted: Option<watch::Sender<Wanted>>,
}

impl ConfiguredBackbone {
    /// The backbone that the documents name. NATS is connected to in the background, so that a
    /// gateway starts without it.
    ///
    /// # Errors
    /// Where the documents name servers or credentials that cannot be used.
    pub(super) fn new(
        documents: &Documents,
        setup: &Setup,
        (number, workers): (u32, Arc<dyn Workers>),
        connection: Option<&Connection>,
        runtime: &Runtime,
    ) -> io::Result<Self> {
        let backbone = documents.cluster.spec.backbone.as_ref();
        if backbone.is_none_or(|backbone| backbone.nats.is_none()) {
            let memory = backbone.and_then(|backbone| backbone.memory.clone());
            let bytes = memory.unwrap_or_default().history_bytes;
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            return Ok(Self {
                backbone: Arc::new(Memory::bounded(workers, bytes)),
                nats: None,
                reach: None,
                wanted: None,
            });
        }
        let names = names(documents);
        let mut login = nats_login(documents, &setup.nats, setup.secrets.as_deref())?;
        login.name.clone_from(&setup.name);
        let identity = Identity {
            gateway: number,
            name: setup.name.as_str().into(),
            names: names.clone(),
            seed: rand::random(),
        };
        let reach = Reach {
            identity: sluice_applications::Identity {
                names: names.clone(),
                gateway: number,
                name: setup.name.as_str().into(),
                zone: None,
                payload_bytes: documents.cluster.spec.limits.payload_bytes() as usize,
            },
            options: options(&login)?,
        };
        let nats = Nats::start(identity, workers, options(&login)?)?;
        tell(&nats, documents);
        let (wanted, watched) = watch::channel(wanted(documents));
        let again = nats.looks();
        if let Some(connection) = connection {
            let client = connection.client().clone();
            let looks = Arc::clone(&nats);
            let kept = move || looks.with(|core, at, _| core.streams_kept(at));
            runtime.spawn(streams::keep(client, names, watched, again, kept));
        }
        Ok(Self {
            backbone: Arc::clone(&nats) as _,
            nats: Some(nats),
            reach: Some(reach),
            wanted: Some(wanted),
        })
    }

    /// The applications of a policy, whose instances are reached over the same NATS. To be called
    /// once.
    ///
    /// # Errors
    /// Where a thread cannot be started.
    pub(super) fn applications(
        &mut self,
        policy: &Policy,
        sockets: Arc<dyn Sockets>,
    ) -> io::Result<Arc<Applications>> {
        let applications = Applications::reached(self.reach.take(), sockets);
        applications.follow(policy)?;
        Ok(Arc::new(applications))
    }

    /// Works by other documents from now on.
    pub(super) fn reload(&self, documents: &Documents) {
        if let Some(wanted) = &self.wanted {
            wanted.send_replace(self::wanted(documents));
        }
        if let Some(nats) = &self.nats {
            tell(nats, documents);
        }
    }
}

/// What of the documents the backbone works by.
fn tell(nats: &Nats, documents: &Documents) {
    let spec = &documents.cluster.spec;
    let window = Duration::from(spec.recovery.window);
    nats.with(|core, _, _| core.set_recovery_window(window));
    nats.set_payload_bytes(spec.limits.payload_bytes() as usize);
}

/// What the Rooms need of the streams.
fn wanted(documents: &Documents) -> Wanted {
    let backbone = documents.cluster.spec.backbone.as_ref();
    let managed = backbone
        .and_then(|backbone| backbone.nats.as_ref())
        .and_then(|nats| nats.managed.as_ref());
    let histories = documents
        .rooms
        .iter()
        .filter_map(|room| room.spec.history.as_ref());
    let (mut messages_per_room, mut max_age) = (1, Duration::ZERO);
    for history in histories {
        let messages = history.max_messages.unwrap_or(rules::MAX_MESSAGES);
        messages_per_room = messages.max(messages_per_room);
        let age = history.max_age.map_or(rules::MAX_AGE, Into::into);
        max_age = age.max(max_age);
    }
    Wanted {
        replicas: managed.map_or(REPLICAS, |managed| managed.replicas as usize),
        messages_per_room,
        max_age,
    }
}
