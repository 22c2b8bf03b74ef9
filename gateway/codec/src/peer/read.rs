//! Reading fields, each of which may be missing.

use bytes::{Buf, Bytes};

use super::{Malformed, SidBytes, VERSION};

/// The fields of a frame that are not read yet.
pub(super) struct Fields(Bytes);

impl Fields {
    /// Reads the version, and which kind of frame this is.
    pub(super) fn open(bytes: Bytes) -> Result<(u8, Self), Malformed> {
        let mut fields = Self(bytes);
        if fields.u8()? != VERSION {
            return Err(Malformed);
        }
        Ok((fields.u8()?, fields))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.0.try_get_u8().map_err(|_| Malformed)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.0.try_get_u64().map_err(|_| Malformed)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    pub(super) fn sid(&mut self) -> Result<SidBytes, Malformed> {
        let mut sid = SidBytes::default();
        self.0.try_copy_to_slice(&mut sid).map_err(|_| Malformed)?;
        Ok(sid)
    }

    /// All bytes that were not read yet.
    pub(super) fn rest(self) -> Bytes {
        self.0
    }

    /// Gives `whole`, if no bytes are left that nobody read.
    pub(super) fn end<T>(self, whole: T) -> Result<T, Malformed> {
        if self.0.is_empty() {
            Ok(whole)
        } else {
            Err(Malformed)
        }
    }
}
