//! Caches without a loader: calls bring their loads, and plain ones join them. (D17)

use larder::{Cache, LazySlot, LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    a_plain_call_joins_and_begins_nothing
    a_plain_call_is_left_alone
    a_plain_call_loses_its_patience
    a_stale_value_comes_without_a_ticket
    the_load_of_a_call_is_made_once_and_only_if_need_be
    the_refresh_that_a_call_brings_is_carried_on_by_others
    a_closure_that_panics_is_its_loads_panic
    a_batch_of_plain_calls
    a_slot_without_a_fetch
}

type Bare<R> = Cache<u32, V, Boom, R>;

fn bare<R: Host>(sim: &Sim, setup: impl FnOnce(Setup<R>) -> Setup<R>) -> Bare<R> {
    setup(Cache::builder(R::on(sim.clock()))).build().expect("valid")
}

/// A call that brings its load, which follows this script.
fn bring<R: Host>(sim: &mut Sim, cache: &Bare<R>, script: Script) -> usize {
    let (cache, loads) = (cache.clone(), sim.loads(script));
    sim.call(async move { cache.lookup(&1).by(|| larder::Load::load(&loads, 1)).await })
}

fn a_plain_call_joins_and_begins_nothing<R: Host>() {
    let mut sim = Sim::new();
    let cache = bare::<R>(&sim, |c| c);
    let alone = sim.get(&cache, 1);
    assert_eq!(sim.saw(alone), "0: NoLoader");
    let first = bring(&mut sim, &cache, after(10).gives(7));
    let joined = sim.get(&cache, 1);
    sim.park(first);
    sim.to(10);
    assert_eq!(sim.saw(joined), "10: V7 LockHit");
    let hit = sim.get(&cache, 1);
    assert_eq!(sim.saw(hit), "10: V7 Hit");
    sim.drop(first);
    let anew = sim.ask(&cache, 1, LookupOptions::new().reload());
    assert_eq!((sim.saw(anew), cache.stats().errors), ("10: NoLoader".into(), 2));
    assert_clean(&cache.stats());
}

/// Who waits for a lent load has nothing to load by when its caller goes; one that has, leads.
fn a_plain_call_is_left_alone<R: Host>() {
    let mut sim = Sim::new();
    let cache = bare::<R>(&sim, |c| c);
    let (own, loads) = (cache.clone(), sim.loads(never()));
    let lender = sim.call(async move { own.lookup(&1).lend(|| larder::Load::load(&loads, 1)).await });
    let plain = [sim.get(&cache, 1), sim.get(&cache, 1)];
    let able = bring(&mut sim, &cache, after(10).gives(7));
    let late = sim.get(&cache, 1);
    sim.drop(lender);
    sim.run();
    assert_eq!(plain.map(|i| sim.saw(i)), ["0: NoLoader", "0: NoLoader"]);
    sim.to(10);
    assert_eq!([able, late].map(|i| sim.saw(i)), ["10: V7 Miss", "10: V7 LockHit"]);
    assert_eq!(cache.stats().errors, 2);
    assert_clean(&cache.stats());
}

fn a_plain_call_loses_its_patience<R: Host>() {
    for (then, end) in [
        (OnTimeout::Load, "10: NoLoader"),
        (OnTimeout::LoadAlone, "10: NoLoader"),
        (OnTimeout::Fail, "10: LockTimeout"),
    ] {
        let mut sim = Sim::new();
        let cache = bare::<R>(&sim, |c| c.lock_timeout(ms(10), then).lock_age(ms(5)));
        let first = bring(&mut sim, &cache, after(30).gives(7));
        let plain = sim.get(&cache, 1);
        sim.to(10);
        assert_eq!(sim.saw(plain), end);
        // It may not take over beyond the lock age either, and a call that can, does.
        let able = bring(&mut sim, &cache, after(10).gives(8));
        sim.to(40);
        let first = sim.saw(first);
        assert!(
            first == if then == OnTimeout::Fail { "10: LockTimeout" } else { "20: V8 LockHit" }
                || first == "20: V8 Miss",
            "{first}"
        );
        assert_eq!(sim.saw(able), "20: V8 Miss");
        assert_clean(&cache.stats());
    }
}

fn a_stale_value_comes_without_a_ticket<R: Host>() {
    let mut sim = Sim::new();
    let cache = bare::<R>(&sim, |c| c.ttl(ms(10)).stale_while_refresh(ms(100)));
    cache.insert(1, V::new(5));
    sim.to(15);
    let plain = sim.stale(&cache, 1);
    assert_eq!(sim.saw(plain), "15: V5 Stale(5)");
    let (own, loads) = (cache.clone(), sim.loads(ready().gives(6)));
    let able = sim.call(async move { own.lookup(&1).by(|| larder::Load::load(&loads, 1)).stale().await });
    assert_eq!(sim.saw(able), "15: V5 Stale(5) +ticket");
    sim.refresh(able);
    let hit = sim.get(&cache, 1);
    assert_eq!(sim.saw(hit), "15: V6 Hit");
    assert_clean(&cache.stats());
}

/// The closure borrows, and is called on a miss alone.
fn the_load_of_a_call_is_made_once_and_only_if_need_be<R: Host>() {
    let sim = Sim::new();
    let cache = bare::<R>(&sim, |c| c);
    let calls = Cell::new(0);
    let load = || {
        calls.set(calls.get() + 1);
        core::future::ready(Ok(V::new(7)))
    };
    for _ in 0..3 {
        assert_eq!(wakers::now(cache.get_or_load(&1, load)).ok().as_deref(), Some(&7));
    }
    assert_eq!(calls.get(), 1);
    drop(cache.get_or_load(&2, load));
    assert_eq!((calls.get(), cache.stats().loads_begun), (1, 1));
    assert_clean(&cache.stats());
}

/// P3: it rests in the flight, though nobody has polled the ticket yet.
fn the_refresh_that_a_call_brings_is_carried_on_by_others<R: Host>() {
    let mut sim = Sim::new();
    let cache = bare::<R>(&sim, |c| c.ttl(ms(10)).stale_while_refresh(ms(100)));
    cache.insert(1, V::new(5));
    sim.to(15);
    let (own, loads) = (cache.clone(), sim.loads(after(10).gives(6)));
    let able = sim.call(async move { own.lookup(&1).by(|| larder::Load::load(&loads, 1)).stale().await });
    let ticket = sim.ticket(able);
    assert_eq!(cache.stats().loads_begun, 0);
    let joined = sim.get(&cache, 1);
    sim.to(25);
    assert_eq!((sim.saw(joined), cache.stats().loads_begun), ("25: V6 LockHit".into(), 1));
    drop(ticket);
    assert_clean(&cache.stats());
}

/// P5, D57: of the call itself; one of a refresh that it brings does not concern the call.
fn a_closure_that_panics_is_its_loads_panic<R: Host>() {
    let mut sim = Sim::new();
    let cache = bare::<R>(&sim, |c| c.ttl(ms(10)).stale_while_refresh(ms(100)));
    let bang = || -> core::future::Ready<Result<larder::Loaded<V>, Boom>> { std::panic::panic_any(Bang(3)) };
    let own = cache.clone();
    let first = sim.call(async move { own.lookup(&1).by(bang).await });
    assert_eq!(sim.saw(first), "0: unwound 3");
    let next = bring(&mut sim, &cache, ready().gives(5));
    assert_eq!(sim.saw(next), "0: V5 Miss");
    sim.to(15);
    let own = cache.clone();
    let stale = sim.call(async move { own.lookup(&1).by(bang).stale().await });
    assert_eq!(sim.saw(stale), "15: V5 Stale(5) +ticket");
    sim.refresh(stale);
    let next = bring(&mut sim, &cache, ready().gives(6));
    assert_eq!(sim.saw(next), "15: V6 Expired");
    assert_clean(&cache.stats());
}

fn a_batch_of_plain_calls<R: Host>() {
    let mut sim = Sim::new();
    let cache = bare::<R>(&sim, |c| c);
    cache.insert(2, V::new(9));
    let first = bring(&mut sim, &cache, after(10).gives(7));
    let many = sim.many(&cache, &[1, 2, 3]);
    let batches = sim.batches(after(5));
    let brought = sim.many_with(&cache, &[1, 2, 3], &batches);
    sim.to(10);
    assert_eq!(sim.saw(many), "10: V7 LockHit, V9 Hit, NoLoader");
    assert_eq!(sim.saw(brought), "10: V7 LockHit, V9 Hit, V3 Miss");
    assert_eq!((sim.saw(first), batches.begun()), ("10: V7 Miss".into(), vec![(0, vec![3])]));
    assert_clean(&cache.stats());
}

fn a_slot_without_a_fetch<R: Host>() {
    let mut sim = Sim::new();
    let slot: Slot<R> = LazySlot::builder(R::on(sim.clock())).ttl(ms(10)).build().expect("valid");
    let plain = sim.fetch(&slot);
    assert_eq!(sim.saw(plain), "0: NoLoader");
    let loads = sim.loads(ready().gives(7));
    let brought = sim.fetch_by(&slot, &loads);
    assert_eq!(sim.saw(brought), "0: V7 Miss");
    sim.to(15);
    let (plain, stale) = (sim.fetch(&slot), sim.fetch_stale(&slot));
    assert_eq!([plain, stale].map(|i| sim.saw(i)), ["15: V7 Stale(5)", "15: V7 Stale(5)"]);
    assert_eq!(loads.calls(), 1);
    assert_clean(&slot.stats());
}
