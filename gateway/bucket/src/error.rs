//! Why something could not be kept.

use thiserror::Error;

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum BucketError {
    /// There is no connection, or no answer in time.
    #[error("NATS cannot be reached; look at its servers, and at the network between: {0}")]
    Unavailable(String),
    /// NATS refuses, or JetStream is not there.
    #[error("the bucket {bucket} cannot be used: {why}; give the permission, or turn JetStream on")]
    Bucket {
        /// The bucket.
        bucket: String,
        /// What NATS says.
        why: String,
    },
    /// NATS refuses, or does not answer.
    #[error(
        "the stream {stream} cannot be used: {why}; look at the NATS servers and at what they permit"
    )]
    Stream {
        /// The stream.
        stream: String,
        /// What NATS says.
        why: String,
    },
    /// More than one message may hold.
    #[error(
        "the documents have {bytes} bytes and the NATS servers take {most}; raise their max_payload, or say the same with fewer Rooms"
    )]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        most: usize,
    },
    /// Others wrote the same entry at the same time, again and again.
    #[error("the entry was changed by others at the same time; try again")]
    Contended,
}
