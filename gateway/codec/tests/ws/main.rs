//! WebSocket frames, tested through the public interface only.

mod client;
mod frames;
