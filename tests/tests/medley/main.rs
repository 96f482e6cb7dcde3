//! Random medleys of all that a cache can do, under random settings: every kind of load and of call, tickets, tasks that a
//! spawner drops, writes of every kind, and calls of the cache from inside its loads.
//!
//! Each value knows which write to its key it was read after. So it is seen that no write is undone (P8); and that nobody
//! waits for ever (P3), that each lookup is counted once (D85), and that nothing stays behind (P2).

mod callers;
mod slots;
mod ways;
mod world;

use std::rc::Rc;

use larder::{Builder, Cache, OnTimeout, Previous};
use larder_tests::*;

use self::{
    callers::Medley,
    ways::{ByCall, ByLoader},
    world::World,
};

const STEPS: usize = 400;
const SEEDS: u64 = 40;

/// P1 to P14: loads of one key each, which are handed the previous value.
#[test]
fn of_single_loads() {
    seeds(0, |seed| {
        let world = World::new(seed);
        let (sim, spawner) = world.simulation();
        let loads = Rc::clone(&world);
        let load =
            move |key: u32, previous: Option<Previous<V>>| loads.load(key, previous.map(|old| old.value().clone()));
        let cache = settings(&world, Cache::builder(spawner.clone()).revalidate_fn(load)).build().expect("valid");
        Medley::new(world, sim, spawner, cache, ByLoader).play();
    });
}

/// P1 to P14: loads of many keys.
#[test]
fn of_loads_of_many() {
    seeds(1000, |seed| {
        let world = World::new(seed);
        let (sim, spawner) = world.simulation();
        let loads = Rc::clone(&world);
        let load = move |keys: Vec<u32>| loads.load_many(&keys);
        let builder = settings(&world, Cache::builder(spawner.clone()).loaded_many_fn(load));
        let builder = if world.below(2) == 0 { builder.store_surplus() } else { builder };
        Medley::new(world, sim, spawner, builder.build().expect("valid"), ByLoader).play();
    });
}

/// P1 to P14: loads that each call brings.
#[test]
fn of_loads_by_call() {
    seeds(3000, |seed| {
        let world = World::new(seed);
        let (sim, spawner) = world.simulation();
        let cache = settings(&world, Cache::builder(spawner.clone())).build().expect("valid");
        Medley::new(world, sim, spawner, cache, ByCall).play();
    });
}

/// Plays with some seeds from `first` on; what a player allocates has to be given back (P2).
fn seeds(first: u64, play: impl Fn(u64)) {
    // Keeps the panics that scripts ask for out of the output.
    run(|| {});
    for seed in first..first + SEEDS {
        with_seed(seed, || assert_eq!(memory::growth(|| play(seed)), 0, "bytes that outlive the cache"));
    }
}

type Build = Builder<u32, V, Boom, Spawning>;

fn settings(world: &World, mut c: Build) -> Build {
    let t = |most| ms(world.below(most));
    let is = |one_in| world.below(one_in) == 0;
    c = c.capacity([0, 1, 3, 30, 1000][world.below(5) as usize]).shards(1 + world.below(3) as usize);
    if !is(3) {
        c = c.ttl(t(80));
    }
    if is(3) {
        c = c.time_to_idle(t(60));
    }
    if is(3) {
        c = c.ttl_jitter(0.5, world.below(9));
    }
    if is(3) {
        c = c.refresh_early(0.6);
    }
    if is(2) {
        c = c.attempts(1 + world.below(4) as u32);
    }
    if !is(3) {
        c = c.lock_age(t(50));
        if is(3) {
            c = c.over_age_alone();
        }
    }
    if !is(3) {
        c = c.stale_while_refresh(t(60));
        if is(4) {
            c = c.lock_timeout(t(50), OnTimeout::Stale);
        }
    }
    if is(2) {
        c = c.stale_if_error(t(90));
    }
    if is(3) {
        let then = [OnTimeout::Load, OnTimeout::Fail, OnTimeout::LoadAlone][world.below(3) as usize];
        c = c.lock_timeout(t(60), then);
    }
    if is(3) {
        c = c.load_budget(t(70));
    }
    if is(2) {
        c = c.error_ttl(t(20)).error_backoff(1.5, ms(60));
    }
    if is(2) { c.finish_abandoned() } else { c }
}
