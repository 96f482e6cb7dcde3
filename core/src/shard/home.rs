//! Which keys a shard has, once shards have split. Without std there are no splits, and nothing to know.

/// Which keys a shard has, of those that first came to it: the ones with these bits in their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Home {
    /// Which bits count; none before the first split.
    #[cfg(feature = "std")]
    mask: u32,
    #[cfg(feature = "std")]
    bits: u32,
}

#[cfg(feature = "std")]
impl Home {
    /// Do only some keys have their home here, of those that first came here?
    #[inline(always)]
    pub(crate) const fn has_split(self) -> bool {
        self.mask != 0
    }

    /// Which bits count.
    pub(crate) const fn mask(self) -> u32 {
        self.mask
    }

    /// The bits that its keys have.
    pub(crate) const fn bits(self) -> u32 {
        self.bits
    }

    /// Returns the bits that choose the shard if this key's home is elsewhere.
    #[inline(always)]
    pub(crate) const fn elsewhere(self, hash: u64) -> Option<u32> {
        if self.has_split() && split_bits(hash) & self.mask != self.bits { Some(self.mask) } else { None }
    }

    /// Returns the homes of both halves.
    pub(crate) const fn halves(self) -> (Self, Self) {
        let mask = 2 * self.mask + 1;
        (Self { mask, ..self }, Self { mask, bits: self.bits | (self.mask + 1) })
    }
}

#[cfg(not(feature = "std"))]
impl Home {
    pub(crate) const fn has_split(self) -> bool {
        false
    }

    pub(crate) const fn mask(self) -> u32 {
        0
    }

    pub(crate) const fn bits(self) -> u32 {
        0
    }

    pub(crate) const fn elsewhere(self, _: u64) -> Option<u32> {
        None
    }
}

/// The bits of a hash that choose among the halves of shards that split: others than choose among the first shards, or in
/// the table of one.
#[cfg(feature = "std")]
#[inline(always)]
pub(crate) const fn split_bits(hash: u64) -> u32 {
    (hash >> 32) as u32
}
