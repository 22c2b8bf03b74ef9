//! Deleting what rooms have stored.

use async_nats::jetstream::{self, context::GetStreamErrorKind};
use futures_util::TryStreamExt as _;
use sluice_nats::{Names, token, untoken};

use crate::{BucketError, Connection};

/// Deletes the stored messages of all rooms of a namespace that `decides` is true for, and
/// returns of how many rooms. Where there is no stream, there is nothing to delete.
///
/// # Errors
/// Where NATS cannot be reached or refuses; what was deleted until then is.
pub async fn purge(
    connection: &Connection,
    names: &Names,
    namespace: &str,
    decides: impl Fn(&str) -> bool,
) -> Result<usize, BucketError> {
    let context = jetstream::new(connection.client().clone());
    let failed = |why: String| BucketError::Stream {
        stream: names.rooms(),
        why,
    };
    let stream = match context.get_stream(names.rooms()).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(ref e) if e.code() == 404) =>
        {
            return Ok(0);
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    let place = format!("{}.", token(namespace));
    let all = names.subject("in", &format!("{place}*"));
    let start = names.subject("in", &place);
    let info = stream.info_with_subjects(all).await;
    let mut subjects = info.map_err(|e| failed(e.to_string()))?;
    // Named first, since what is listed shifts with each that goes.
    let mut found = Vec::new();
    while let Some((subject, _)) = subjects
        .try_next()
        .await
        .map_err(|e| failed(e.to_string()))?
    {
        let room = subject.strip_prefix(&start).and_then(untoken);
        if room.is_some_and(|room| decides(&room)) {
            found.push(subject);
        }
    }
    for subject in &found {
        let done = stream.purge().filter(subject).await;
        done.map_err(|e| failed(e.to_string()))?;
    }
    Ok(found.len())
}
