//! How large regular expressions are, which says what compiling and matching them can cost.

use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};
use regex_automata::util::syntax;

/// What all regular expressions of all Rooms may take together.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A compiled expression's size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Its states, each of which may have to be followed for each byte of a text.
    pub(crate) states: u64,
    /// The memory that it takes, and in proportion to it the time to compile it.
    bytes: usize,
}

/// Why an expression has no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoSize {
    /// It takes more than it may, or is no regular expression.
    TooLarge,
    /// All together take more than they may.
    AllTooLarge,
}

/// How much memory further expressions may take.
#[derive(Debug)]
pub(crate) struct PatternBudget {
    left: usize,
}

impl PatternBudget {
    /// What the Rooms of a cluster have.
    pub(crate) fn whole() -> Self {
        Self { left: MAX_BYTES }
    }

    #[cfg(test)]
    pub(crate) fn of(bytes: usize) -> Self {
        Self { left: bytes }
    }

    /// What is left.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Takes so many bytes, and says whether there were as many.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Takes what an expression of at most so many bytes needs.
    pub(crate) fn size(&mut self, pattern: &str, most_bytes: usize) -> Result<Size, NoSize> {
        self.sized(most_bytes, |most| built(pattern, true, most))
    }

    /// As [`size`](Self::size), where `\w`, `\d` and `\s` are those of ASCII, as in JSON Schema, if
    /// the rest of the expression allows it.
    pub(crate) fn size_of_ascii(
        &mut self,
        pattern: &str,
        most_bytes: usize,
    ) -> Result<Size, NoSize> {
        self.sized(most_bytes, |most| {
            built(pattern, false, most).or_else(|| built(pattern, true, most))
        })
    }

    fn sized(
        &mut self,
        most_bytes: usize,
        build: impl FnOnce(usize) -> Option<NFA>,
    ) -> Result<Size, NoSize> {
        let most = most_bytes.min(self.left);
        let Some(nfa) = build(most) else {
            let own = most == most_bytes;
            return Err(if own {
                NoSize::TooLarge
            } else {
                NoSize::AllTooLarge
            });
        };
        let size = Size {
            states: nfa.states().len() as u64,
            bytes: nfa.memory_usage(),
        };
        self.take(size.bytes);
        Ok(size)
    }
}

fn built(pattern: &str, unicode: bool, most_bytes: usize) -> Option<NFA> {
    let config = Config::new()
        .nfa_size_limit(Some(most_bytes))
        .which_captures(WhichCaptures::None);
    Compiler::new()
        .syntax(syntax::Config::new().unicode(unicode).utf8(unicode))
        .configure(config)
        .build(pattern)
        .ok()
}
