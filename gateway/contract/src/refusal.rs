//! How a gateway refuses what its server API is asked.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How a refusal looks to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Error"))]
pub struct RefusalBody {
    /// Why it is refused.
    pub error: Reason,
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
pub struct Reason {
    /// What went wrong, for programs. A code never changes its meaning.
    pub code: Cow<'static, str>,
    /// What went wrong and what to do, for people.
    pub message: Cow<'static, str>,
}
