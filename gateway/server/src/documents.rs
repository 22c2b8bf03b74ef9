//! The documents a gateway runs by: read from files, and read again when they change.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use sluice_crds::{Documents, Problem, SecretKeyRef, Source, load};
use sluice_policy::SecretSource;

/// The largest file that is read.
const MAX_FILE: u64 = 8 << 20;

/// The texts of all files, by name, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Texts(BTreeMap<String, String>);

/// Reads a file, or all YAML files of a directory (not of those below it).
pub(crate) fn read(path: &Path) -> io::Result<Texts> {
    let mut files = Vec::new();
    if fs::metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            let file = entry?.path();
            if is_yaml(&file) {
                files.push(file);
            }
        }
    } else {
        files.push(path.to_owned());
    }
    read_all(&files)
}

/// Reads files by name.
pub(crate) fn read_all(files: &[PathBuf]) -> io::Result<Texts> {
    let mut texts = BTreeMap::new();
    for file in files {
        let with_name = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", file.display()));
        if fs::metadata(file).map_err(with_name)?.len() > MAX_FILE {
            return Err(with_name(io::Error::other("the file is larger than 8 MiB")));
        }
        let text = fs::read_to_string(file).map_err(with_name)?;
        texts.insert(file.display().to_string(), text);
    }
    Ok(Texts(texts))
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

impl Texts {
    /// One text by itself.
    pub(crate) fn one(name: &str, text: &str) -> Self {
        Self([(name.to_owned(), text.to_owned())].into())
    }

    /// All of them as one.
    pub(crate) fn joined(&self) -> String {
        let texts: Vec<_> = self.0.values().map(String::as_str).collect();
        texts.join("\n---\n")
    }

    /// Checks the documents as an API server and a gateway would.
    pub(crate) fn load(&self) -> Result<Documents, Vec<Problem>> {
        let sources: Vec<_> = self
            .0
            .iter()
            .map(|(name, text)| Source { name, text })
            .collect();
        load(&sources)
    }
}

/// Secrets: from a directory with one directory a Secret, as Kubernetes mounts them, or among the
/// documents.
#[derive(Debug)]
pub(crate) struct Secrets<'a> {
    pub(crate) documents: &'a Documents,
    pub(crate) mounted: Option<&'a Path>,
}

impl SecretSource for Secrets<'_> {
    fn get(&self, reference: &SecretKeyRef) -> Option<Vec<u8>> {
        self.read(&reference.name, &reference.key)
    }
}

impl Secrets<'_> {
    /// The bytes of one key of a Secret.
    pub(crate) fn read(&self, name: &str, key: &str) -> Option<Vec<u8>> {
        let mounted = self
            .mounted
            .and_then(|dir| fs::read(dir.join(name).join(key)).ok());
        mounted.or_else(|| self.documents.secret(name)?.get(key).map(<[u8]>::to_vec))
    }
}
