//! The program of the gateway.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

static GATEWAY: LazyLock<PathBuf> =
    LazyLock::new(|| env::var_os("SLUICE_GATEWAY_BINARY").map_or_else(build, PathBuf::from));

/// The path of the gateway's program: the one that `SLUICE_GATEWAY_BINARY` names, or this
/// repository's, which is built if it is not up to date.
pub fn gateway() -> &'static Path {
    &GATEWAY
}

fn build() -> PathBuf {
    let test = env::current_exe().expect("a test knows where it is");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("it is in a profile's folder");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", "sluice-gateway"])
        .args(profile.ends_with("release").then_some("--release"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    let built = built.expect("Cargo can be run");
    assert!(built.success(), "the gateway cannot be built");
    profile.join("sluice-gateway")
}
