//! A program that ends with the test.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sluice_test_programs::program;

/// Runs a program, and kills it when the other end of its input is closed: when the test is over,
/// however it ended.
const UNTIL_CLOSED: &str =
    r#"exec 3<&0; "$@" </dev/null & child=$!; read -r _ <&3; kill -9 "$child"; wait "$child""#;

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    shell: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a program with its log in a folder.
    pub(crate) fn start(name: &str, arguments: &[String], folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).expect("a file can be made");
        let shell = Command::new("sh")
            .args(["-c", UNTIL_CLOSED, "sh"])
            .arg(program(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(file.try_clone().expect("a file can be shared"))
            .stderr(file)
            .spawn();
        Self {
            shell: shell.unwrap_or_else(|error| panic!("{name} cannot be started: {error}")),
            log,
        }
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&self) -> bool {
        let shell = self.shell.id();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let child = children.unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        // One that has ended and was not waited for yet is a zombie.
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// What it said last.
    pub(crate) fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
