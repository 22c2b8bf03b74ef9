//! The gateway's side of applications: which instances there are, the stream to each of them, and
//! what they say to sessions. `docs/application-protocol.md` is what is spoken.
//!
//! An [`Application`] keeps a connection to NATS of its own. Workers [pick](Application::pick) an
//! [`Instance`] for a session and [say](Instance::say) to it what its client does; what instances
//! say comes to [`Sockets`], in the order in which each said it, and nothing of it is lost or comes
//! twice while the instance lives. When it has gone, all workers are told once, with what had not
//! arrived there.

mod absent;
mod application;
mod counters;
mod handle;
mod instance;
mod log;
mod mark;
mod over_nats;
mod post;
mod roster;
mod selected;
mod sockets;
mod sorted;
mod stream;

pub use absent::{Absent, Claim, Stay};
pub use application::{Application, Identity, Recovery};
pub use counters::Counters;
pub use handle::{handle, worker_of};
pub use instance::{Instance, Undelivered};
pub use log::{Gone, Missed};
pub use mark::Mark;
pub use post::Post;
pub use selected::{Asked, AskedAlone, Cast, Deed, Emission, Flags, List};
pub use sockets::{Arrival, Claimed, Sockets};
pub use stream::{Stream, ToSend};
