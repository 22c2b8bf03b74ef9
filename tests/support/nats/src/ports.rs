//! Free ports.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering::Relaxed},
};

/// Below those that the system gives to outgoing connections, so that a server that is restarted
/// finds its port free.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 that nobody listens on, and that this process does not give out again soon.
pub fn free_port() -> u16 {
    // Tests that run at the same time begin in different places.
    let start = rand::random_range(0..COUNT);
    let _ = NEXT.compare_exchange(0, start.max(1), Relaxed, Relaxed);
    loop {
        let port = FIRST + NEXT.fetch_add(1, Relaxed) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
