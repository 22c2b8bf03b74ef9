//! Where nats-server and the programs of Kubernetes are.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::Command,
    sync::{LazyLock, Mutex, PoisonError},
};

const WHERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../scripts/where");

static FOUND: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);

/// The path of a program, such as `nats-server` or `kube-apiserver`, as `scripts/where` finds it for
/// all tests.
pub fn program(name: &str) -> PathBuf {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    found
        .entry(name.to_owned())
        .or_insert_with(|| look_for(name))
        .clone()
}

fn look_for(name: &str) -> PathBuf {
    let output = Command::new(WHERE)
        .arg(name)
        .output()
        .expect("scripts/where can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end().into()
}
