//! Keys and values that panic at any call of their own code, within any call of the cache (P5, D28, D44); and clocks,
//! durations and weights at their limits (P11, P12, D3, D4, D47).
//!
//! Each seed plays a medley of all public calls; many of its keys have equal hashes. Now and then the n-th `Hash`,
//! `Eq`, `Clone` or `Drop` from there on panics, or the clock jumps anywhere. In every case no caller waits for ever,
//! every value belongs to its key, the statistics are right, no bound is broken, and nothing stays behind.

mod dice;
mod hostile;
mod medley;
mod pages;
mod slots;

use larder::{
    Builder, Cache, ManualClock, OnTimeout,
    parts::{Local, Spin, Std},
};
use larder_tests::*;

use self::{
    dice::Trouble,
    hostile::{Key, Value},
    medley::Medley,
};

const SEEDS: u64 = 150;

/// P5: loads of one key each, which get the previous value.
#[test]
fn loads_of_one_key() {
    fn play<R: Host>(seed: u64, trouble: Trouble) {
        let medley = Medley::<R>::new(seed, trouble);
        let load = medley.load();
        let cache = settings(&medley, Cache::builder(R::on(medley.sim.clock())).revalidate_fn(load));
        medley.play(&cache);
    }

    seeds([play::<Local<ManualClock>>, play::<Here<Spin<ManualClock>>>, play::<Here<Std<ManualClock>>>]);
}

/// P5: loads of many keys.
#[test]
fn loads_of_many_keys() {
    fn play<R: Host>(seed: u64, trouble: Trouble) {
        let medley = Medley::<R>::new(seed, trouble);
        let load = medley.load_many();
        let builder = Cache::builder(R::on(medley.sim.clock())).loaded_many_fn(load);
        let builder = if medley.is(2) { builder.store_surplus() } else { builder };
        let cache = settings(&medley, builder);
        medley.play(&cache);
    }

    seeds([play::<Local<ManualClock>>, play::<Here<Spin<ManualClock>>>, play::<Here<Std<ManualClock>>>]);
}

/// P5: loads of many keys that answer one by one.
#[test]
fn loads_that_answer_one_by_one() {
    fn play<R: Host>(seed: u64, trouble: Trouble) {
        let medley = Medley::<R>::new(seed, trouble);
        let load = medley.load_each();
        let builder = Cache::builder(R::on(medley.sim.clock())).load_each_fn(load);
        let builder = if medley.is(2) { builder.store_surplus() } else { builder };
        let cache = settings(&medley, builder);
        medley.play(&cache);
    }

    seeds([play::<Local<ManualClock>>, play::<Here<Spin<ManualClock>>>, play::<Here<Std<ManualClock>>>]);
}

/// P5: lazy slots.
#[test]
fn slots() {
    seeds([
        slots::play::<Local<ManualClock>>,
        slots::play::<Here<Spin<ManualClock>>>,
        slots::play::<Here<Std<ManualClock>>>,
    ]);
}

/// P5, P16: write-back caches.
#[test]
fn pages() {
    seeds([
        pages::play::<Local<ManualClock>>,
        pages::play::<Here<Spin<ManualClock>>>,
        pages::play::<Here<Std<ManualClock>>>,
    ]);
}

/// Plays some seeds on each runtime; what a medley allocates has to be given back (P2).
fn seeds(runtimes: [fn(u64, Trouble); 3]) {
    // Keeps scripted panics out of the output.
    run(|| {});
    for seed in 0..SEEDS {
        for trouble in [Trouble::Calls, Trouble::Drops, Trouble::Extremes] {
            let play = runtimes[seed as usize % 3];
            let left = with_seed(seed, || memory::growth(|| play(seed, trouble)));
            // If a drop panics while a function returns, the compiler leaks the return value.
            assert!(left == 0 || trouble == Trouble::Drops, "{left} bytes outlive the cache, {trouble:?}, seed {seed}");
        }
    }
}

fn settings<R: Host>(medley: &Medley<R>, mut c: Builder<Key, Value, Boom, R>) -> Cache<Key, Value, Boom, R> {
    let t = |most| medley.time(most);
    let is = |one_in| medley.is(one_in);
    c = c.capacity([0, 1, 3, medley.weight(30)][medley.below(4) as usize]).processors(4);
    if !is(3) {
        c = c.ttl(t(80));
    }
    if is(3) {
        c = c.time_to_idle(t(60));
    }
    if is(3) {
        c = c.ttl_jitter(0.5, medley.below(9));
    }
    if is(3) {
        c = c.refresh_early(0.6);
    }
    if !is(3) {
        c = c.lock_age(t(50)).attempts(1 + medley.below(3) as u32);
    }
    if is(2) {
        c = c.stale_while_refresh(t(60));
    }
    if is(2) {
        c = c.stale_if_error(t(90));
    }
    if is(2) {
        let then = [OnTimeout::Load, OnTimeout::Fail, OnTimeout::LoadAlone][medley.below(3) as usize];
        c = c.lock_timeout(t(60), then);
    }
    if is(4) {
        c = c.load_budget(t(70));
    }
    if is(2) {
        let delay = t(20);
        c = c.error_ttl(delay).error_backoff(1.5, delay.max(t(60)));
    }
    c.build().expect("valid")
}
