//! Small parts that gateways, the operator and the load generator share.
//!
//! Each is one rule that is needed in several places: how long to wait before trying
//! again ([`Backoff`], [`Retries`]), what time it is ([`unix_millis`]), what is the same where a
//! text is ([`Digest64`]), what becomes of a lock when somebody panics ([`lock`]), how many bytes
//! may wait for a slow reader ([`QueuedBytes`]), how many of something an address may have
//! ([`Addresses`]), whom there is room for while nothing is known of them ([`Newcomers`]), and a list
//! that mostly has one item ([`Few`]). Nothing here does input or output, and only the clock looks at anything outside: chance is passed
//! in, so that what is decided with it can be decided again.
//!
//! ```
//! use std::time::Duration;
//! use sluice_util::{Backoff, Retries};
//!
//! const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(50), Duration::from_secs(2))
//!     .spread(0.5, 1.0);
//!
//! let mut retries = Retries::new(BACKOFF);
//! let mut waited = Duration::ZERO;
//! for random in [0.3, 0.9, 0.1] {
//!     // Here something is tried, and fails.
//!     waited += retries.delay(random);
//!     retries.failed();
//! }
//! assert!(waited < Duration::from_millis(50 + 100 + 200));
//! ```

mod addresses;
mod backoff;
mod clock;
mod digest;
mod few;
mod lock;
mod newcomers;
mod queued_bytes;

pub use addresses::{Addresses, Place, counted_address};
pub use backoff::{Backoff, Retries};
pub use clock::{unix_millis, unix_seconds, unix_time};
pub use digest::Digest64;
pub use few::Few;
pub use lock::{lock, read, write};
pub use newcomers::Newcomers;
pub use queued_bytes::{Bound, Full, QueuedBytes};
