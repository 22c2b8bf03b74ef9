//! What the pages say of codes, metrics, flags and fields is what the programs have, no less and
//! no more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

mod codes;
mod fields;
mod flags;
mod links;
mod metrics;
mod reasons;
mod rights;

use std::collections::BTreeSet;

use sluice_test_docs::Page;

fn page(path: &str) -> Page {
    Page::read(path).unwrap()
}

/// Holds what a page lists against what there is.
fn same<S: AsRef<str>, T: AsRef<str>>(
    page: &str,
    what: &str,
    listed: impl IntoIterator<Item = S>,
    known: impl IntoIterator<Item = T>,
) {
    let listed: BTreeSet<_> = listed
        .into_iter()
        .map(|it| it.as_ref().to_owned())
        .collect();
    let known: BTreeSet<_> = known.into_iter().map(|it| it.as_ref().to_owned()).collect();
    let lacks: Vec<_> = known.difference(&listed).collect();
    assert!(
        lacks.is_empty(),
        "{page} lacks these of each {what}; describe them there: {lacks:?}"
    );
    let extra: Vec<_> = listed.difference(&known).collect();
    assert!(
        extra.is_empty(),
        "{page} lists these of each {what}, which are not there any more: {extra:?}"
    );
}
