//! Error codes and close codes.

use sluice_contract::{Cause, Code};
use sluice_crds::ProblemCode;
use sluice_test_docs::{Row, words};

use crate::{page, same};

const ERRORS: &str = "docs/errors.md";
const CLOSE_CODES: &str = "docs/close-codes.md";

fn code(text: &str) -> Option<Code> {
    Code::named(text)
}

/// The codes of a row.
fn codes(row: &Row, column: &str) -> Vec<Code> {
    let words = row.cell(column).words();
    words.iter().filter_map(|word| code(word)).collect()
}

/// Ends of connections that had not asked to connect: nobody is refused with them.
fn refuses_nobody(code: Code) -> bool {
    matches!(code, Code::Drain | Code::ConnectTimeout)
}

#[test]
fn every_code_is_described_and_no_other() {
    let tables = page(ERRORS).tables_with("code");
    let listed = tables.iter().flat_map(|table| table.column("code").words());
    let documents = ProblemCode::ALL.iter().map(|code| code.as_str());
    let known = Code::ALL.iter().map(|code| code.as_str()).chain(documents);
    same(ERRORS, "code", listed, known);
}

#[test]
fn the_server_api_has_the_status_that_is_described() {
    for row in page(ERRORS).table("status").rows() {
        for code in codes(row, "code") {
            assert_eq!(
                row.cell("status").numbers(),
                code.status().as_slice(),
                "{code}"
            );
        }
    }
}

#[test]
fn what_is_only_counted_has_the_status_or_close_code_that_is_described() {
    for row in page(ERRORS).table("clients see").rows() {
        let seen = row.cell("clients see").numbers();
        for code in codes(row, "code") {
            let closes = Some(code.cause()).filter(|cause| *cause != Cause::Unauthorized);
            let told = code.status().or(closes.map(Cause::code));
            assert!(told.is_none_or(|number| seen.contains(&number)), "{code}");
        }
    }
}

#[test]
fn a_refused_connect_closes_with_the_code_that_is_described() {
    let page = page(CLOSE_CODES);
    let table = page.table("after");
    let described = table.rows().iter().flat_map(|row| codes(row, "after"));
    let closing = Code::ALL
        .into_iter()
        .filter(|code| code.cause() != Cause::Unauthorized);
    let closing = closing.filter(|code| !refuses_nobody(*code));
    same(
        CLOSE_CODES,
        "code after which it does not close with 4503",
        described.map(Code::as_str),
        closing.map(Code::as_str),
    );
    for row in table.rows() {
        for code in codes(row, "after") {
            assert_eq!(row.cell("code").numbers(), [code.cause().code()], "{code}");
        }
    }
}

#[test]
fn what_passes_by_itself_is_described_wherever_socketio_clients_read_of_it() {
    let passing = || Code::ALL.into_iter().filter(|code| code.passes());
    for (path, sentence) in [
        (ERRORS, "close the transport instead"),
        (CLOSE_CODES, "What passes by itself"),
    ] {
        let page = page(path);
        let lines = page.prose().flat_map(|line| line.split(". "));
        let said = lines.filter(|line| line.contains(sentence)).flat_map(words);
        let said = said.filter_map(|word| code(&word));
        same(
            path,
            "code that passes",
            said.map(Code::as_str),
            passing().map(Code::as_str),
        );
    }
}

#[test]
fn a_refusal_before_there_is_a_connection_has_the_status_that_is_described() {
    for row in page(CLOSE_CODES).table("counted as").rows() {
        let counted = codes(row, "counted as");
        assert!(!counted.is_empty(), "{row:?}");
        for code in counted {
            assert_eq!(
                row.cell("status").numbers(),
                code.status().as_slice(),
                "{code}"
            );
        }
    }
}

#[test]
fn every_cause_is_described_with_its_code_and_what_to_do_and_no_other() {
    let table = page(CLOSE_CODES).table("recoverable");
    let names = table.column("name").words();
    same(CLOSE_CODES, "cause", names, Cause::ALL.map(Cause::name));
    for row in table.rows() {
        let name = row.cell("name").words();
        let cause = Cause::ALL
            .into_iter()
            .find(|cause| name == [cause.name()])
            .unwrap();
        let says = |column: &str| row.cell(column).text().to_owned();
        if cause.code() >= 4000 {
            assert_eq!(row.cell("code").numbers(), [cause.code()], "{cause}");
            let back = if cause.code() < 4500 { "yes" } else { "no" };
            assert!(says("come back?").starts_with(back), "{cause}");
        }
        let goes_on = if cause.recoverable() { "yes" } else { "no" };
        assert!(says("recoverable").starts_with(goes_on), "{cause}");
    }
}
