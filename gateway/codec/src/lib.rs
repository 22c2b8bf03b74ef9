//! The gateway's wire formats as pure functions: bytes in, packets out, no I/O and no clock.
//!
//! - [`ws`]: WebSocket frames (RFC 6455) with permessage-deflate (RFC 7692).
//! - [`eio`]: Engine.IO packets, revision 4 of that protocol.
//! - [`sio`]: Socket.IO packets, revision 5 of that protocol.
//! - [`peer`]: what gateways say to each other about Engine.IO sessions.
//!
//! Nothing that comes from outside is trusted: whatever the bytes are, a decoder gives packets or
//! an error and never panics, and what it keeps is bounded. Packets borrow from the input where
//! they can.
//!
//! ```
//! use sluice_codec::{eio, sio, ws};
//!
//! // A client emits an event: a Socket.IO packet in an Engine.IO message.
//! let message = eio::decode(r#"42/chat,["say","hello"]"#)?;
//! let eio::Data::Text(text) = message.data else { panic!("binary data is not an event's head") };
//! let packet = sio::decode(text)?;
//! let args = sio::args(packet.data)?;
//! assert_eq!((packet.namespace, &*args.event), ("/chat", "say"));
//! assert_eq!(args.args[0].get(), r#""hello""#);
//!
//! // It is sent one, in a WebSocket frame.
//! let mut text = Vec::new();
//! eio::encode(eio::PacketType::Message, r#"2["said","hello"]"#, &mut text);
//! let frame = ws::encode(ws::Opcode::Text, &text);
//! assert_eq!(&frame[2..], br#"42["said","hello"]"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod eio;
pub mod peer;
pub mod sio;
pub mod ws;
