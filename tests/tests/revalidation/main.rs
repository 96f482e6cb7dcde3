//! Loads that get the held value, and find it still good.

use larder::{Builder, Cache, Generation, TimeLeft};
use larder_tests::*;

mod alone;
mod answers;
mod held;
mod instead;
mod meanwhile;
mod old;

type Setting<R> = Builder<u32, V, Boom, R>;
type Pages<R> = Cache<u32, V, Boom, R>;

/// A cache with a TTL of 100 whose loads get the previous value.
fn pages<R: Host>(sim: &Sim, loads: &Loads, setup: impl FnOnce(Setting<R>) -> Setting<R>) -> Pages<R> {
    let builder = Cache::builder(R::on(sim.clock())).ttl(ms(100)).revalidate_fn(loads.revalidator());
    setup(builder).build().expect("the configuration is valid")
}

/// Age, time left and generation that caller `i` got, in milliseconds.
#[track_caller]
fn told(sim: &Sim, i: usize) -> (u64, Option<u64>, Option<Generation>) {
    let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("{}", sim.saw(i)) };
    let left = match outcome.time_left() {
        TimeLeft::For(left) => Some(left.as_millis() as u64),
        _ => None,
    };
    (outcome.age().as_millis() as u64, left, outcome.generation())
}

/// The previous values that the loads got.
fn handed(loads: &Loads) -> Vec<Option<u32>> {
    loads.handed().into_iter().map(|previous| previous.map(|previous| **previous.value())).collect()
}

/// Asserts that nothing is left, and that this many lookups were counted, each once.
#[track_caller]
fn assert_books<R: Host>(cache: &Pages<R>, lookups: u64) {
    let stats = cache.stats();
    assert_clean(&stats);
    let ended = stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors;
    assert_eq!(ended, lookups, "{stats:?}");
}
