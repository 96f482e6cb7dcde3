//! The least recently used entry leaves first.

use super::list::{Link, List};
use super::{Nodes, Policy};

/// Evicts the least recently used entry, exactly.
///
/// The choice for predictability: which entry leaves follows from the order of the accesses alone. A scan longer than
/// the capacity empties the cache of everything else, and a loop just longer than the capacity never hits;
/// [`GatedFifo`](super::GatedFifo) copes with both.
///
/// Every call is O(1). A hit moves the entry to the front, which writes to up to four entries. 8 bytes an entry.
///
/// ```
/// use larder::{Cache, ManualClock, Tuned, parts::Std, policy::Lru};
///
/// let cache = Cache::builder_with(Std::new(ManualClock::new()), Tuned::<Lru>::new())
///     .capacity(2)
///     .shards(1)
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) })
///     .build()?;
/// for id in [1, 2, 3] {
///     cache.insert(id, id);
/// }
/// assert!(!cache.contains(&1)); // not asked for the longest
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Lru {
    /// The most recently used in front.
    order: List,
}

impl Policy for Lru {
    type Node = Link;
    type Admission = ();

    fn new(_capacity: u64) -> Self {
        Self { order: List::new() }
    }

    fn set_capacity(&mut self, _capacity: u64) {}

    fn hit<E: Nodes<Link>>(&mut self, entries: &mut E, place: u32) {
        if self.order.front() != Some(place) {
            self.order.remove(entries, place);
            self.order.push_front(entries, place);
        }
    }

    fn admit<E: Nodes<Link>>(&mut self, _entries: &mut E, _hash: u64, _weight: u64) {}

    fn evict<E: Nodes<Link>>(&mut self, entries: &mut E) -> Option<u32> {
        let place = self.order.back()?;
        self.order.remove(entries, place);
        Some(place)
    }

    fn insert<E: Nodes<Link>>(&mut self, entries: &mut E, place: u32, _admission: ()) {
        self.order.push_front(entries, place);
    }

    fn remove<E: Nodes<Link>>(&mut self, entries: &mut E, place: u32) {
        self.order.remove(entries, place);
    }

    fn reweigh<E: Nodes<Link>>(&mut self, _entries: &mut E, _place: u32, _old: u64) {}

    fn relocate<E: Nodes<Link>>(&mut self, entries: &mut E, _from: u32, to: u32) {
        self.order.relocate(entries, to);
    }

    fn clear(&mut self) {
        self.order = List::new();
    }
}

#[cfg(test)]
mod tests;
