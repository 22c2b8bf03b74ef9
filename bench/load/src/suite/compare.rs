//! Compares two result files of the suite, figure by figure.

use std::path::PathBuf;

use clap::Args;

use super::results::{Figures, Results};
use crate::error::LoadError;
use crate::report::figure;

/// Options of the comparison.
#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// The earlier result file.
    before: PathBuf,
    /// The later one.
    after: PathBuf,
    /// Shows figures whose rounds overlap too.
    #[arg(long)]
    all: bool,
}

/// What a change means, as far as the rounds can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    /// The rounds of both overlap, or the figure is no measure.
    Same,
}

/// Prints the comparison as a Markdown table.
pub(crate) fn run(compare: &Compare) -> Result<(), LoadError> {
    let (before, after) = (
        Results::read(&compare.before)?,
        Results::read(&compare.after)?,
    );
    if before.machine.processor != after.machine.processor || before.quick || after.quick {
        println!("Of different machines, or of quick runs: compare ratios, not figures.\n");
    }
    println!("| scenario | server | figure | before | after | after/before | |");
    println!("|---|---|---|---|---|---|---|");
    for (scenario, server, earlier, later) in pairs(&before, &after) {
        for line in lines(earlier, later, compare.all) {
            println!("| {scenario} | {server} | {line} |");
        }
    }
    Ok(())
}

/// What both files have.
fn pairs<'a>(
    before: &'a Results,
    after: &'a Results,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Figures, &'a Figures)> {
    let all = before.scenarios.iter().flat_map(|(scenario, servers)| {
        servers
            .iter()
            .map(move |(server, figures)| (scenario.as_str(), server.as_str(), figures))
    });
    all.filter_map(|(scenario, server, earlier)| {
        let later = after.scenarios.get(scenario)?.get(server)?;
        Some((scenario, server, earlier, later))
    })
}

fn lines(earlier: &Figures, later: &Figures, all: bool) -> Vec<String> {
    let one = |(name, before): (&String, &f64)| {
        let after = later.medians.get(name)?;
        let verdict = verdict(name, &range(earlier, name)?, &range(later, name)?);
        let word = match verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Same if all => "",
            Verdict::Same => return None,
        };
        let ratio = if *before == 0.0 {
            "–".to_owned()
        } else {
            figure(after / before)
        };
        Some(format!(
            "{name} | {} | {} | {ratio} | {word}",
            figure(*before),
            figure(after)
        ))
    };
    earlier.medians.0.iter().filter_map(one).collect()
}

/// The smallest and the largest of the rounds.
fn range(figures: &Figures, name: &str) -> Option<(f64, f64)> {
    let values = figures.rounds.iter().filter_map(|round| round.get(name));
    values.fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((f64::min(low, value), f64::max(high, value)))
    })
}

/// Only a measure whose rounds do not overlap says anything.
fn verdict(name: &str, before: &(f64, f64), after: &(f64, f64)) -> Verdict {
    if describes_the_run(name) {
        return Verdict::Same;
    }
    let more = match (before, after) {
        ((_, high), (low, _)) if low > high => true,
        ((low, _), (_, high)) if high < low => false,
        _ => return Verdict::Same,
    };
    if more == more_is_better(name) {
        Verdict::Better
    } else {
        Verdict::Worse
    }
}

/// Figures that say how a run went, and are neither good nor bad.
fn describes_the_run(name: &str) -> bool {
    let parts = ["generator_", "other_", "server_cpu_percent", "closing_took"];
    parts.iter().any(|part| name.contains(part))
}

/// Rates and what was achieved of one; all other figures are costs or delays.
fn more_is_better(name: &str) -> bool {
    name.ends_with("_per_second") || name == "achieved_percent"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rounds_that_do_not_overlap_are_a_change() {
        let rate = "deliveries_per_second";
        assert_eq!(verdict(rate, &(1.0, 3.0), &(2.0, 9.0)), Verdict::Same);
        assert_eq!(verdict(rate, &(1.0, 3.0), &(4.0, 9.0)), Verdict::Better);
        assert_eq!(
            verdict("delivery_p99_ms", &(1.0, 3.0), &(4.0, 9.0)),
            Verdict::Worse
        );
        assert_eq!(
            verdict("delivery_p99_ms", &(4.0, 9.0), &(1.0, 3.0)),
            Verdict::Better
        );
    }

    #[test]
    fn how_busy_the_generator_was_is_no_measure() {
        let busy = "generator_cpu_percent";
        assert_eq!(verdict(busy, &(10.0, 20.0), &(30.0, 40.0)), Verdict::Same);
    }
}
