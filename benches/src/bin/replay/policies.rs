//! Who replays a log, and how.

use larder_benches::peers::{Fibre, Foyer, Larder, MicroMoka, MiniMoka, Moka, Peer, Quick, Setup, TinyUfo};
use larder_tests::{
    logs::Row,
    min,
    replay::{RealCache, hit_ratio},
};

use crate::sized::{self, SizedRatio};
use larder_tokio::policy::{GatedFifo, Lru};

/// A cache or a policy.
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    /// Returns the hits in percent.
    pub(crate) keys: fn(&[u64], u64) -> f64,
    /// Returns the hits in percent, of accesses and of bytes, if it can hold things by size.
    pub(crate) sized: Option<fn(&[Row], u64) -> SizedRatio>,
}

pub(crate) static ALL: [Policy; 10] = [
    Policy { name: "larder", keys: peer::<Larder>, sized: Some(sized::replay::<GatedFifo>) },
    Policy { name: "larder-lru", keys: lru, sized: Some(sized::replay::<Lru>) },
    Policy { name: "quick_cache", keys: peer::<Quick>, sized: None },
    Policy { name: "moka", keys: peer::<Moka>, sized: None },
    Policy { name: "mini-moka", keys: peer::<MiniMoka>, sized: None },
    Policy { name: "foyer-memory", keys: peer::<Foyer>, sized: None },
    Policy { name: "TinyUFO", keys: peer::<TinyUfo>, sized: None },
    Policy { name: "micro-moka", keys: peer::<MicroMoka>, sized: None },
    Policy { name: "fibre_cache", keys: peer::<Fibre>, sized: None },
    Policy { name: "MIN", keys: |keys, capacity| min::hit_ratio(keys, capacity as usize), sized: None },
];

fn peer<P: Peer<u64>>(keys: &[u64], capacity: u64) -> f64 {
    let cache = P::new(&Setup::new(capacity as usize));
    let hits = keys.iter().filter(|key| {
        let hit = cache.get(key).is_some();
        if !hit {
            cache.insert(**key, 0);
        }
        hit
    });
    100.0 * hits.count() as f64 / keys.len().max(1) as f64
}

/// In one shard, so that it is LRU to the letter.
fn lru(keys: &[u64], capacity: u64) -> f64 {
    hit_ratio(&mut RealCache::<Lru>::new(capacity as usize, 1), keys)
}
