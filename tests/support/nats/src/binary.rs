//! Where nats-server is.

use std::{env, path::PathBuf};

/// `NATS_SERVER`, or `nats-server` in the `PATH`, or where `scripts/tools.sh` installs it.
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("NATS_SERVER") {
        return path.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(installed());
    let mut places = folders.map(|folder| folder.join("nats-server"));
    places.find(|place| place.is_file()).expect(
        "nats-server is missing: install it with `. scripts/tools.sh; need_nats`, \
         or set NATS_SERVER to its path",
    )
}

fn installed() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cache")));
    Some(cache?.join("sluice/bin"))
}
