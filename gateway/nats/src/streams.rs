//! The streams of a cluster: made, checked, and widened when Rooms ask for more.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    self, ErrorCode,
    context::{CreateStreamError, CreateStreamErrorKind, GetStreamErrorKind},
    stream::{Config, DiscardPolicy, Republish, StorageType},
};

use sluice_contract::Names;
use sluice_rooms::DUPLICATE_WINDOW;
use tokio::sync::{Notify, watch};

/// How long after a failure the streams are looked at again.
const RETRY: Duration = Duration::from_secs(1);

/// What a cluster needs of its streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How many servers keep each message, where NATS is a cluster.
    pub replicas: usize,
    /// The most messages that any Room keeps of a room.
    pub messages_per_room: u32,
    /// The greatest age to which any Room keeps messages.
    pub max_age: Duration,
}

/// Why the streams are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A stream is not there, and could not be made.
    #[error(
        "the stream {name} could not be made: {why}; give the gateways the permission, or make it as the documentation says"
    )]
    Create {
        /// The stream's name.
        name: String,
        /// What NATS says.
        why: String,
    },
    /// A stream is there, and could not be changed.
    #[error(
        "the stream {name} could not be changed: {why}; change it yourself as the documentation says"
    )]
    Update {
        /// The stream's name.
        name: String,
        /// What NATS says.
        why: String,
    },
    /// NATS does not answer.
    #[error("JetStream does not answer: {0}; look at the NATS servers")]
    Unavailable(String),
}

/// Makes the streams, or changes those that are there: limits grow and never shrink, since what
/// they hold may still be wanted.
///
/// # Errors
/// Where NATS does not answer, or does not allow it.
pub async fn ensure(
    client: &async_nats::Client,
    names: &Names,
    wanted: &Wanted,
) -> Result<(), StreamError> {
    let context = jetstream::new(client.clone());
    // A server by itself has nobody to copy to.
    let clustered = client.server_info().cluster.is_some();
    let replicas = if clustered { wanted.replicas } else { 1 };
    one(&context, rooms(names, wanted, replicas)).await?;
    one(&context, sessions(names, replicas)).await
}

/// Keeps the streams as they are wanted, for ever: looks at them with each change of what is
/// wanted and each time `again` is notified. Calls `kept` when they are as wanted.
pub async fn keep(
    client: async_nats::Client,
    names: Names,
    mut wanted: watch::Receiver<Wanted>,
    again: Arc<Notify>,
    kept: impl Fn() + Send,
) {
    loop {
        let now = wanted.borrow_and_update().clone();
        if let Err(error) = ensure(&client, &names, &now).await {
            tracing::warn!(%error, "the streams are not as they should be; they are looked at again");
            tokio::time::sleep(RETRY).await;
            continue;
        }
        kept();
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            () = again.notified() => {}
        }
    }
}

async fn one(context: &jetstream::Context, wanted: Config) -> Result<(), StreamError> {
    let name = wanted.name.clone();
    match context.get_stream(&name).await {
        Ok(stream) => {
            let current = &stream.cached_info().config;
            let mut next = widened(current, &wanted);
            if next == *current {
                return Ok(());
            }
            let mut updated = context.update_stream(&next).await;
            if updated.as_ref().is_err_and(is_alone) {
                next.num_replicas = current.num_replicas;
                if next == *current {
                    return Ok(());
                }
                updated = context.update_stream(&next).await;
            }
            if updated.is_ok() {
                tracing::info!(stream = %name, "the stream is changed to what the cluster needs");
            }
            updated.map(drop).map_err(|error| StreamError::Update {
                name,
                why: error.to_string(),
            })
        }
        Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(ref e) if e.code() == 404) => {
            create(context, wanted).await
        }
        Err(error) => Err(StreamError::Unavailable(error.to_string())),
    }
}

/// Whether the server that stores is by itself, and has nobody to copy to: what a leaf node says of
/// its own cluster tells nothing of the one that stores.
fn is_alone(error: &CreateStreamError) -> bool {
    matches!(
        error.kind(),
        CreateStreamErrorKind::JetStream(ref error)
            if error.error_code() == ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED
    )
}

async fn create(context: &jetstream::Context, mut wanted: Config) -> Result<(), StreamError> {
    let name = wanted.name.clone();
    let mut made = context.create_stream(&wanted).await;
    if made.as_ref().is_err_and(is_alone) {
        wanted.num_replicas = 1;
        made = context.create_stream(&wanted).await;
    }
    match made {
        Ok(_) => {
            tracing::info!(stream = %name, "the stream is made");
            Ok(())
        }
        Err(error) if matches!(error.kind(), CreateStreamErrorKind::TimedOut) => {
            Err(StreamError::Unavailable(error.to_string()))
        }
        Err(error) => Err(StreamError::Create {
            name,
            why: error.to_string(),
        }),
    }
}

/// What is there, with what is wanted where that is more.
fn widened(current: &Config, wanted: &Config) -> Config {
    Config {
        subjects: wanted.subjects.clone(),
        republish: wanted.republish.clone(),
        allow_direct: true,
        allow_message_ttl: true,
        num_replicas: current.num_replicas.max(wanted.num_replicas),
        max_messages_per_subject: more(
            current.max_messages_per_subject,
            wanted.max_messages_per_subject,
        ),
        max_age: longer(current.max_age, wanted.max_age),
        duplicate_window: current.duplicate_window.max(wanted.duplicate_window),
        ..current.clone()
    }
}

/// The larger of two limits; one that is not positive is none.
fn more(a: i64, b: i64) -> i64 {
    if a <= 0 || b <= 0 { -1 } else { a.max(b) }
}

/// The longer of two ages; zero is no limit.
fn longer(a: Duration, b: Duration) -> Duration {
    if a.is_zero() || b.is_zero() {
        Duration::ZERO
    } else {
        a.max(b)
    }
}

fn rooms(names: &Names, wanted: &Wanted, replicas: usize) -> Config {
    Config {
        name: names.rooms_stream(),
        description: Some("The messages of rooms with history.".to_owned()),
        subjects: vec![names.all_stored()],
        republish: Some(Republish {
            source: names.all_stored(),
            destination: names.all_republished(),
            headers_only: false,
        }),
        max_messages_per_subject: i64::from(wanted.messages_per_room.max(1)),
        max_age: wanted.max_age.max(DUPLICATE_WINDOW),
        duplicate_window: DUPLICATE_WINDOW,
        // A message that does not fit is refused; the older ones of others stay.
        discard: DiscardPolicy::New,
        ..common(replicas)
    }
}

fn sessions(names: &Names, replicas: usize) -> Config {
    Config {
        name: names.sessions_stream(),
        description: Some("Sessions, for when their gateway dies.".to_owned()),
        subjects: vec![names.sessions(), names.owners()],
        max_messages_per_subject: 1,
        ..common(replicas)
    }
}

fn common(replicas: usize) -> Config {
    Config {
        storage: StorageType::File,
        num_replicas: replicas.max(1),
        allow_direct: true,
        allow_message_ttl: true,
        max_bytes: -1,
        max_messages: -1,
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(messages: u32, hours: u64) -> Config {
        let wanted = Wanted {
            replicas: 3,
            messages_per_room: messages,
            max_age: Duration::from_hours(hours),
        };
        rooms(&Names::new("default", "chat"), &wanted, 3)
    }

    #[test]
    fn limits_grow_and_never_shrink() {
        let both = widened(&wanted(10, 5), &wanted(7, 9));
        assert_eq!(both.max_messages_per_subject, 10);
        assert_eq!(both.max_age, Duration::from_hours(9));
    }

    #[test]
    fn no_limit_stays_none() {
        let mut unlimited = wanted(10, 5);
        unlimited.max_messages_per_subject = -1;
        unlimited.max_age = Duration::ZERO;
        let both = widened(&unlimited, &wanted(7, 9));
        assert_eq!(both.max_messages_per_subject, -1);
        assert_eq!(both.max_age, Duration::ZERO);
    }

    #[test]
    fn what_is_as_wanted_is_not_changed() {
        assert_eq!(widened(&wanted(10, 5), &wanted(10, 5)), wanted(10, 5));
    }
}
