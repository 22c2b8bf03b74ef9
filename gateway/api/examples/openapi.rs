//! Writes `docs/openapi.json`.

fn main() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    std::fs::write(path, sluice_api::openapi())
}
