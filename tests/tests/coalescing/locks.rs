//! How many locks each way through a cache takes, around shards and around lists of wakers, and how often it reads the
//! clock.

use core::convert::Infallible;

use larder::{Cache, LazySlot, Loaded, ManualClock};
use larder_tests::*;

fn runtime() -> Counted {
    Counted::new(ManualClock::new())
}

/// Does `step`, which is `what`; it takes so many locks, and reads the clock so often.
#[track_caller]
fn take<T>(what: &str, (locks, readings): (u64, u64), step: impl FnOnce() -> T) -> T {
    let (done, steps) = Steps::of(step);
    assert_eq!(steps, Steps { locks, readings }, "{what}");
    done
}

/// Lookups of one key: alone, joined, and told.
#[test]
fn one_key() {
    let gate = Gate::default();
    let sim = Sim::new();
    let loads = sim.loads_by({
        let gate = gate.clone();
        move |key, _| if key > 100 { gate.script() } else { ready() }
    });
    let cache = Cache::builder(runtime()).ttl(ms(60_000)).capacity(64).loader(loads).build().expect("valid");
    assert!(take("a ready miss", (2, 2), || wakers::now(cache.get(&1))).is_ok());
    assert!(take("a hit", (1, 1), || wakers::now(cache.get(&1))).is_ok());
    let [mut first, mut second, mut third] = [(); 3].map(|()| cache.get(&101));
    assert!(take("a miss that waits", (2, 1), || wakers::poll_once(&mut first)).is_pending());
    // From now on the load is polled with a waker that wakes all.
    assert!(take("the second caller", (5, 1), || wakers::poll_once(&mut second)).is_pending());
    assert!(take("joining", (2, 1), || wakers::poll_once(&mut third)).is_pending());
    gate.open();
    assert!(take("ending the load", (6, 1), || wakers::poll_once(&mut third)).is_ready());
    assert!(take("being told", (1, 0), || wakers::poll_once(&mut second)).is_ready());
}

/// A call for many keys: what it takes once does not count for each of them.
#[test]
fn many_keys() {
    let load = |keys: Vec<u64>| async move { Ok::<_, Infallible>(keys.into_iter().map(|key| (key, key))) };
    let cache = Cache::builder(runtime()).ttl(ms(60_000)).load_many_fn(load).build().expect("valid");
    let keys: Vec<_> = (0..100).collect();
    let (values, steps) = Steps::of(|| wakers::now(cache.get_many(&keys)));
    assert!(values.iter().all(Result::is_ok));
    assert_eq!((steps.locks / 100, steps.readings), (3, 2));
}

#[test]
fn a_slot() {
    let fetch = |_| async { Ok::<_, Infallible>(Loaded::new(1_u64).ttl(ms(60_000))) };
    let slot = LazySlot::builder(runtime()).fetch_fn(fetch).build().expect("valid");
    assert!(take("its first fetch", (5, 2), || wakers::now(slot.get())).is_ok());
    assert!(take("its hit", (1, 1), || wakers::now(slot.get())).is_ok());
}
