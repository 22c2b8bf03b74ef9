//! Socket.IO packets, tested through the public interface only.

mod args;
mod decode;
mod encode;
mod laws;
mod placeholders;
