//! Any text is documents or a list of problems, each with a place and something to do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_crds::{Source, load};

fuzz_target!(|text: &str| {
    let name = "fuzz.yaml";
    if let Err(problems) = load(&[Source { name, text }]) {
        assert!(!problems.is_empty());
        assert!(
            problems
                .iter()
                .all(|problem| !problem.to_string().is_empty())
        );
    }
});
