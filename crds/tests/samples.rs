//! Documents of 0.1.0, as they are in the bucket of a fleet.

use sluice_crds::{Source, load};

#[test]
fn documents_of_0_1_0_are_accepted() {
    let text = include_str!("../../gateway/contract/samples/0.1.0/documents.yaml");
    let documents = load(&[Source {
        name: "documents.yaml",
        text,
    }])
    .unwrap();
    assert_eq!(documents.rooms.len(), 1);
}
