//! What reaches workers.

use std::sync::Arc;

use sluice_contract::application::Read;
use tokio::sync::oneshot;

use crate::{Cast, Claim, Deed, Instance, Mark, Undelivered};

/// What instances say, or what became of them.
#[derive(Debug, Clone)]
pub enum Arrival {
    /// An instance can be [picked](crate::Application::pick) that could not before.
    Present(Arc<str>),
    /// An instance says something to one session of this worker.
    Said {
        /// Who says it.
        instance: Arc<Instance>,
        /// To whom.
        handle: u64,
        /// What.
        entry: Read,
        /// The number of the last emission that is kept, of those up to this.
        seq: u64,
        /// What its reader has got with it, where it is an emission and lost connections are
        /// recovered.
        mark: Option<Mark>,
    },
    /// An instance does something to all who are selected.
    Cast(Arc<Cast>),
    /// A client claims its session. Whoever has it keeps it for that.
    Claimed(Arc<Claimed>),
    /// An instance is about to end, and its sessions are to go to others.
    Leaving(Arc<Instance>),
    /// An instance is not there any more. What it was said and did not take comes along, for the
    /// sessions of all workers.
    Gone(Arc<Instance>, Arc<[Undelivered]>),
}

impl Arrival {
    /// How many bytes it holds, roughly.
    pub fn size(&self) -> usize {
        let bodies = |bodies: &[bytes::Bytes]| bodies.iter().map(bytes::Bytes::len).sum::<usize>();
        match self {
            Self::Said { entry, .. } => bodies(&entry.bodies),
            Self::Cast(cast) => match &cast.deed {
                Deed::Emit(emission) => emission.size(),
                _ => 0,
            },
            _ => 0,
        }
    }
}

/// A claim that goes round all workers. Who waits for them is told when the last one drops it.
#[derive(Debug)]
pub struct Claimed {
    /// What is claimed.
    pub claim: Claim,
    pub(crate) _done: oneshot::Sender<()>,
}

/// The workers, as applications see them.
pub trait Sockets: std::fmt::Debug + Send + Sync + 'static {
    /// How many there are.
    fn count(&self) -> usize;

    /// Hands things to one worker, in their order.
    fn deliver(&self, worker: usize, arrivals: Vec<Arrival>);

    /// Whether any worker has so much to read that nothing more should come.
    fn is_full(&self) -> bool;
}
