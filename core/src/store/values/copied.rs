//! Copies of values outside their shard: which values may have some, and which copies are still good.
//!
//! They are kept only where there are threads.

#[cfg(feature = "std")]
pub(crate) use marks::Versions;

/// Which values of a shard may have copies; nothing where copies are not kept.
#[derive(Default)]
pub(crate) struct Copied(#[cfg(feature = "std")] Option<alloc::boxed::Box<marks::Marks>>);

impl Copied {
    /// The value of this hash changes or leaves. To be called before that is seen outside the lock.
    #[inline(always)]
    pub(super) fn outdate(&mut self, hash: u64) {
        #[cfg(feature = "std")]
        if let Some(marks) = &mut self.0 {
            marks.outdate(hash);
        }
        #[cfg(not(feature = "std"))]
        let _ = hash;
    }

    /// The same of all values.
    pub(super) fn outdate_all(&mut self) {
        #[cfg(feature = "std")]
        if let Some(marks) = &mut self.0 {
            marks.outdate_all();
        }
    }
}

#[cfg(feature = "std")]
mod marks {
    use alloc::boxed::Box;

    use super::Copied;
    use crate::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    /// Values that may have copies, by some bits of their hashes.
    pub(super) struct Marks {
        bits: [u64; 16],
        versions: Arc<Versions>,
    }

    /// Tells those who hold copies of a shard's values whether they are still good. Only changes to such values write it.
    #[derive(Debug, Default)]
    pub(crate) struct Versions {
        /// Copies of another version are outdated.
        current: AtomicUsize,
        /// Those of versions before this one were taken out.
        purged: AtomicUsize,
    }

    impl Copied {
        /// Copies may be made from now on.
        pub(crate) fn keep(&mut self) -> Arc<Versions> {
            let versions = Arc::new(Versions::default());
            self.0 = Some(Box::new(Marks { bits: [0; 16], versions: Arc::clone(&versions) }));
            versions
        }

        /// Notes that a value of this hash has a copy; returns the version of the copy.
        pub(crate) fn mark(&mut self, hash: u64) -> Option<usize> {
            let marks = self.0.as_mut()?;
            let (word, bit) = place_of(hash);
            marks.bits[word] |= bit;
            Some(marks.versions.current.load(Ordering::Relaxed))
        }
    }

    impl Copied {
        /// The same for a shard that splits off. No copy is good any more, as it is not known of which half it is.
        pub(crate) fn split_off(&mut self) -> Self {
            self.outdate_all();
            let marks = |marks: &Marks| Box::new(Marks { bits: [0; 16], versions: Arc::clone(&marks.versions) });
            Self(self.0.as_deref().map(marks))
        }
    }

    impl Marks {
        #[inline(never)]
        pub(super) fn outdate(&mut self, hash: u64) {
            let (word, bit) = place_of(hash);
            if self.bits[word] & bit != 0 {
                self.outdate_all();
            }
        }

        pub(super) fn outdate_all(&mut self) {
            if self.bits != [0; 16] {
                self.bits = [0; 16];
                // (A locked instruction: it is seen by the time the write returns.)
                self.versions.current.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    impl Versions {
        /// Copies of any other version are outdated.
        #[inline]
        pub(crate) fn current(&self) -> usize {
            self.current.load(Ordering::Acquire)
        }

        /// Calls `purge` with the current version if there may be copies of others, to take them out.
        ///
        /// When it returns, all that were outdated before the call are taken out, by this call or by another.
        #[inline]
        pub(crate) fn purge(&self, purge: impl FnOnce(usize)) {
            let current = self.current();
            if self.purged.load(Ordering::Acquire) != current {
                purge(current);
                self.purged.store(current, Ordering::Release);
            }
        }
    }

    /// The word and the bit of a hash, from bits that neither choose the shard nor the bucket.
    const fn place_of(hash: u64) -> (usize, u64) {
        let bits = hash >> 48;
        ((bits >> 6) as usize & 15, 1 << (bits & 63))
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
