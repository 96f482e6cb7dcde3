//! Which keys are being loaded, and which of them were written meanwhile.

use alloc::collections::BTreeMap;

/// Loads that are under way, by the hashes of their keys. A key that shares its hash is loaded once more for nothing.
pub(super) struct Loads {
    running: BTreeMap<u64, Running>,
    /// The number of the last change that was made to all keys.
    voided: u64,
}

struct Running {
    count: u32,
    /// The number of the last change that was made to such a key.
    written: u64,
}

impl Loads {
    pub(super) const fn new() -> Self {
        Self { running: BTreeMap::new(), voided: 0 }
    }

    pub(super) fn begin(&mut self, hash: u64) {
        self.running.entry(hash).or_insert(Running { count: 0, written: 0 }).count += 1;
    }

    pub(super) fn end(&mut self, hash: u64) {
        if let Some(running) = self.running.get_mut(&hash) {
            running.count -= 1;
            if running.count == 0 {
                self.running.remove(&hash);
            }
        }
    }

    /// Tells whether a key of this hash is being loaded.
    pub(super) fn is_running(&self, hash: u64) -> bool {
        self.running.contains_key(&hash)
    }

    /// Notes a change that makes void what was begun to be loaded before.
    pub(super) fn write(&mut self, hash: u64, number: u64) {
        if let Some(running) = self.running.get_mut(&hash) {
            running.written = number;
        }
    }

    /// Notes a change that was made to all keys.
    pub(super) const fn write_all(&mut self, number: u64) {
        self.voided = number;
    }

    /// Tells whether there was such a change since the one with number `since`.
    pub(super) fn is_void(&self, hash: u64, since: u64) -> bool {
        let written = self.running.get(&hash).map_or(0, |running| running.written);
        self.voided.max(written) > since
    }
}

#[cfg(test)]
mod tests;
