//! WebSocket frames, tested through the public interface only.

mod client;
mod close;
mod deflate;
mod encode;
mod frames;
mod interop;
mod laws;
mod limits;
mod oversized;
mod refusals;
mod utf8;
