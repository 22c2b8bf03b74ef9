//! Which scenarios a fleet is put through.

use crate::suite::plan::{SHORT, Step};

/// All of them, in the order they run.
pub(super) const STEPS: [Step; 8] = [
    Step::new("fan-out-1", "fan-out --publishers 6 --in-flight 1", SHORT),
    Step::new("fan-out-16", "fan-out --publishers 6 --in-flight 16", SHORT),
    Step::new(
        "rooms-64",
        "fan-out --publishers 6 --rooms 100 --members 10 --in-flight 64",
        SHORT,
    ),
    Step::new("open-20k", "open-loop --rate 20000", SHORT),
    Step::new("open-60k", "open-loop --rate 60000", SHORT),
    Step::new("interest", "open-loop --rate 20000", SHORT).against(2),
    Step::new(
        "many-rooms",
        "hold --connections 40002 --joins 3 --members 2 --rate 2000 --seconds 60",
        "--connections 1002 --rate 600 --seconds 3",
    ),
    Step::new(
        "hold-50k",
        "hold --connections 50010 --rate 5000 --seconds 30",
        "--connections 3000 --rate 1000 --seconds 3",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_generator_understands_every_step() {
        for step in STEPS {
            for quick in [false, true] {
                let fixed = ["sluice-load".to_owned()];
                let targets = ["--target", "127.0.0.1:1", "--target", "127.0.0.1:2"];
                let line = fixed
                    .into_iter()
                    .chain(step.command(quick))
                    .chain(targets.map(str::to_owned));
                crate::cli::Cli::try_parse_from(line).unwrap();
            }
        }
    }
}
