//! Stale values, and their refresh.

use larder::{Cache, LookupOptions};
use larder_tests::*;

use super::counting;

on_every_runtime! {
    get_stale
    get_stale_while_update
}

/// A call of `get_stale` as there: lifetime and staleness are set by the call.
fn ask_stale<R: Host>(sim: &mut Sim, cache: &Scripted<R>, limit: u64) -> usize {
    let cache = cache.clone();
    let options = LookupOptions::new().ttl(ms(100)).stale_while_refresh(ms(limit));
    sim.call(async move { cache.lookup(&1).options(options).stale().await })
}

/// `RTCache::test_get_stale`: a value of that staleness is served, and loaded anew if the limit is tighter. Here the
/// limit includes its last instant, and the caller gets the refresh, which it may drop.
fn get_stale<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 0);
    let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(1000)));
    let options = LookupOptions::new().ttl(ms(100));
    let (first, second) = (sim.ask(&cache, 1, options), sim.ask(&cache, 1, options));
    assert_eq!((sim.saw(first), sim.saw(second)), ("0: V1 Miss".into(), "0: V1 Hit".into()));
    sim.to(150);
    for limit in [1000, 50] {
        let stale = ask_stale(&mut sim, &cache, limit);
        assert_eq!(sim.saw(stale), "150: V1 Stale(50) +ticket");
        drop(sim.ticket(stale));
    }
    let fussy = ask_stale(&mut sim, &cache, 30);
    assert_eq!(sim.saw(fussy), "150: V2 Expired");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// `test_get_stale_while_update`: the stale value at once, and later a hit of the new one. Here one caller gets the
/// refresh, and spawns it only if it asks for that. (P1)
fn get_stale_while_update<R: Host>() {
    let mut sim = Sim::new();
    let loads = counting(&sim, 0);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(1000)));
    let first = sim.get(&cache, 1);
    assert_eq!(sim.saw(first), "0: V1 Miss");
    sim.to(150);
    let (stale, other) = (sim.stale(&cache, 1), sim.stale(&cache, 1));
    assert_eq!(sim.saw(stale), "150: V1 Stale(50) +ticket");
    assert_eq!(sim.saw(other), "150: V1 Stale(50)");
    sim.refresh(stale);
    let after = sim.get(&cache, 1);
    assert_eq!(sim.saw(after), "150: V2 Hit");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// The same if the runtime spawns: one task, however many stale hits there are. (P1, P12)
#[test]
fn get_stale_while_update_spawned() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads_by(|_, call| after(if call == 0 { 0 } else { 10 }).gives(call as u32 + 1));
        let spawner = Spawning::new(sim.clock());
        let cache: Cache<u32, V, Boom, Spawning> = Cache::builder(spawner.clone())
            .loader(loads.clone())
            .ttl(ms(100))
            .stale_while_refresh(ms(1000))
            .build()
            .expect("valid");
        let ask = |sim: &mut Sim| {
            let cache = cache.clone();
            sim.call(async move { cache.get_stale_spawn(&1).await })
        };
        let first = ask(&mut sim);
        assert_eq!(sim.saw(first), "0: V1 Miss");
        sim.to(150);
        for _ in 0..3 {
            let stale = ask(&mut sim);
            assert_eq!(sim.saw(stale), "150: V1 Stale(50)");
        }
        let mut tasks = spawner.take();
        assert_eq!(tasks.len(), 1);
        assert_eq!(loads.calls(), 2, "the first call has begun it");
        sim.call(tasks.remove(0));
        sim.to(160);
        let after = ask(&mut sim);
        assert_eq!(sim.saw(after), "160: V2 Hit");
        assert_eq!(loads.calls(), 2);
        assert_clean(&cache.stats());
    });
}
