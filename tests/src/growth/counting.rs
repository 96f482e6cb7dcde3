//! Keys and values that count.

use core::hash::{Hash, Hasher};

use super::{What, note};

/// A key that counts how often it is hashed, compared and cloned.
#[derive(Debug)]
pub(super) struct Key(pub(super) u32);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        note(What::Hashes);
        self.0.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        note(What::Comparisons);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Clone for Key {
    fn clone(&self) -> Self {
        note(What::Clones);
        Self(self.0)
    }
}

/// A value that counts how often it is cloned.
#[derive(Debug)]
pub(super) struct Value(pub(super) u32);

impl Clone for Value {
    fn clone(&self) -> Self {
        note(What::Clones);
        Self(self.0)
    }
}
