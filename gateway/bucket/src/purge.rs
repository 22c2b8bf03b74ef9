//! Deleting what rooms have stored.

use async_nats::jetstream::{self, context::GetStreamErrorKind};
use futures_util::TryStreamExt as _;
use sluice_contract::{Names, Subject, at_place};

use crate::{BucketError, Connection};

impl Connection {
    /// Deletes the stored messages of all rooms of a namespace that `decides` is true for, and
    /// returns of how many rooms. Where there is no stream, there is nothing to delete.
    ///
    /// # Errors
    /// Where NATS cannot be reached or refuses; what was deleted until then is.
    pub async fn purge(
        &self,
        namespace: &str,
        decides: impl Fn(&str) -> bool,
    ) -> Result<usize, BucketError> {
        let names = self.names();
        let context = jetstream::new(self.client().clone());
        let failed = |why: String| BucketError::Stream {
            stream: names.rooms_stream(),
            why,
        };
        let stream = match context.get_stream(names.rooms_stream()).await {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), GetStreamErrorKind::JetStream(ref e) if e.code() == 404) =>
            {
                return Ok(0);
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        let info = stream.info_with_subjects(names.stored_in(namespace)).await;
        let mut subjects = info.map_err(|e| failed(e.to_string()))?;
        // Named first, since what is listed shifts with each that goes.
        let mut found = Vec::new();
        while let Some((subject, _)) = subjects
            .try_next()
            .await
            .map_err(|e| failed(e.to_string()))?
        {
            if room(names, &subject).is_some_and(|room| decides(&room)) {
                found.push(subject);
            }
        }
        for subject in &found {
            let done = stream.purge().filter(subject).await;
            done.map_err(|e| failed(e.to_string()))?;
        }
        Ok(found.len())
    }
}

/// The name of the room whose messages are stored under a subject.
fn room(names: &Names, subject: &str) -> Option<String> {
    match names.parse(subject)? {
        Subject::Stored(place) => at_place(place).map(|(_, room)| room),
        _ => None,
    }
}
