//! Which gateways there are: heartbeats on `<prefix>.fleet`.

use super::io::Io;
use crate::Packet;

#[derive(Debug, Default)]
pub(crate) struct Fleet {}

impl Fleet {
    pub(crate) fn connected(&mut self, _io: &mut Io<'_>) {}

    pub(crate) fn disconnected(&mut self) {}

    pub(crate) fn message(&mut self, _io: &mut Io<'_>, _packet: &Packet) {}

    /// Says that this gateway lives; returns those that are gone since the last time.
    pub(crate) fn tick(&mut self, _io: &mut Io<'_>) -> Vec<u32> {
        Vec::new()
    }

    /// Whether a gateway was heard a moment ago.
    pub(crate) fn is_heard(&self, _gateway: u32, _now: std::time::Instant) -> bool {
        false
    }
}
