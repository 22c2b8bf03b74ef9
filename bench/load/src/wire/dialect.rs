//! Which protocol a server speaks. The scenarios know of none: a server's dialect writes what they
//! ask for, and reads what comes back as [`Packet`]s.

use clap::ValueEnum;

use super::centrifugo;
use super::packet::{self, Packet};

/// A protocol over WebSocket that the generator speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    /// Engine.IO 4 and Socket.IO 5.
    #[default]
    #[value(name = "socket.io")]
    SocketIo,
    /// Centrifugo's JSON protocol.
    Centrifugo,
}

impl Dialect {
    /// The path of the upgrade request.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
            Self::Centrifugo => "/connection/websocket",
        }
    }

    /// Whether the server speaks first once a connection is upgraded.
    pub(crate) fn server_begins(self) -> bool {
        self == Self::SocketIo
    }

    /// The packets of a text frame, in order.
    pub(crate) fn packets(self, text: &[u8]) -> impl Iterator<Item = Packet<'_>> {
        let mut rest = Some(text);
        std::iter::from_fn(move || {
            let text = rest?;
            let first = match self {
                Self::SocketIo => None,
                Self::Centrifugo => centrifugo::first_line(text),
            };
            let (text, after) = first.map_or((text, None), |(line, after)| (line, Some(after)));
            rest = after;
            Some(match self {
                Self::SocketIo => packet::parse(text),
                Self::Centrifugo => centrifugo::parse(text),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_centrifugo_holds_a_packet_a_line() {
        let text = b"{}\n{\"id\":1,\"publish\":{}}\n{\"push\":{\"channel\":\"r\",\"pub\":{\"data\":\"d\"}}}";
        let packets: Vec<_> = Dialect::Centrifugo.packets(text).collect();
        assert!(matches!(
            packets.as_slice(),
            [Packet::Ping, Packet::Ack(_), Packet::Event(_)]
        ));
    }

    #[test]
    fn a_frame_of_socket_io_is_one_packet() {
        let packets: Vec<_> = Dialect::SocketIo
            .packets(b"42[\"message\",\"a\nb\"]")
            .collect();
        assert_eq!(packets, [Packet::Event(b"[\"message\",\"a\nb\"]")]);
    }
}
