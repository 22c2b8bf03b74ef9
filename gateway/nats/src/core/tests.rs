//! Several cores on one bus.

mod behind;
mod bus;
mod claims;
mod commands;
mod confirming;
mod fleet;
mod full;
mod garbage;
mod large;
mod law;
mod loss;
mod moving;
mod presence;
mod returning;
mod users;
mod workers;
