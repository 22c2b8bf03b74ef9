//! Where the program of the gateway is.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// The program of the gateway: the one that `SLUICE_GATEWAY_BINARY` names, or this repository's.
pub(crate) fn binary() -> &'static Path {
    BINARY.get_or_init(|| match std::env::var_os("SLUICE_GATEWAY_BINARY") {
        Some(named) => named.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let profile = here.parent().and_then(Path::parent).unwrap();
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", "sluice-gateway"])
        .args(profile.ends_with("release").then_some("--release"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.unwrap().success(), "the gateway cannot be built");
    profile.join("sluice-gateway")
}
