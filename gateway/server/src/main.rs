//! `sluice-gateway`: holds WebSocket and Socket.IO connections and moves messages between them.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sluice_ops::panics::end_the_process();
    sluice_gateway::run()
}
