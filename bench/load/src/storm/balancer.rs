//! Which gateway a new connection goes to: each one that is ready, in turn.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{interval, timeout};

use super::Shared;
use crate::http;

/// How often readiness is looked at.
pub(super) const PROBE: Duration = Duration::from_millis(250);

/// How long the answer may take.
const ANSWER: Duration = Duration::from_secs(1);

/// Where one gateway takes clients, and where it says whether it is ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoints {
    pub(super) clients: SocketAddr,
    pub(super) operations: SocketAddr,
}

/// The gateways that get connections.
#[derive(Debug, Default)]
pub(super) struct Balancer {
    serving: RefCell<Vec<SocketAddr>>,
    turn: Cell<usize>,
}

impl Balancer {
    /// From now on these get connections, and no others.
    pub(super) fn serve(&self, addresses: &[SocketAddr]) {
        *self.serving.borrow_mut() = addresses.to_vec();
    }

    /// The gateway whose turn it is.
    pub(super) fn next(&self) -> Option<SocketAddr> {
        let serving = self.serving.borrow();
        let turn = self.turn.replace(self.turn.get().wrapping_add(1));
        serving.get(turn % serving.len().max(1)).copied()
    }
}

/// Looks again and again at which gateways are ready.
pub(super) async fn watch(endpoints: Vec<Endpoints>, shared: Rc<Shared>) {
    let mut interval = interval(PROBE);
    loop {
        interval.tick().await;
        let mut ready = Vec::new();
        for gateway in &endpoints {
            let operations = gateway.operations;
            let asked = spawn_blocking(move || http::get(operations, "/readyz").is_ok());
            if matches!(timeout(ANSWER, asked).await, Ok(Ok(true))) {
                ready.push(gateway.clients);
            }
        }
        shared.balancer.serve(&ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_take_turns_and_none_is_none() {
        let balancer = Balancer::default();
        assert_eq!(balancer.next(), None);
        let all = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        balancer.serve(&all);
        let given: Vec<_> = (0..4).filter_map(|_| balancer.next()).collect();
        assert!(given[0] == given[2] && given[1] == given[3] && given[0] != given[1]);
    }
}
