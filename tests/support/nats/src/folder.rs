//! A folder that a server keeps its things in.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A folder for one server, gone with it.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one among the temporary files.
    #[allow(clippy::new_without_default, reason = "making one is an act")]
    pub fn new() -> Self {
        let name = format!("sluice-test-nats-{:016x}", rand::random::<u64>());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder for temporary files can be made");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left over is the temporary files' own cleaner's.
        let _ = fs::remove_dir_all(&self.0);
    }
}
