//! How many sessions each user has, over all gateways: `<prefix>.users`.

use super::{fleet::Fleet, io::Io};
use crate::Packet;

#[derive(Debug, Default)]
pub(crate) struct Users {}

impl Users {
    pub(crate) fn connected(&mut self, _io: &mut Io<'_>) {}

    pub(crate) fn message(&mut self, _io: &mut Io<'_>, _packet: &Packet) {}

    pub(crate) fn called(&mut self, _io: &mut Io<'_>, _packet: &Packet) {}

    pub(crate) fn gone(&mut self, _gateway: u32) {}

    /// A session of the user was taken over from that gateway.
    pub(crate) fn moved(&mut self, _user: &str, _from: u32) {}

    pub(crate) fn tick(&mut self, _io: &mut Io<'_>, _fleet: &Fleet) {}
}
