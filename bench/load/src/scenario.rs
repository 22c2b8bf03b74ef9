//! The scenarios, each a module: what is set up, what is measured, what is reported.

pub(crate) mod answers;
pub(crate) mod bench;
pub(crate) mod churn;
pub(crate) mod close_all;
pub(crate) mod fan_out;
pub(crate) mod hold;
pub(crate) mod idle;
pub(crate) mod open_loop;
pub(crate) mod paced;
pub(crate) mod request;
pub(crate) mod slow_consumers;

#[cfg(test)]
mod tests;
