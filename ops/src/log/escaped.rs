//! Fields of log lines, so that no value can begin a line of its own or move the cursor.
//!
//! Names of users, rooms and events come from clients, who may put line breaks and the escape
//! sequences of terminals into them.

use std::fmt::{self, Write as _};

use tracing::field::Field;
use tracing_subscriber::{
    field::{MakeExt as _, delimited::Delimited},
    fmt::format::{FieldFn, Writer, debug_fn},
};

type Write = fn(&mut Writer<'_>, &Field, &dyn fmt::Debug) -> fmt::Result;

/// Writes fields as `name=value`, and the message bare.
pub(super) fn fields() -> Delimited<&'static str, FieldFn<Write>> {
    debug_fn(write as Write).delimited(" ")
}

fn write(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name().trim_start_matches("r#"))?;
    }
    write!(Escaping(writer), "{value:?}")
}

struct Escaping<W>(W);

impl<W: fmt::Write> fmt::Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(breaks) {
            match part.char_indices().next_back() {
                Some((at, last)) if breaks(last) => {
                    self.0.write_str(&part[..at])?;
                    write!(self.0, "{}", last.escape_default())?;
                }
                _ => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

/// Whether a character could end a line, hide or reorder text, or speak to a terminal.
fn breaks(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_begins_a_line_or_speaks_to_a_terminal() {
        let mut line = String::new();
        let name = "ann\n2026 INFO forged\r\u{1b}[31m\u{2028}\u{202e}\u{e9}";
        write!(Escaping(&mut line), "{name}").unwrap();
        let expected = r"ann\n2026 INFO forged\r\u{1b}[31m\u{2028}\u{202e}";
        assert_eq!(line, format!("{expected}\u{e9}"));
    }
}
