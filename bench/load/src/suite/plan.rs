//! Which scenarios the suite runs, and with which options of the generator.

/// A scenario of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its name in tables and result files.
    pub(crate) name: &'static str,
    /// The generator's subcommand and options.
    pub(crate) arguments: &'static str,
    /// What is different in a quick run; later options win.
    quick: &'static str,
    /// Whether the connections go through TLS.
    pub(crate) tls: bool,
    /// How many of a fleet's servers are loaded; the others only run.
    pub(crate) servers: usize,
}

impl Step {
    pub(crate) const fn new(
        name: &'static str,
        arguments: &'static str,
        quick: &'static str,
    ) -> Self {
        Self {
            name,
            arguments,
            quick,
            tls: false,
            servers: usize::MAX,
        }
    }

    const fn over_tls(self) -> Self {
        Self { tls: true, ..self }
    }

    pub(crate) const fn against(self, servers: usize) -> Self {
        Self { servers, ..self }
    }

    /// The generator's command line.
    pub(crate) fn command(&self, quick: bool) -> Vec<String> {
        let quick = if quick { self.quick } else { "" };
        self.arguments
            .split_whitespace()
            .chain(quick.split_whitespace())
            .map(str::to_owned)
            .collect()
    }
}

/// A quick run's timing of what is measured by the second.
pub(crate) const SHORT: &str = "--warm-up 1 --seconds 2";

/// All of them, in the order they run.
pub(crate) const STEPS: [Step; 11] = [
    Step::new(
        "idle-10k",
        "idle --connections 10000 --quiet-seconds 0",
        "--connections 1000",
    ),
    Step::new(
        "idle-18k",
        "idle --connections 18000",
        "--connections 2000 --quiet-seconds 3",
    ),
    Step::new(
        "idle-tls",
        "idle --connections 18000 --quiet-seconds 5",
        "--connections 1000 --quiet-seconds 1",
    )
    .over_tls(),
    Step::new("fan-out-1", "fan-out --in-flight 1", SHORT),
    Step::new("fan-out-16", "fan-out --in-flight 16", SHORT),
    Step::new("open-20k", "open-loop --rate 20000", SHORT),
    Step::new("open-100k", "open-loop --rate 100000", SHORT),
    Step::new("request", "request", SHORT),
    Step::new(
        "close-all",
        "close-all --seconds 5",
        "--connections 2000 --seconds 2 --warm-up 1",
    ),
    Step::new(
        "churn",
        "churn",
        "--total 4000 --round 2000 --rest-seconds 2",
    ),
    Step::new(
        "slow-consumers",
        "slow-consumers --payload-bytes 4096",
        SHORT,
    ),
];

/// Those of `steps` whose name begins with one of `wanted`; all when that is empty.
pub(crate) fn select(steps: &[Step], wanted: &[String]) -> Vec<Step> {
    let chosen = |step: &&Step| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|start| step.name.starts_with(start.as_str()))
    };
    steps.iter().filter(chosen).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_generator_understands_every_step() {
        for step in STEPS {
            for quick in [false, true] {
                let fixed = ["sluice-load".to_owned()];
                let target = ["--target", "127.0.0.1:1"].map(str::to_owned);
                let line = fixed.into_iter().chain(step.command(quick)).chain(target);
                crate::cli::Cli::try_parse_from(line).unwrap();
            }
        }
    }

    #[test]
    fn steps_are_chosen_by_the_start_of_their_names() {
        let names = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
            select(&STEPS, &wanted)
                .iter()
                .map(|step| step.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(&["fan-out", "churn"]),
            ["fan-out-1", "fan-out-16", "churn"]
        );
        assert_eq!(names(&[]).len(), STEPS.len());
    }
}
