//! Which entry leaves when room is needed: one small trait, and a file for each policy.

mod clock;
mod gate;
mod gated_fifo;
mod ghosts;
pub(crate) mod list;
mod lru;
mod queue;
mod share;

pub use gated_fifo::GatedFifo;
pub use lru::Lru;

/// The entries of one shard as a policy sees them, by place.
///
/// A place is the index of an entry; it stays the same while the entry is stored, unless the policy is told that it was
/// [relocated](Policy::relocate), and may be used again afterwards. See [`Policy`] for a shelf that is one.
///
/// ```
/// use larder::policy::Nodes;
///
/// fn total<N>(entries: &impl Nodes<N>, places: &[u32]) -> u64 {
///     places.iter().map(|place| entries.weight(*place)).sum()
/// }
/// ```
pub trait Nodes<N> {
    /// The policy's own record inside the entry at `place`.
    fn node(&mut self, place: u32) -> &mut N;

    /// The hash of the key at `place`.
    fn hash(&self, place: u32) -> u64;

    /// The weight of the entry at `place`, at least 1.
    fn weight(&self, place: u32) -> u64;
}

/// Decides which entry of a shard leaves when room is needed.
///
/// For a new entry, the store calls [`admit`](Self::admit) once, then [`evict`](Self::evict) until the newcomer fits,
/// then [`insert`](Self::insert). A newcomer is never refused, and never the victim of its own insertion. Every entry
/// that was inserted leaves by exactly one `evict` or `remove`, or with all others by `clear`. No call runs code of the
/// cache's user.
///
/// ```
/// use larder::policy::{Lru, Nodes, Policy};
///
/// struct Shelf<N>(Vec<N>);
///
/// impl<N> Nodes<N> for Shelf<N> {
///     fn node(&mut self, place: u32) -> &mut N {
///         &mut self.0[place as usize]
///     }
///     fn hash(&self, place: u32) -> u64 {
///         place.into()
///     }
///     fn weight(&self, _place: u32) -> u64 {
///         1
///     }
/// }
///
/// let mut shelf = Shelf(vec![Default::default(), Default::default()]);
/// let mut policy = Lru::new(2);
/// for place in [0, 1] {
///     let admission = policy.admit(&mut shelf, place.into(), 1);
///     policy.insert(&mut shelf, place, admission);
/// }
/// policy.hit(&mut shelf, 0);
/// assert_eq!(policy.evict(&mut shelf), Some(1));
/// ```
pub trait Policy: Sized {
    /// What the policy keeps inside each entry; a hit should touch nothing else.
    type Node: Default;

    /// What [`admit`](Self::admit) passes on to [`insert`](Self::insert).
    type Admission;

    /// Makes a policy for a shard that may hold entries up to `capacity` in weight.
    fn new(capacity: u64) -> Self;

    /// Reserves all memory for so many entries; returns whether there is enough.
    ///
    /// A policy that keeps everything inside the entries has nothing to do.
    fn preallocate(&mut self, entries: u64) -> bool {
        let _ = entries;
        true
    }

    /// Adapts to another capacity; the store evicts the excess.
    fn set_capacity(&mut self, capacity: u64);

    /// Notes that the entry at `place` was asked for and found.
    fn hit<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32);

    /// Notes that a key with this hash was not found and will now be inserted.
    fn admit<E: Nodes<Self::Node>>(&mut self, entries: &mut E, hash: u64, weight: u64) -> Self::Admission;

    /// Picks the next entry to leave, takes it out of the order and returns its place; `None` if nothing is held.
    fn evict<E: Nodes<Self::Node>>(&mut self, entries: &mut E) -> Option<u32>;

    /// Adds the entry at `place`, whose node is still the default.
    fn insert<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32, admission: Self::Admission);

    /// Removes the entry at `place`, which is still there; it leaves no trace.
    fn remove<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32);

    /// Notes that the weight of the entry at `place` was `old`, and is now what `entries` returns.
    fn reweigh<E: Nodes<Self::Node>>(&mut self, entries: &mut E, place: u32, old: u64);

    /// Notes that the entry at `from` has moved to `to` with its node; nothing is left at `from`.
    fn relocate<E: Nodes<Self::Node>>(&mut self, entries: &mut E, from: u32, to: u32);

    /// Forgets everything, as after `new`.
    fn clear(&mut self);
}

#[cfg(test)]
pub(crate) mod tests;
