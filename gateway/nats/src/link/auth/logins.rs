//! Where what lets a client in is read, anew for each connection.

use std::{fmt, io, sync::Arc};

use super::Auth;

type Read = dyn Fn() -> io::Result<Vec<Auth>> + Send + Sync;

/// What lets a client in, read anew for each connection: what is replaced in good time needs no
/// restart. Where a server refuses the first, the next one is tried.
#[derive(Clone)]
pub struct Logins(Arc<Read>);

impl Logins {
    /// Calls `read` for each connection. It must not block for long.
    pub fn new(read: impl Fn() -> io::Result<Vec<Auth>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// What lets the client in now; never empty.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(&self) -> io::Result<Vec<Auth>> {
        let mut all = (self.0)()?;
        if all.is_empty() {
            all.push(Auth::None);
        }
        Ok(all)
    }
}

impl Default for Logins {
    fn default() -> Self {
        Auth::None.into()
    }
}

/// The same each time.
impl From<Auth> for Logins {
    fn from(auth: Auth) -> Self {
        Self::new(move || Ok(vec![auth.clone()]))
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}
