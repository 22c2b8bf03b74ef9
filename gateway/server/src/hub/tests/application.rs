//! Sessions of an application, over a way to its instances that does what a test wants.

mod holding;
mod instance;
mod place;
mod simulation;

use self::place::{Place, at_place};
