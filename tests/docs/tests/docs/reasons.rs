//! The reasons that the operator gives.

use crate::{page, same};

#[test]
fn the_operators_reasons_are_described_and_no_others() {
    let path = "docs/operator.md";
    let listed = page(path).table("reason").column("reason").words();
    same(path, "reason", listed, sluice_operator::reason::ALL);
}
