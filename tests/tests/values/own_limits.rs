//! Limits of staleness that a call sets.

use larder::LookupOptions;
use larder_tests::*;

on_every_runtime! {
    c133_beyond_what_the_cache_has
    c133_up_to_what_the_cache_has
    c133_when_its_load_fails
}

/// Makes another call reclaim what is due.
fn touch<R: Host>(cache: &Scripted<R>, is_touched: bool) {
    if is_touched {
        (0..100).for_each(|key| _ = cache.get_if_present(&(1000 + key)));
    }
}

fn limit(ms: u64) -> LookupOptions {
    LookupOptions::new().stale_while_refresh(self::ms(ms)).stale_if_error(self::ms(ms))
}

/// C133: if the cache has no limit, a call's own limit serves nothing stale, whatever other calls have reclaimed. (D56)
fn c133_beyond_what_the_cache_has<R: Host>() {
    for is_touched in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(2));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).shards(1));
        cache.insert(7, V::new(1));
        cache.insert(8, V::new(1));
        sim.to(150);
        touch(&cache, is_touched);
        let answer = wakers::now(cache.lookup(&8).options(limit(100)).stale()).expect("it is loaded");
        assert_eq!(
            (**answer.outcome.value(), answer.outcome.status().stale(), answer.refresh.is_none()),
            (2, None, true)
        );
        let plain = sim.ask(&cache, 7, limit(100));
        assert!(sim.saw(plain).starts_with("150: V2 "), "{}", sim.saw(plain));
        assert_clean(&cache.stats());
    }
}

/// C133: if the cache's limit is 60, a call's own limit counts up to that. (D56)
fn c133_up_to_what_the_cache_has<R: Host>() {
    for (t, serves, is_touched) in [(159, true, false), (160, true, true), (161, false, false), (161, false, true)] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(2));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(60)).shards(1));
        cache.insert(7, V::new(1));
        sim.to(t);
        touch(&cache, is_touched);
        let answer = wakers::now(cache.lookup(&7).options(limit(100)).stale()).expect("a value");
        assert_eq!(answer.outcome.status().stale().is_some(), serves, "at {t}");
    }
}

/// C133: the same if a load fails. (D33, D56)
fn c133_when_its_load_fails<R: Host>() {
    for is_touched in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().fails(1));
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).shards(1));
        cache.insert(7, V::new(1));
        sim.to(150);
        touch(&cache, is_touched);
        let failed = sim.ask(&cache, 7, limit(100));
        assert_eq!(sim.saw(failed), "150: E1");
    }
}
