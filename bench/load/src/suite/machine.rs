//! What has to be known of the machine to read its figures. No names, no addresses.

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

/// The machine that a result file comes from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
}

impl Machine {
    /// This one.
    pub(crate) fn this() -> Self {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self {
            cores: thread::available_parallelism().map_or(0, usize::from),
            processor: field(&file("/proc/cpuinfo"), "model name"),
            memory_mib: kib(&field(&file("/proc/meminfo"), "MemTotal")) / 1024,
            kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

fn field(text: &str, name: &str) -> String {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let value = pairs
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim());
    value.unwrap_or_default().to_owned()
}

fn kib(text: &str) -> u64 {
    text.trim_end_matches("kB").trim().parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc_files_are_found_by_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU\nMemTotal:  2048 kB\n";
        assert_eq!(field(text, "model name"), "Some CPU");
        assert_eq!(kib(&field(text, "MemTotal")), 2048);
        assert_eq!(field(text, "absent"), "");
    }
}
