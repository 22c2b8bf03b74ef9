//! Where the programs of Kubernetes are.

use std::{env, path::PathBuf};

/// The path of a program of Kubernetes.
pub fn binary(name: &str) -> PathBuf {
    let folder = env::var_os("SLUICE_KUBE_BIN").map_or_else(usual, PathBuf::from);
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{name} is missing in {}: build it with `tests/kind/lab/lab bin`, or set SLUICE_KUBE_BIN to a folder with etcd, kube-apiserver and kube-controller-manager",
        folder.display()
    );
    path
}

fn usual() -> PathBuf {
    let home = env::var_os("HOME").expect("the variable HOME is set");
    PathBuf::from(home).join(".cache/sluice/lab/bin")
}
