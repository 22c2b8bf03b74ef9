//! How large regular expressions are, which says what matching them can cost.

use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};
use regex_automata::util::syntax;

/// The states of an expression, each of which may have to be followed for each byte of a text;
/// `None` where it is no expression, or takes more than so many bytes.
///
/// `\w`, `\d` and `\s` count as those of ASCII, as JSON Schema has them, where the rest of the
/// expression allows it.
pub(crate) fn states(pattern: &str, most_bytes: usize) -> Option<u64> {
    let nfa = built(pattern, false, most_bytes).or_else(|| built(pattern, true, most_bytes))?;
    Some(nfa.states().len() as u64)
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
