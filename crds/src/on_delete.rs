use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of data when the resource that it belongs to is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnDelete {
    /// It is deleted too.
    #[default]
    Drop,
    /// It stays, and is found again by a resource of the same name.
    Keep,
}
