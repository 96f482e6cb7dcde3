//! One value that is expensive to get: which caller fetches it, which wait, and which use the old one.

use larder::{LazySlot, Loaded, Runtime, Ttl};
use larder_tests::*;

mod cases;
mod defects;
mod failing;
mod inside;
mod keeping;
mod leaving;
mod lifetimes;
mod looking;
mod margin;
mod model;
mod origin;
mod panics;
mod plain;
mod previous;
mod threads;
mod waiting;
mod watching;
mod writes;

/// The value that is held, fresh or not.
fn held<R: Runtime>(slot: &LazySlot<V, Boom, R>) -> Option<u32> {
    slot.peek().map(|found| **found.value())
}

/// Sets a value with this lifetime.
fn set<R: Runtime>(slot: &LazySlot<V, Boom, R>, n: u32, ttl: impl Into<Ttl>) {
    slot.set_with(Loaded::new(V::new(n)).ttl(ttl));
}

/// The previous values that the fetches got.
fn handed(loads: &Loads) -> Vec<Option<u32>> {
    loads.handed().into_iter().map(|previous| previous.map(|previous| **previous.value())).collect()
}

/// How these callers ended, without duplicates.
fn ends(sim: &Sim, callers: &[usize]) -> Vec<String> {
    let mut ends: Vec<String> = callers.iter().map(|i| sim.saw(*i)).collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}
