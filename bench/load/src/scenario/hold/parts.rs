//! The processes that hold a part of the connections each: this program once more, with the same
//! options. A part says a line of JSON, waits for a line, and goes on.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;

use crate::error::LoadError;

/// All parts. Dropped, they are killed.
pub(super) struct Parts(Vec<Part>);

struct Part {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Parts {
    pub(super) fn start(count: u16) -> Result<Self, LoadError> {
        (0..count)
            .map(Part::start)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What each part says next.
    pub(super) fn hear_all<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, LoadError> {
        self.0.iter_mut().map(Part::hear).collect()
    }

    /// Has each part go on.
    pub(super) fn go(&mut self) -> Result<(), LoadError> {
        for part in &mut self.0 {
            part.input.write_all(b"go\n")?;
        }
        Ok(())
    }

    /// Lets the parts end and waits until they have.
    pub(super) fn finish(mut self) -> Result<(), LoadError> {
        self.go()?;
        for part in &mut self.0 {
            part.child.wait()?;
        }
        Ok(())
    }
}

impl Part {
    fn start(number: u16) -> Result<Self, LoadError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .args(["--part", &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(gone)?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn hear<T: DeserializeOwned>(&mut self) -> Result<T, LoadError> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(gone());
        }
        serde_json::from_str(&line).map_err(|source| LoadError::Format {
            path: "a part's report".into(),
            source,
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // A part that has ended by itself cannot be killed any more, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn gone() -> LoadError {
    LoadError::Suite("a part of the generator has ended; its reason is above".to_owned())
}
