//! The operator's process.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    sluice_ops::panics::end_the_process();
    sluice_operator::cli::run()
}
