//! Who is in which room, over all gateways: `<prefix>.pres.<room>`.

use super::io::Io;
use crate::Packet;

#[derive(Debug, Default)]
pub(crate) struct Presence {}

impl Presence {
    pub(crate) fn connected(&mut self, _io: &mut Io<'_>) {}

    pub(crate) fn message(&mut self, _io: &mut Io<'_>, _place: &str, _packet: &Packet) {}

    pub(crate) fn called(&mut self, _io: &mut Io<'_>, _packet: &Packet) {}

    pub(crate) fn gone(&mut self, _io: &mut Io<'_>, _gateway: u32) {}

    /// The user leaves these rooms, but only after a while: they are about to be back in them
    /// through another gateway.
    pub(crate) fn linger(
        &mut self,
        _io: &mut Io<'_>,
        _rooms: &[(sluice_rooms::RoomKey, u64)],
        _user: &std::sync::Arc<str>,
    ) {
    }

    pub(crate) fn tick(&mut self, _io: &mut Io<'_>) {}
}
