//! Claims of sessions that the workers are asked about.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use sluice_rooms::Pid;
use sluice_util::lock;
use tokio::sync::oneshot;

use crate::{BackboneEvent, Claim, Completion, Error, Gather, Record, Reply, Workers};

/// A client's word: whoever says the same is the same client.
type Said = (Pid, Arc<str>, Arc<str>);

/// Who waits for an answer.
struct Waiting {
    worker: usize,
    tell: oneshot::Sender<Result<Option<Record>, Error>>,
}

/// All claims that are not answered yet.
#[derive(Default)]
pub(super) struct Claims(Mutex<HashMap<Said, Waiting>>);

impl Claims {
    /// Has the other workers asked for a session. Of two claims of one client the later one gets
    /// it: nobody waits for the other any more.
    pub(super) fn claim(
        self: &Arc<Self>,
        workers: &Arc<dyn Workers>,
        worker: usize,
        claim: &Claim,
    ) -> Reply<Option<Record>> {
        let (tell, told) = oneshot::channel();
        let waiting = Waiting { worker, tell };
        if let Some(earlier) = lock(&self.0).insert(said(claim), waiting) {
            // Whoever waited may be gone. The workers are asked already.
            let _ = earlier.tell.send(Ok(None));
            return Reply::told(told);
        }
        let (claims, all, key) = (Arc::clone(self), Arc::clone(workers), said(claim));
        let gather = Gather::then(move |mut records: Vec<Record>| {
            claims.answer(&*all, &key, records.pop());
        });
        for other in (0..workers.count()).filter(|other| *other != worker) {
            workers.deliver(other, BackboneEvent::Claim(claim.clone(), gather.clone()));
        }
        Reply::told(told)
    }

    /// Hands over what was found through the worker's inbox: whoever claims the session from now on
    /// asks that worker behind it, and so once the session is there.
    fn answer(&self, workers: &dyn Workers, said: &Said, record: Option<Record>) {
        let mut open = lock(&self.0);
        let Some(Waiting { worker, tell }) = open.remove(said) else {
            return;
        };
        let answer = Completion::new(tell, move || Ok(record));
        workers.deliver(worker, BackboneEvent::Completion(answer));
    }
}

fn said(claim: &Claim) -> Said {
    let (user, namespace) = (Arc::clone(&claim.user), Arc::clone(&claim.namespace));
    (claim.pid, user, namespace)
}
