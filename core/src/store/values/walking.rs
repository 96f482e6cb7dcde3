//! Going over all values, a few at a time.

use super::{Entry, FEW, Policy, Values};

impl<K: Eq, V, P: Policy> Values<K, V, P> {
    /// Begins a walk over all values, which meets each that stays exactly once; or the part here of a walk over many shards.
    pub(crate) fn begin_walk(&mut self, walk: Option<u32>) -> u32 {
        self.walks.begin(walk, self.table.len() as u32)
    }

    /// Goes over the next values and their places; `None` if the walk is over. They count as met once `work` returns.
    pub(crate) fn walk<T>(
        &mut self,
        walk: u32,
        work: impl FnOnce(&Self, &mut dyn Iterator<Item = (u32, &Entry<K, V, P::Node>)>) -> T,
    ) -> Option<T> {
        let end = self.walks.below(walk).map_or(0, |below| *below);
        let start = end.saturating_sub(FEW as u32);
        let next = self.table.rows().get(start as usize..end as usize).filter(|next| !next.is_empty())?;
        let done = work(self, &mut (start..).zip(next));
        if let Some(below) = self.walks.below(walk) {
            *below = start;
        }
        Some(done)
    }

    /// Ends a walk, however far it has come.
    pub(crate) fn end_walk(&mut self, walk: u32) {
        self.walks.end(walk);
    }
}
