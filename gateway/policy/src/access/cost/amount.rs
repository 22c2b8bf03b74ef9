//! An upper bound on what a part of an expression takes and gives.

use crate::MAX_TOKEN_BYTES;

/// The most that evaluating an expression takes, and the most that its value can be.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) steps: u64,
    /// Bytes, where a number or a yes or no is one.
    pub(super) size: u64,
    /// Elements, if it is a list or a map.
    pub(super) count: u64,
    /// Elements of all that is in it, at any depth.
    pub(super) nested: u64,
}

impl Cost {
    pub(super) fn plain(size: u64) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// What a value read from claims with so many elements can be.
    pub(super) fn of_claims(elements: u64) -> Self {
        let size = MAX_TOKEN_BYTES as u64 / 4 * 3;
        Self {
            steps: 0,
            size,
            count: elements,
            nested: elements,
        }
    }

    /// What a value of `size` bytes can be, of which nothing else is known.
    pub(super) fn any(size: u64) -> Self {
        Self {
            steps: 0,
            size,
            count: size,
            nested: size,
        }
    }

    /// What one of its elements can be.
    pub(super) fn element(self) -> Self {
        Self {
            steps: 0,
            size: self.size,
            count: self.nested,
            nested: self.nested,
        }
    }

    pub(super) fn with_steps(self, steps: u64) -> Self {
        Self {
            steps: self.steps.saturating_add(steps),
            ..self
        }
    }

    /// Both, one of which is the value.
    pub(super) fn either(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            size: self.size.max(other.size),
            count: self.count.max(other.count),
            nested: self.nested.max(other.nested),
        }
    }

    /// Both, together in one value.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            size: self.size.saturating_add(other.size),
            count: self.count.saturating_add(other.count),
            nested: self.nested.saturating_add(other.nested),
        }
    }

    /// This with one more element in it.
    pub(super) fn holding(self, element: Self) -> Self {
        let all = self.with(element);
        Self {
            count: self.count.saturating_add(1),
            nested: all.nested.saturating_add(element.count),
            ..all
        }
    }
}
