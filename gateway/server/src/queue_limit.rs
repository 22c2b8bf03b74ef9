//! How much may wait for all clients of a gateway together.

use std::{fs, sync::LazyLock};

/// Where the kernel says how much memory the process may have (cgroups version 2, and 1).
const FILES: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// More than this is how cgroups of version 1 say that there is no limit.
const NO_LIMIT: u64 = 1 << 60;

/// Half of the memory that the process may have; none where that has no limit.
static HALF: LazyLock<Option<u64>> = LazyLock::new(|| {
    let text = FILES
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())?;
    half_of(&text)
});

/// The most bytes that may wait for all clients together; none where the memory of the process has
/// no limit.
pub(crate) fn queue_limit() -> Option<u64> {
    *HALF
}

fn half_of(limit: &str) -> Option<u64> {
    let limit = limit.trim().parse::<u64>().ok()?;
    (limit < NO_LIMIT).then_some(limit / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_containers_memory_may_wait_and_anything_where_it_has_no_limit() {
        assert_eq!(half_of("536870912\n"), Some(268_435_456));
        assert_eq!(half_of("max\n"), None);
        assert_eq!(half_of("9223372036854771712\n"), None);
    }
}
