//! Random medleys of all that a cache and a slot can do, under random settings, beside a plain model: every kind of
//! load and call, tickets, tasks that a spawner drops, writes of every kind, and calls to the cache from inside its
//! loads.
//!
//! Each load tells the model when it begins and ends, and each caller what it was told. The model judges that no write
//! is undone (P8), that no load is made without need (P1, P6), and that each answer is possible and of the age that it
//! claims. Stored values are compared after each step. No caller waits for ever (P3), each lookup is counted once
//! (D85), and nothing stays behind (P2).
//!
//! `LARDER_FUZZ` is the number of calls in each test (some thousands by default), and `LARDER_SEED` the first seed.
//! A seed that fails is printed, and plays the same again.

mod answering;
mod asking;
mod callers;
mod crowd;
mod plain;
mod settings;
mod slots;
mod world;

use std::rc::Rc;

use larder::{AnswerSink, Cache, Previous};
use larder_tests::*;

use self::{
    callers::Medley,
    plain::{Kind, Rules},
    settings::{rules, settings},
    world::World,
};

on_every_runtime! {
    of_single_loads
    of_loads_of_many
    of_loads_that_answer_one_by_one
    of_loads_by_call
    of_a_slot
}

/// How many calls each seed makes.
const CALLS: u64 = 250;

/// P1 to P14: loads of one key each, which get the previous value.
fn of_single_loads<R: Host>() {
    seeds(|seed| {
        let (world, sim, spawner, capacity) = begin::<R>(seed, |random| rules(random, true, false));
        let loads = Rc::downgrade(&world);
        let load = move |key: u32, previous: Option<Previous<V>>| {
            loads.upgrade().expect("it is played in it").load(key, previous, Kind::Loader)
        };
        let builder = Cache::builder(spawner.clone()).revalidate_fn(load);
        let cache = settings(&world, seed, capacity, builder).build().expect("valid");
        Medley::new(world, sim, cache, false).play();
    });
}

/// P1 to P14: loads of many keys.
fn of_loads_of_many<R: Host>() {
    seeds(|seed| {
        let (world, sim, spawner, capacity) = begin::<R>(seed, |random| rules(random, false, true));
        let loads = Rc::downgrade(&world);
        let load = move |keys: Vec<u32>| loads.upgrade().expect("it is played in it").load_many(&keys, Kind::Loader);
        let builder = Cache::builder(spawner.clone()).loaded_many_fn(load);
        let builder = if seed % 3 == 0 { builder.max_batch(1 + seed as usize % 4) } else { builder };
        let cache = settings(&world, seed, capacity, builder).build().expect("valid");
        Medley::new(world, sim, cache, false).play();
    });
}

/// P1 to P14: loads of many keys that answer some of them at a time.
fn of_loads_that_answer_one_by_one<R: Host>() {
    seeds(|seed| {
        let (world, sim, spawner, capacity) = begin::<R>(seed, |random| rules(random, false, true));
        let loads = Rc::downgrade(&world);
        let load = move |keys: Vec<u32>, answers: AnswerSink<u32, V, Boom, Spawning<R>>| {
            let send = move |key, answer| answers.send(key, answer);
            loads.upgrade().expect("it is played in it").load_each(keys, send)
        };
        let builder = Cache::builder(spawner.clone()).load_each_fn(load);
        let builder = if seed % 3 == 0 { builder.max_batch(1 + seed as usize % 4) } else { builder };
        let cache = settings(&world, seed, capacity, builder).build().expect("valid");
        Medley::new(world, sim, cache, false).play();
    });
}

/// P1 to P14: loads that each call brings.
fn of_loads_by_call<R: Host>() {
    seeds(|seed| {
        let (world, sim, spawner, capacity) = begin::<R>(seed, |random| rules(random, false, false));
        let builder = Cache::builder(spawner.clone());
        let cache = settings(&world, seed, capacity, builder).build().expect("valid");
        Medley::new(world, sim, cache, true).play();
    });
}

/// P1 to P8, D67 to D75, D100.
fn of_a_slot<R: Host>() {
    seeds(|seed| {
        let (world, sim, spawner, _) = begin::<R>(seed, |random| (slots::rules(random), 0));
        slots::Medley::new(seed, world, sim, &spawner).play();
    });
}

fn begin<R: Host>(seed: u64, rules: impl FnOnce(&mut Random) -> (Rules, u64)) -> (Rc<World>, Sim, Spawning<R>, u64) {
    let (sim, mut random) = (Sim::new(), Random::new(seed.wrapping_mul(0x9e37_79b9)));
    let (rules, capacity) = rules(&mut random);
    let spawner = Spawning::new(sim.clock());
    let world = World::new(random, &sim.time, rules, &spawner);
    (world, sim, spawner, capacity)
}

/// Plays seed after seed, and asserts that all memory is freed (P2).
fn seeds(play: impl Fn(u64)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (calls, first) = (number("LARDER_FUZZ").unwrap_or(4_000), number("LARDER_SEED").unwrap_or(0));
    for seed in first..first + calls.div_ceil(CALLS) {
        with_seed(seed, || assert_eq!(memory::growth(|| play(seed)), 0, "bytes that outlive the cache"));
    }
}
