//! One request: as many tries as it takes, as long as there is time.

use std::time::Instant;

use bytes::Bytes;
use tokio::time::sleep;

use super::{
    Shared,
    pause::pause,
    post::{Delivery, Failure, post},
    target::Target,
};
use crate::BackendError;

/// Posts a body until it is answered, refused for good, or out of time.
pub(super) async fn call(
    shared: &Shared,
    target: &Target,
    delivery: &Delivery,
    body: &Bytes,
) -> Result<Vec<u8>, BackendError> {
    let deadline = Instant::now() + target.config.timeout;
    let mut last = None;
    for tries in 1.. {
        let Failure { error, wait } = match attempt(shared, target, delivery, body, deadline).await
        {
            Ok(answer) => return Ok(answer),
            // What opened the circuit says more than that it is open.
            Err(Failure {
                error: BackendError::CircuitOpen,
                ..
            }) => break,
            Err(failure) => failure,
        };
        let pause = pause(tries, rand::random(), wait);
        if !error.passes() || tries >= target.config.tries || Instant::now() + pause >= deadline {
            return Err(error);
        }
        last = Some(error);
        sleep(pause).await;
    }
    Err(last.unwrap_or(BackendError::CircuitOpen))
}

async fn attempt(
    shared: &Shared,
    target: &Target,
    delivery: &Delivery,
    body: &Bytes,
    deadline: Instant,
) -> Result<Vec<u8>, Failure> {
    let ticket = target.admit()?;
    let left = deadline.saturating_duration_since(Instant::now());
    let within = target.config.try_timeout.min(left);
    let outcome = post(&shared.client, &target.config, delivery, body, within).await;
    let works = outcome
        .as_ref()
        .map_or_else(|failure| !failure.error.passes(), |_| true);
    shared.metrics.tried(target.settle(ticket, works));
    outcome
}
