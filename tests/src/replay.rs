//! Replays of traces: every access is a lookup, and a miss inserts the key.

use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

use larder::{
    Cache, ManualClock, Tuned,
    parts::Std,
    policy::{Nodes, Policy},
};

/// A cache, as a trace uses it.
pub trait Replay {
    /// Looks the key up, inserts it if it is missing, and returns whether it was there.
    fn access(&mut self, key: u64) -> bool;
}

/// Returns the hits, in percent, if these keys are accessed in order.
pub fn hit_ratio(cache: &mut impl Replay, keys: &[u64]) -> f64 {
    let hits = keys.iter().filter(|&&key| cache.access(key)).count();
    100.0 * hits as f64 / keys.len().max(1) as f64
}

/// A real cache as a trace uses it; only its store is in use.
pub struct RealCache<P: Policy>(Cache<u64, (), (), Std<ManualClock>, Tuned<P>>);

impl<P: Policy> RealCache<P> {
    /// Returns an empty cache for this many keys, in this many shards.
    pub fn new(capacity: usize, shards: usize) -> Self {
        let builder = Cache::builder_with(Std::new(ManualClock::new()), Tuned::new()).hash_seed(7);
        Self(builder.capacity(capacity as u64).shards(shards).build().expect("a sound configuration"))
    }
}

impl<P: Policy> Replay for RealCache<P> {
    fn access(&mut self, key: u64) -> bool {
        let hit = self.0.get_if_present(&key).is_some();
        if !hit {
            self.0.insert(key, ());
        }
        hit
    }
}

/// The smallest cache that can run a policy: keys without values, each with weight 1.
#[derive(Debug)]
pub struct PolicyAlone<P: Policy> {
    policy: P,
    capacity: usize,
    entries: Entries<P::Node>,
    places: HashMap<u64, u32, BuildHasherDefault<Mix>>,
    free: Vec<u32>,
}

impl<P: Policy> PolicyAlone<P> {
    /// Returns an empty cache for this many keys.
    pub fn new(capacity: usize) -> Self {
        Self {
            policy: P::new(capacity as u64),
            capacity,
            entries: Entries(Vec::new()),
            places: HashMap::default(),
            free: Vec::new(),
        }
    }
}

impl<P: Policy> Replay for PolicyAlone<P> {
    fn access(&mut self, key: u64) -> bool {
        let entries = &mut self.entries;
        if let Some(&place) = self.places.get(&key) {
            self.policy.hit(entries, place);
            return true;
        }
        let admission = self.policy.admit(entries, mix(key), 1);
        while self.places.len() >= self.capacity {
            let victim = self.policy.evict(entries).expect("a full cache has a victim");
            self.places.remove(&entries.0[victim as usize].0).expect("the victim is held");
            self.free.push(victim);
        }
        let place = self.free.pop().unwrap_or(entries.0.len() as u32);
        match entries.0.get_mut(place as usize) {
            Some(entry) => *entry = (key, P::Node::default()),
            None => entries.0.push((key, P::Node::default())),
        }
        self.policy.insert(entries, place, admission);
        self.places.insert(key, place);
        false
    }
}

#[derive(Debug)]
struct Entries<N>(Vec<(u64, N)>);

impl<N> Nodes<N> for Entries<N> {
    fn node(&mut self, place: u32) -> &mut N {
        &mut self.0[place as usize].1
    }

    fn hash(&self, place: u32) -> u64 {
        mix(self.0[place as usize].0)
    }

    fn weight(&self, _place: u32) -> u64 {
        1
    }
}

/// A hasher for numeric keys that is fast in builds without optimization.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        mix(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(8) ^ number;
    }
}

/// Every bit of the result depends on every bit of the number (the finalizer of SplitMix64: Steele, Lea and Flood 2014).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
