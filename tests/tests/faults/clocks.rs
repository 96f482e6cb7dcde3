//! Clocks that panic in calls that go over many entries, and a clock at its very end.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{Cache, Instant, Loaded, ManualClock, Ttl};
use larder_tests::*;

use super::traps::{Hostile, hostile};

on_every_runtime! {
    p12_a_clock_panics_as_the_capacity_shrinks
    c60_a_clock_panics_as_all_is_removed
    p15_no_time_at_the_end_of_the_clock_is_for_ever
}

/// A cache with so many values in so many shards, and what its listener heard.
fn hearing<R: Host>(
    sim: &Sim,
    shards: usize,
    values: u32,
) -> (Cache<u32, V, Boom, R::With<Hostile>>, Rc<RefCell<Vec<u32>>>) {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let hears = heard.clone();
    let builder =
        Cache::builder(R::with(hostile(sim.clock()))).ttl(ms(1_000_000)).capacity(values.into()).shards(shards);
    let cache = builder.listener(move |key: &u32, _: &V, _| hears.borrow_mut().push(*key)).build().expect("valid");
    (0..values).for_each(|key| _ = cache.insert(key, V::new(key)));
    assert_eq!(cache.len(), values as usize);
    (cache, heard)
}

/// C17, P12: wherever it is read, the capacity has changed as a whole or not at all, and what has left is told.
fn p12_a_clock_panics_as_the_capacity_shrinks<R: Host>() {
    let mut unwound = 0;
    for (passes, shards) in (0..20).flat_map(|passes| [(passes, 1), (passes, 4)]) {
        let sim = Sim::new();
        let (cache, heard) = hearing::<R>(&sim, shards, 1000);
        arm("now", passes);
        let call = catch_unwind(AssertUnwindSafe(|| cache.set_capacity(10)));
        unwound += u32::from(call.is_err());
        calm();
        let held = cache.iter().count();
        assert!(held as u64 <= cache.capacity(), "{held} of {}", cache.capacity());
        assert_eq!(held + heard.borrow().len(), 1000, "{passes}");
        cache.set_capacity(10);
        assert_eq!((cache.iter().count(), cache.capacity()), (10, 10), "{passes}");
        (0..1000).for_each(|key| _ = cache.insert(key, V::new(key)));
        assert_eq!(cache.iter().count(), 10, "{passes}");
        assert_clean(&cache.stats());
    }
    assert!(unwound > 2);
}

/// C17, C60: what has left before the clock is read for another shard is told all the same.
fn c60_a_clock_panics_as_all_is_removed<R: Host>() {
    let acts: [fn(&Cache<u32, V, Boom, R::With<Hostile>>); 3] =
        [|cache| cache.clear(), |cache| cache.retain(|_, _| false), |cache| _ = cache.remove_if(|_| true)];
    for act in acts {
        let mut unwound = 0;
        for passes in 0..6 {
            let sim = Sim::new();
            let (cache, heard) = hearing::<R>(&sim, 4, 100);
            arm("now", passes);
            unwound += u32::from(catch_unwind(AssertUnwindSafe(|| act(&cache))).is_err());
            calm();
            let held = cache.iter().count();
            assert_eq!(held + heard.borrow().len(), 100, "{passes}");
            cache.clear();
            assert_eq!((cache.len(), heard.borrow().len()), (0, 100));
            assert_clean(&cache.stats());
        }
        assert!(unwound > 2);
    }
}

/// P15, D104: where the clock has come to its end, what is kept for no time at all is not kept.
fn p15_no_time_at_the_end_of_the_clock_is_for_ever<R: Host>() {
    let clock = ManualClock::new();
    clock.set(Instant::NEVER);
    let calls = Rc::new(Cell::new(0));
    let counts = calls.clone();
    let load = move |_: u32| {
        counts.set(counts.get() + 1);
        async { Ok::<_, Boom>(Loaded::new(V::new(1)).ttl(Ttl::private(Duration::ZERO))) }
    };
    let cache = Cache::builder(R::on(clock)).loaded_fn(load).build().expect("valid");
    assert!(wakers::poll_once(&mut cache.get(&7)).is_ready());
    let mut shared = cache.get_or_load(&7, core::future::pending::<Result<V, Boom>>);
    assert!(wakers::poll_once(&mut shared).is_pending());
    assert!(wakers::poll_once(&mut cache.get(&7)).is_pending(), "it joins");
    assert_eq!(calls.get(), 1);
    drop(shared);
    assert_clean(&cache.stats());
}
