//! What is done to sessions wherever they are: `<prefix>.cmd`.

use bytes::Bytes;
use sluice_backbone::SessionInfo;

use super::{Completions, fleet::Fleet, io::Io};
use crate::Packet;

#[derive(Debug, Default)]
pub(crate) struct Commands {}

impl Commands {
    pub(crate) fn message(
        &mut self,
        _io: &mut Io<'_>,
        _completions: &std::sync::Arc<Completions>,
        _fleet: &Fleet,
        _packet: &Packet,
    ) {
    }

    pub(crate) fn answer(&mut self, _io: &mut Io<'_>, _request: u64, _id: u64, _packet: &Packet) {}

    pub(crate) fn unanswered(&mut self, _io: &mut Io<'_>, _id: u64) {}
}

pub(crate) fn executed(_io: &mut Io<'_>, _reply: Bytes, _sessions: u64) {}

pub(crate) fn listed(_io: &mut Io<'_>, _reply: Bytes, _sessions: &[SessionInfo]) {}
