//! A store just large enough to run a policy.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::store::policy::{Nodes, Policy};

/// A policy that can show what it holds, after a search for contradictions in itself.
pub(in crate::store::policy) trait Inspect: Policy {
    /// Returns the places of all entries, queue by queue, the next to leave last.
    fn inspect(&self, entries: &mut impl Nodes<Self::Node>) -> Vec<u32>;
}

/// Entries under keys that are numbers; a place that is empty must not be touched.
pub(in crate::store::policy) struct Shelf<P: Policy> {
    pub(in crate::store::policy) policy: P,
    pub(in crate::store::policy) entries: Entries<P::Node>,
    places: BTreeMap<u64, u32>,
    vacant: Vec<usize>,
    capacity: u64,
    weight: u128,
}

#[derive(Default)]
pub(in crate::store::policy) struct Entries<N> {
    slots: Vec<Option<Entry<N>>>,
    /// How often a node was asked for.
    pub(in crate::store::policy) touches: usize,
}

pub(in crate::store::policy) struct Entry<N> {
    key: u64,
    weight: u64,
    node: N,
}

impl<N> Entries<N> {
    fn entry(&self, place: u32) -> &Entry<N> {
        self.slots[place as usize].as_ref().expect("an entry")
    }
}

impl<N> Nodes<N> for Entries<N> {
    fn node(&mut self, place: u32) -> &mut N {
        self.touches += 1;
        &mut self.slots[place as usize].as_mut().expect("an entry").node
    }

    fn hash(&self, place: u32) -> u64 {
        hash(self.entry(place).key)
    }

    fn weight(&self, place: u32) -> u64 {
        self.entry(place).weight
    }
}

impl<P: Inspect> Shelf<P> {
    pub(in crate::store::policy) fn new(capacity: u64) -> Self {
        let entries = Entries { slots: Vec::new(), touches: 0 };
        Self { policy: P::new(capacity), entries, places: BTreeMap::new(), vacant: Vec::new(), capacity, weight: 0 }
    }

    /// Looks a key up, and inserts it with a weight of 1 if it is not there; returns whether it was.
    pub(in crate::store::policy) fn access(&mut self, key: u64) -> bool {
        let found = self.hit(key);
        if !found {
            self.insert(key, 1);
        }
        found
    }

    pub(in crate::store::policy) fn hit(&mut self, key: u64) -> bool {
        let place = self.places.get(&key);
        place.map(|&place| self.policy.hit(&mut self.entries, place)).is_some()
    }

    /// Inserts a key that is not there, unless it is too heavy; returns the keys that left for it.
    pub(in crate::store::policy) fn insert(&mut self, key: u64, weight: u64) -> Vec<u64> {
        assert!(!self.places.contains_key(&key));
        if weight > self.capacity {
            return Vec::new();
        }
        let admission = self.policy.admit(&mut self.entries, hash(key), weight);
        let left = self.make_room(weight);
        let slots = &mut self.entries.slots;
        let place = self.vacant.pop().unwrap_or_else(|| {
            slots.push(None);
            slots.len() - 1
        });
        slots[place] = Some(Entry { key, weight, node: P::Node::default() });
        self.weight += u128::from(weight);
        self.places.insert(key, place as u32);
        self.policy.insert(&mut self.entries, place as u32, admission);
        left
    }

    pub(in crate::store::policy) fn remove(&mut self, key: u64) {
        let place = self.places[&key];
        self.policy.remove(&mut self.entries, place);
        self.drop_entry(place);
    }

    /// Gives a key another weight; returns the keys that left for it.
    pub(in crate::store::policy) fn reweigh(&mut self, key: u64, weight: u64) -> Vec<u64> {
        let place = self.places[&key];
        let entry = self.entries.slots[place as usize].as_mut().expect("an entry");
        let old = core::mem::replace(&mut entry.weight, weight);
        self.weight = self.weight - u128::from(old) + u128::from(weight);
        self.policy.reweigh(&mut self.entries, place, old);
        self.make_room(0)
    }

    pub(in crate::store::policy) fn set_capacity(&mut self, capacity: u64) -> Vec<u64> {
        self.capacity = capacity;
        self.policy.set_capacity(capacity);
        self.make_room(0)
    }

    pub(in crate::store::policy) fn clear(&mut self) {
        self.policy.clear();
        self.entries.slots.clear();
        self.places.clear();
        self.vacant.clear();
        self.weight = 0;
    }

    /// Lets the policy evict one entry and returns its key.
    pub(in crate::store::policy) fn evict(&mut self) -> Option<u64> {
        let place = self.policy.evict(&mut self.entries)?;
        Some(self.drop_entry(place))
    }

    pub(in crate::store::policy) fn keys(&self) -> Vec<u64> {
        self.places.keys().copied().collect()
    }

    /// Returns the keys as the policy orders them, after a comparison with what is stored.
    pub(in crate::store::policy) fn inspect(&mut self) -> Vec<u64> {
        let places = self.policy.inspect(&mut self.entries);
        let keys: Vec<u64> = places.iter().map(|&place| self.entries.entry(place).key).collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, self.keys(), "the policy holds what is stored, each entry once");
        keys
    }

    fn make_room(&mut self, weight: u64) -> Vec<u64> {
        let mut left = Vec::new();
        while self.weight + u128::from(weight) > u128::from(self.capacity) {
            left.push(self.evict().expect("a victim, as something is held"));
        }
        left
    }

    fn drop_entry(&mut self, place: u32) -> u64 {
        let entry = self.entries.slots[place as usize].take().expect("an entry leaves once");
        self.vacant.push(place as usize);
        self.weight -= u128::from(entry.weight);
        self.places.remove(&entry.key);
        entry.key
    }
}

/// Returns a hash as a good hasher makes it.
pub(in crate::store::policy) fn hash(key: u64) -> u64 {
    key.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// Numbers that look random, the same ones each time (xorshift64*: Marsaglia 2003, Vigna 2016).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Returns the next number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)) * u128::from(end)) >> 64) as u64
    }
}
