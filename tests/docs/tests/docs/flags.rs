//! The command lines.

use clap::{Arg, Command};

use crate::{page, same};

/// The flags of one command, without those that clap brings.
fn flags(command: &Command) -> Vec<&Arg> {
    let arguments = command.get_arguments();
    let own = arguments.filter(|it| !matches!(it.get_id().as_str(), "help" | "version"));
    own.filter(|argument| argument.get_long().is_some())
        .collect()
}

fn long(flag: &Arg) -> String {
    format!("--{}", flag.get_long().unwrap())
}

fn variable(flag: &Arg) -> Option<String> {
    flag.get_env().map(|name| name.to_str().unwrap().to_owned())
}

/// A default as pages write it.
fn default(flag: &Arg) -> Option<String> {
    let value = flag.get_default_values().first()?.to_str()?;
    Some(value.replace(env!("CARGO_PKG_VERSION"), "<version>"))
}

/// Holds a page's table of flags against the command.
fn described(path: &str, command: &Command) {
    let table = page(path).table("flag");
    let flags = flags(command);
    same(
        path,
        "flag",
        table.column("flag").words(),
        flags.iter().map(|flag| long(flag)),
    );
    let variables = flags.iter().filter_map(|flag| variable(flag));
    same(
        path,
        "variable",
        table.column("variable").words(),
        variables,
    );
    for flag in flags {
        let long = long(flag);
        let mut rows = table.rows().iter();
        let row = rows
            .find(|row| row.cell("flag").words().contains(&long))
            .unwrap();
        let given = row.cell("unless given").words();
        let default = default(flag);
        assert!(
            default.is_none_or(|value| given.contains(&value)),
            "{path}: {long}"
        );
        let variable = variable(flag);
        assert!(
            variable.is_none_or(|name| row.cell("variable").words().contains(&name)),
            "{path}: {long}"
        );
    }
}

#[test]
fn the_gateways_flags_are_described_with_their_variables_and_defaults() {
    described("docs/configuration.md", &sluice_gateway::command());
}

#[test]
fn the_operators_flags_are_described_with_their_variables_and_defaults() {
    described("docs/operator.md", &sluice_operator::cli::command());
}

#[test]
fn the_flags_of_the_gateways_commands_are_named() {
    let (path, command) = ("docs/configuration.md", sluice_gateway::command());
    let page = page(path);
    let mut known: Vec<_> = flags(&command).into_iter().map(long).collect();
    let named = |word: &str| {
        let mut parts = page
            .text()
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
        parts.any(|part| part == word)
    };
    for command in command.get_subcommands() {
        for flag in flags(command) {
            let long = long(flag);
            assert!(
                named(&long),
                "{path} lacks the flag {long} of {}",
                command.get_name()
            );
            if let Some(variable) = variable(flag) {
                assert!(named(&variable), "{path} lacks the variable {variable}");
            }
            known.push(long);
        }
    }
    let words = page.prose().flat_map(sluice_test_docs::words);
    let written =
        words.filter_map(|word| Some(word.split(' ').find(|it| it.starts_with("--"))?.to_owned()));
    let unknown: Vec<_> = written.filter(|flag| !known.contains(flag)).collect();
    assert!(
        unknown.is_empty(),
        "{path} names flags that are not there: {unknown:?}"
    );
}
