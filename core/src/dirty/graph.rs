//! Which cache is to be flushed before which.
//!
//! `N` is what a cache is known by. An edge leads from a cache to one that is to be flushed first.

use alloc::{vec, vec::Vec};

/// What has to be on disk over there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// All changes up to this number.
    UpTo(u64),
    /// All there are, each time.
    Always,
}

impl Need {
    /// Tells whether there is something to be flushed, or may be; `oldest` is the first change there that is not on disk.
    pub(crate) fn counts(self, oldest: Option<u64>) -> bool {
        match self {
            Self::Always => true,
            Self::UpTo(last) => oldest.is_some_and(|oldest| oldest <= last),
        }
    }
}

/// One cache in the graph: what has to be flushed before it, and what others have to know of it.
pub(crate) struct Edges<N> {
    list: Vec<(N, Need)>,
    /// The first change that is not on disk.
    oldest: Option<u64>,
}

impl<N: Clone + PartialEq> Edges<N> {
    pub(crate) const fn new() -> Self {
        Self { list: Vec::new(), oldest: None }
    }

    pub(crate) const fn oldest(&self) -> Option<u64> {
        self.oldest
    }

    pub(crate) const fn note(&mut self, oldest: Option<u64>) {
        self.oldest = oldest;
    }

    /// Adds an edge; of those that are satisfied one day, one to each cache is enough.
    pub(crate) fn add(&mut self, to: N, need: Need) {
        let is_alike = |other: &Need| (*other == Need::Always) == (need == Need::Always);
        match self.list.iter_mut().find(|(other, is)| *other == to && is_alike(is)) {
            // A higher number includes a lower one, which may come after it: it was asked for before the edge is added.
            Some((_, present)) => *present = need.max(*present),
            None => self.list.push((to, need)),
        }
    }

    /// Returns all edges.
    pub(crate) fn list(&self) -> Vec<(N, Need)> {
        self.list.clone()
    }

    /// Takes out an edge, unless it needs something else by now.
    pub(crate) fn remove(&mut self, edge: &(N, Need)) {
        self.list.retain(|other| other != edge);
    }

    /// Takes out all edges, to be dropped by the caller.
    pub(crate) fn take(&mut self) -> Vec<(N, Need)> {
        core::mem::take(&mut self.list)
    }
}

/// Returns the caches along a way from one to the other, both included.
pub(crate) fn way<N: Clone + PartialEq>(from: N, to: &N, next: impl Fn(&N) -> Vec<N>) -> Option<Vec<N>> {
    let mut seen = vec![from.clone()];
    // Each with those behind it that were not followed yet.
    let mut path = vec![(from.clone(), next(&from))];
    while let Some((last, ahead)) = path.last_mut() {
        if last == to {
            return Some(path.into_iter().map(|(node, _)| node).collect());
        }
        match ahead.pop() {
            Some(node) if seen.contains(&node) => {}
            Some(node) => {
                seen.push(node.clone());
                let ahead = next(&node);
                path.push((node, ahead));
            }
            None => {
                path.pop();
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
