//! The graph of all caches, and its locks.

use alloc::{sync::Arc, vec, vec::Vec};

use crate::{
    Lock,
    dirty::{Edges, Need, way},
};

#[cfg(feature = "std")]
type GraphLock<T> = std::sync::Mutex<T>;
/// An interrupt may change an entry where the locks of its cache allow that, so it must be able to take this one.
#[cfg(all(feature = "critical-section", not(feature = "std")))]
type GraphLock<T> = crate::parts::CriticalLock<T>;
#[cfg(all(not(feature = "critical-section"), not(feature = "std")))]
type GraphLock<T> = spin::Mutex<T>;

/// A cache in the graph. Public only as a part of a trait.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    name: Arc<str>,
    /// Innermost of all locks: under it, no other is taken.
    edges: GraphLock<Edges<Node>>,
}

/// Held while an edge is added, so that no two callers close a circle between them.
static CONNECTING: GraphLock<()> = GraphLock::new(());

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Node {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self(Arc::new(Inner { name, edges: GraphLock::new(Edges::new()) }))
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Notes the first change that is not on disk.
    pub(super) fn note(&self, oldest: Option<u64>) {
        self.0.edges.with(|edges| edges.note(oldest));
    }

    /// Has `other` be flushed before this one, as far as is needed; tells whether there is anything to be done for that.
    ///
    /// # Errors
    ///
    /// The names along the circle that this would close, the first one again at the end; nothing has changed then.
    pub(super) fn connect(&self, other: &Self, need: Need) -> Result<bool, Vec<Arc<str>>> {
        CONNECTING.with(|()| {
            if !need.counts(other.0.edges.with(|edges| edges.oldest())) {
                return Ok(false);
            }
            let next = |node: &Self| node.needs().into_iter().map(|(node, _)| node).collect();
            if let Some(way) = way(other.clone(), self, next) {
                let circle = core::iter::once(self).chain(&way);
                return Err(circle.map(|node| Arc::clone(node.name())).collect());
            }
            self.0.edges.with(|edges| edges.add(other.clone(), need));
            Ok(true)
        })
    }

    /// Returns what has to be flushed before this one, and forgets what was.
    pub(super) fn needs(&self) -> Vec<(Self, Need)> {
        let mut needs = self.0.edges.with(|edges| edges.list());
        needs.retain(|edge| {
            let counts = edge.1.counts(edge.0.0.edges.with(|edges| edges.oldest()));
            if !counts {
                self.0.edges.with(|edges| edges.remove(edge));
            }
            counts
        });
        needs
    }

    /// Tells whether there is something dirty in this one, or in any that has to be flushed before it.
    pub(super) fn is_dirty_within(&self) -> bool {
        let (mut seen, mut next) = (vec![self.clone()], 0);
        while let Some(node) = seen.get(next).cloned() {
            if node.0.edges.with(|edges| edges.oldest()).is_some() {
                return true;
            }
            for (node, _) in node.needs() {
                if !seen.contains(&node) {
                    seen.push(node);
                }
            }
            next += 1;
        }
        false
    }

    /// Forgets what has to be flushed first: this one will not be flushed any more.
    pub(super) fn leave(&self) {
        let _edges = self.0.edges.with(Edges::take);
    }
}
