//! Deployments, nodes and the Service.

use std::cmp::Reverse;

use rand::RngExt as _;

use crate::{
    gateway::Pod,
    world::{SECOND, World},
};

/// How many ticks the Service's endpoints lag behind labels and readiness.
const LAG: usize = 4;

impl World {
    /// Deployments start what is missing and remove what is too much; pods that no node took wait
    /// for one.
    pub fn control(&mut self) {
        let mut revisions: Vec<_> = self.pods.iter().map(|pod| pod.revision.clone()).collect();
        revisions.extend(self.deployments.keys().cloned());
        revisions.sort();
        revisions.dedup();
        for revision in revisions {
            let wanted = self.deployments.get(&revision).copied().unwrap_or(0) as usize;
            let live = self.live(&revision);
            for _ in live.len()..wanted {
                self.start_pod(&revision);
            }
            if live.len() > wanted {
                self.remove_pods(&revision, live.len() - wanted);
            }
        }
        self.place_pods();
    }

    fn live(&self, revision: &str) -> Vec<usize> {
        let live = |pod: &Pod| pod.revision == revision && !pod.terminating;
        (0..self.pods.len())
            .filter(|at| live(&self.pods[*at]))
            .collect()
    }

    fn start_pod(&mut self, revision: &str) {
        let id = self.next_pod;
        self.next_pod += 1;
        self.pods.push(Pod {
            id,
            name: format!("{revision}-{id}"),
            revision: revision.to_owned(),
            created: self.now,
            serving: true,
            ..Pod::default()
        });
        self.say(|_| format!("{revision}-{id} is created"));
    }

    fn place_pods(&mut self) {
        let open: Vec<_> = (0..self.nodes.len())
            .filter(|node| !self.nodes[*node])
            .collect();
        for at in 0..self.pods.len() {
            if self.pods[at].node.is_some() || open.is_empty() {
                continue;
            }
            let runs = self.rng.random_range(1..=4 * SECOND);
            let warm = self.rng.random_range(1..=15 * SECOND);
            let pod = &mut self.pods[at];
            pod.node = Some(open[self.rng.random_range(0..open.len())]);
            pod.runs_at = self.now + runs;
            pod.ready_at = pod.runs_at + warm;
        }
    }

    /// In the order of a `ReplicaSet`: what runs nowhere, what is not ready, the lowest cost, the
    /// newest.
    fn remove_pods(&mut self, revision: &str, count: usize) {
        let mut live = self.live(revision);
        live.sort_by_key(|at| {
            let pod = &self.pods[*at];
            (
                pod.node.is_some(),
                pod.running,
                pod.ready,
                pod.cost.unwrap_or(0),
                Reverse(pod.ready_at),
                Reverse(pod.id),
            )
        });
        for at in live.into_iter().take(count) {
            self.delete(at);
        }
    }

    pub fn delete(&mut self, at: usize) {
        let (now, pod) = (self.now, &mut self.pods[at]);
        pod.terminating = true;
        pod.gone = !pod.running;
        pod.begin_drain(now);
        let (name, clients) = (pod.name.clone(), pod.clients.len());
        self.say(|_| format!("{name} is deleted with {clients} clients"));
        self.note_deleted(clients as u64);
    }

    pub fn publish_endpoints(&mut self) {
        let serves = |pod: &&Pod| pod.serving && pod.ready && !pod.terminating;
        let now = self.pods.iter().filter(serves).map(|pod| pod.id).collect();
        self.endpoints.push_back(now);
        while self.endpoints.len() > LAG {
            self.endpoints.pop_front();
        }
    }
}
