//! Whatever happened, the statistics add up.

use larder::{LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    c87_sums
    c87_each_lookup_is_counted_once_when_it_ends
}

/// C87: one of everything, and the sums hold; `clear` resets no counter.
fn c87_sums<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| match key {
        0..100 => after(10).gives(key),
        100..110 => after(10).fails(key),
        110..120 => after(10).panics(key),
        _ => never(),
    });
    let cache = sim.cache::<R>(&loads, |c| c.capacity(50).ttl(ms(100)).lock_timeout(ms(50), OnTimeout::Fail));
    for key in 0..125 {
        for _ in 0..3 {
            sim.get(&cache, key);
        }
    }
    assert_sums(&cache.stats());
    sim.to(20);
    for key in (0..125).step_by(5) {
        sim.get(&cache, key);
        cache.insert(key, V::new(key));
        cache.remove(&(key + 1));
    }
    sim.run();
    sim.to(100);
    cache.sweep();
    sim.to(300);
    cache.sweep();
    let stats = cache.stats();
    assert_clean(&stats);
    let ended = stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors;
    let unwound = (0..sim.callers()).filter(|i| matches!(sim.end(*i), Some(Saw::Bang(_)))).count();
    assert_eq!(ended as usize + unwound, sim.callers(), "{stats:?}");
    assert!(stats.evicted > 0 && stats.expired_out > 0 && stats.removed > 0 && stats.loads_panicked == 10, "{stats:?}");
    cache.clear();
    let after = cache.stats();
    assert_eq!(
        (after.hits, after.loads_begun, after.stored, after.held),
        (stats.hits, stats.loads_begun, stats.stored, 0)
    );
    assert_clean(&after);
}

/// C87: a lookup counts when it ends, in one place; a dropped one is `abandoned`; direct reads do not count as asked.
fn c87_each_lookup_is_counted_once_when_it_ends<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let lookups = |cache: &larder::Cache<_, _, _, R>| {
        let s = cache.stats();
        [s.hits, s.misses, s.expired, s.joined, s.stale, s.errors, s.abandoned, s.timeouts]
    };
    let a = sim.get(&cache, 7);
    sim.get(&cache, 7);
    let c = sim.get(&cache, 7);
    assert_eq!(lookups(&cache), [0; 8]);
    sim.drop(a);
    assert_eq!(lookups(&cache), [0, 0, 0, 0, 0, 0, 1, 0]);
    sim.to(10);
    assert_eq!(lookups(&cache), [0, 0, 0, 2, 0, 0, 1, 0]);
    assert_eq!(sim.saw(c), "10: V1 LockHit");
    sim.get(&cache, 7);
    assert!(cache.peek(&7).is_some() && cache.contains(&7));
    assert_eq!(lookups(&cache), [1, 0, 0, 2, 0, 0, 1, 0]);
    // A timed-out caller's own load counts as its miss, beside the timeout.
    let slow = sim.ask(&cache, 8, LookupOptions::new());
    let own = sim.ask(&cache, 8, LookupOptions::new().lock_timeout(ms(4), OnTimeout::Load));
    sim.to(20);
    assert_eq!([sim.saw(slow), sim.saw(own)], ["20: V1 Miss", "20: V1 Miss"]);
    assert_eq!(lookups(&cache), [1, 2, 0, 2, 0, 0, 1, 1]);
    // And a lookup that waits alone.
    sim.get(&cache, 9);
    sim.to(30);
    assert_eq!(lookups(&cache), [1, 3, 0, 2, 0, 0, 1, 1]);
    assert_clean(&cache.stats());
}
