//! The numbers by which sessions are called.

/// The worker is in the bits from here on of a handle.
const WORKER: u32 = 40;

/// The handle of a worker's session of that number, from 1.
pub const fn handle(worker: usize, number: u64) -> u64 {
    ((worker as u64) << WORKER) | number
}

/// Whose session a handle names.
pub const fn worker_of(handle: u64) -> usize {
    (handle >> WORKER) as usize
}
