//! Where secrets come from.

use sluice_crds::{Documents, SecretKeyRef};

/// Gives the bytes that a document refers to: from a mounted Secret, or from the documents.
pub trait SecretSource {
    /// The bytes of one key of a Secret, if it is there.
    fn get(&self, reference: &SecretKeyRef) -> Option<Vec<u8>>;
}

/// The Secrets among the documents themselves.
impl SecretSource for Documents {
    fn get(&self, reference: &SecretKeyRef) -> Option<Vec<u8>> {
        self.secret_value(reference).map(<[u8]>::to_vec)
    }
}
