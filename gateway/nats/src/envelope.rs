//! A message of a room as it goes over NATS.
