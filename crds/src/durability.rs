use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a message that was acknowledged has survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Durability {
    /// A majority of the servers has it on its disk: it outlives a power failure of all of them.
    Disk,
    /// A majority of the servers has it, and writes it to its disk within two minutes: it outlives
    /// the loss of a minority, and the end of any process. Where a majority loses power at once, as
    /// when a whole zone does, up to two minutes of acknowledged messages can be lost.
    Quorum,
}

impl Durability {
    /// What new servers get where nobody chose: with several of them a promise that holds over a
    /// power failure costs half of the speed, and one by itself would be slowed down to some hundred
    /// messages a second.
    pub const fn of_new(servers: u32) -> Self {
        if servers > 1 {
            Self::Disk
        } else {
            Self::Quorum
        }
    }
}
