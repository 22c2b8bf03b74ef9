//! Links between pages.

use sluice_test_docs::{Page, pages};

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_that_is_there() {
    let mut dead = Vec::new();
    for path in pages().unwrap() {
        let links = Page::read(&path).unwrap().dead_links();
        dead.extend(links.into_iter().map(|link| (path.clone(), link)));
    }
    assert!(
        dead.is_empty(),
        "these links lead nowhere; mend them: {dead:#?}"
    );
}
