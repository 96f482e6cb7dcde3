//! What panics in a caller's poll beside its load: the load goes on for the others, and the caller when it is polled again.

use core::{cell::Cell, panic::AssertUnwindSafe, task::Poll};
use std::{panic::catch_unwind, rc::Rc};

use larder::{Cache, Loaded, LookupOptions, ManualClock, OnTimeout, Tuned, policy::Lru};
use larder_tests::*;

use super::traps::{Key, Value, hostile};

on_every_runtime! {
    p5_a_listener_at_a_first_look_leaves_the_load_alone
    p5_a_listener_after_the_wake_of_the_load
    p5_a_listener_before_a_load_of_many_is_polled
    p5_a_clone_after_the_poll_leaves_the_load_alone
    d107_a_caller_whose_patience_ends_in_a_panic
    d107_a_caller_whose_own_failure_ends_in_a_panic
    d107_a_clock_panics_and_there_is_no_loader
    p9_the_drop_of_a_key_fails_no_other_flight
    d107_what_left_for_a_heavy_value_is_told_before_it_is_returned
    d29_what_left_is_told_although_the_clone_panics
}

/// Polls this once, which panics.
fn unwinds<T>(future: &mut (impl Future<Output = T> + Unpin)) {
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(future).is_ready())).is_err(), "it unwinds");
}

/// P5, D29: a listener panics in the poll of a caller that joins, before it polls the load: the load is the others'.
fn p5_a_listener_at_a_first_look_leaves_the_load_alone<R: Host>() {
    for stays in [false, true] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(50).gives(7));
        let bang = |_: &u32, _: &V, _| std::panic::panic_any(Bang(1));
        let cache = sim.cache::<R>(&loads, |c| c.shards(1).listener(bang));
        cache.insert_with(1, Loaded::new(V::new(1)).ttl(ms(10)));
        let leads = sim.get(&cache, 7);
        sim.to(10);
        let mut joins = cache.get(&7);
        unwinds(&mut joins);
        if stays {
            assert!(wakers::poll_once(&mut joins).is_pending());
        }
        let joins = Some(joins).filter(|_| stays);
        sim.to(50);
        assert_eq!((sim.saw(leads), loads.calls()), ("50: V7 Miss".into(), 1));
        drop(joins);
        assert_clean(&cache.stats());
    }
}

/// P3, P5: the load was woken, and the caller that took it for that does not poll it: it is still to be polled.
fn p5_a_listener_after_the_wake_of_the_load<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(7));
    let bang = |_: &u32, _: &V, _| std::panic::panic_any(Bang(1));
    let cache = sim.cache::<R>(&loads, |c| c.shards(1).listener(bang));
    cache.insert_with(1, Loaded::new(V::new(1)).ttl(ms(10)));
    let waiters = sim.crowd(&cache, 7, 2);
    sim.to(10);
    gate.open();
    let mut joins = cache.get(&7);
    unwinds(&mut joins);
    drop(joins);
    sim.run();
    assert!(waiters.iter().all(|waiter| sim.saw(*waiter).starts_with("10: V7")));
    assert_clean(&cache.stats());
}

/// P5, D29: the same for a load of many keys.
fn p5_a_listener_before_a_load_of_many_is_polled<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let bang = |_: &u32, _: &V, _| std::panic::panic_any(Bang(1));
    let cache = sim.batched::<R>(&batches, |c| c.shards(1).listener(bang));
    cache.insert_with(1, Loaded::new(V::new(1)).ttl(ms(10)));
    let leads = sim.many(&cache, &[7, 8]);
    sim.to(10);
    let mut joins = cache.get(&7);
    unwinds(&mut joins);
    drop(joins);
    sim.to(50);
    assert_eq!(sim.saw(leads), "50: V7 Miss, V8 Miss");
    assert_clean(&cache.stats());
}

/// P5, D28: `Clone` panics as a caller that has polled the load is served something stale: that is its own end alone.
fn p5_a_clone_after_the_poll_leaves_the_load_alone<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let cache = stale::<R>(&mut sim, &gate);
    let leads = sim.call(told(cache.clone()));
    let mut joins = cache.lookup(&KEY).options(LookupOptions::new().lock_timeout(ms(0), OnTimeout::Stale));
    arm("clone", 0);
    unwinds(&mut joins);
    assert_eq!((calm(), sim.saw(leads)), (false, "waits".into()));
    gate.open();
    sim.run();
    assert_eq!(sim.saw(leads), "120: V1");
    drop(joins);
    assert_clean(&cache.stats());
}

/// P7, D107: what panics when the lock timeout has passed is met again in the next poll, which ends the wait.
fn d107_a_caller_whose_patience_ends_in_a_panic<R: Host>() {
    for (point, then) in
        [("clone", OnTimeout::Stale), ("eq", OnTimeout::Stale), ("eq", OnTimeout::Fail), ("eq", OnTimeout::LoadAlone)]
    {
        let mut sim = Sim::new();
        let gate = Gate::default();
        let cache = stale::<R>(&mut sim, &gate);
        let leads = sim.call(told(cache.clone()));
        let mut waits = cache.lookup(&KEY).options(LookupOptions::new().lock_timeout(ms(100), then));
        assert!(wakers::poll_once(&mut waits).is_pending());
        sim.to(220);
        arm(point, 0);
        unwinds(&mut waits);
        assert!(!calm(), "{point}");
        let poll = wakers::poll_once(&mut waits);
        assert_eq!(poll.is_pending(), then == OnTimeout::LoadAlone, "{point} {then:?}");
        assert_eq!((cache.stats().timeouts, cache.stats().loads_begun), (1, 1 + u64::from(poll.is_pending())));
        drop(waits);
        gate.open();
        sim.run();
        assert_eq!(sim.saw(leads), "220: V1", "{point}");
        assert_clean(&cache.stats());
    }
}

/// P7, D107: its own attempt has failed beside another one, and `Clone` panics as something stale softens that.
fn d107_a_caller_whose_own_failure_ends_in_a_panic<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(150).fails(1), never()]);
    let load = move |key: Key| {
        let load = larder::Load::load(&loads, key.0);
        async move { load.await.map(|loaded| Value(**loaded.value())) }
    };
    let builder = Cache::builder(R::on(sim.clock())).ttl(ms(10)).lock_age(ms(100)).stale_if_error(ms(5_000));
    let cache: Own<R> = builder.load_fn(load).build().expect("valid");
    cache.insert(Key(7), Value(0));
    sim.to(20);
    let mut own = cache.lookup(&KEY);
    assert!(wakers::poll_once(&mut own).is_pending());
    sim.to(120);
    let takes_over = sim.call(told(cache.clone()));
    sim.to(170);
    arm("clone", 0);
    unwinds(&mut own);
    assert!(!calm());
    assert!(matches!(wakers::poll_once(&mut own), Poll::Ready(Ok(_))));
    assert_eq!((sim.saw(takes_over), cache.stats().stale), ("waits".into(), 1));
    sim.drop(takes_over);
    assert_clean(&cache.stats());
}

/// P5, D107: no time is needed to tell a caller that there is no loader, and no other flight is concerned.
fn d107_a_clock_panics_and_there_is_no_loader<R: Host>() {
    for has_flight in [false, true] {
        let sim = Sim::new();
        let builder = Cache::builder(R::with(hostile(sim.clock()))).shards(1);
        let keys = [7, 8].map(Key);
        let cache: Cache<Key, Value, Boom, _> = builder.build().expect("valid");
        let mut other = Box::pin(cache.get_or_load(&keys[1], core::future::pending::<Result<Value, Boom>>));
        if has_flight {
            assert!(wakers::poll_once(&mut other).is_pending());
        }
        arm("now", 0);
        let mut get = cache.get(&keys[0]);
        assert!(matches!(wakers::poll_once(&mut get), Poll::Ready(Err(larder::LoadError::NoLoader))));
        let mut many = cache.get_many(&keys[..1]);
        let told = wakers::poll_once(&mut many);
        assert!(matches!(told, Poll::Ready(told) if matches!(told[..], [Err(larder::LoadError::NoLoader)])));
        calm();
        if has_flight {
            assert!(wakers::poll_once(&mut other).is_pending());
        }
        drop((get, other));
        assert_clean(&cache.stats());
    }
}

/// P9: a caller that loads for itself is told, and then the drop of a key panics: no flight of another key fails.
fn p9_the_drop_of_a_key_fails_no_other_flight<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(2)]);
    let load = move |key: Key| {
        let number = key.0;
        // (With what it returns already made, a drop that panics would leak that.)
        drop(key);
        let load = larder::Load::load(&loads, number);
        async move { load.await.map(|loaded| Value(**loaded.value())) }
    };
    let cache: Own<R> = Cache::builder(R::on(sim.clock())).shards(1).load_fn(load).build().expect("valid");
    let leads = sim.call(told(cache.clone()));
    let mut unwound = 0;
    for passes in 0..8 {
        let options = LookupOptions::new().lock_timeout(ms(0), OnTimeout::LoadAlone);
        let mut alone = cache.lookup(&KEY).options(options);
        arm("drop of a key", passes);
        unwound += u32::from(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut alone).is_ready())).is_err());
        calm();
        drop(alone);
        assert_eq!(sim.saw(leads), "waits", "{passes}");
    }
    assert!(unwound > 0);
    sim.drop(leads);
    assert_clean(&cache.stats());
}

type Own<R> = Cache<Key, Value, Boom, R>;

/// At 120, a cache with a value that has expired for 20, and a load behind this gate.
fn stale<R: Host>(sim: &mut Sim, gate: &Gate) -> Own<R> {
    let loads = sim.loads_by({
        let gate = gate.clone();
        move |_, call| if call == 0 { gate.script().gives(1) } else { never() }
    });
    let load = move |key: Key| {
        let load = larder::Load::load(&loads, key.0);
        async move { load.await.map(|loaded| Value(**loaded.value())) }
    };
    let builder = Cache::builder(R::on(sim.clock())).ttl(ms(100)).stale_while_refresh(ms(500));
    let cache = builder.load_fn(load).build().expect("valid");
    cache.insert(Key(7), Value(0));
    sim.to(120);
    cache
}

static KEY: Key = Key(7);

/// What a lookup of the key is told.
async fn told<R: Host>(cache: Own<R>) -> Result<V, larder::LoadError<Boom>> {
    cache.get(&KEY).await.map(|value| V::new(value.0))
}

/// Fills a cache with light values and then a few heavy ones, of 10 000 in all; the light ones leave first.
fn fill<R: Host, V: Clone>(cache: &Cache<u32, V, Boom, R, Tuned<Lru>>, light: u64, value: impl Fn() -> V) {
    (0..1000 / light).for_each(|key| _ = cache.insert_with(10 + key as u32, Loaded::new(value()).weight(light)));
    (0..3).for_each(|key| _ = cache.insert_with(key, Loaded::new(value()).weight(3000)));
    assert_eq!(cache.weight(), 10_000);
}

/// D107: a few values leave for a heavy one, and are not enough; the listener of one of them panics.
fn d107_what_left_for_a_heavy_value_is_told_before_it_is_returned<R: Host>() {
    let told = Rc::new(Cell::new(0));
    let counts = told.clone();
    let listener = move |key: &u32, _: &V, _| {
        counts.set(counts.get() + 1);
        // One of the first few.
        if *key == 12 {
            std::panic::panic_any(Bang(1));
        }
    };
    let builder = Cache::builder_with(R::on(ManualClock::new()), Tuned::<Lru>::new()).capacity(10_000).shards(1);
    let load = |key: u32| async move { Ok::<_, Boom>(Loaded::new(V::new(key)).weight(500)) };
    let cache = builder.loaded_fn(load).listener(listener).build().expect("valid");
    fill(&cache, 1, || V::new(1));
    let mut get = cache.get(&7);
    unwinds(&mut get);
    assert!(matches!(wakers::poll_once(&mut get), Poll::Ready(Ok(value)) if value == V::new(7)), "it has its value");
    assert!(cache.contains(&7));
    assert_eq!(told.get(), cache.stats().evicted, "all are told");
    drop(get);
    assert_clean(&cache.stats());
}

/// D29: the listener hears of what has left, also if the clone of the value panics for which it left.
fn d29_what_left_is_told_although_the_clone_panics<R: Host>() {
    let told = Rc::new(Cell::new(0));
    let counts = told.clone();
    let builder = Cache::builder_with(R::on(ManualClock::new()), Tuned::<Lru>::new()).capacity(10_000).shards(1);
    let load = |_: u32| async { Ok::<_, Boom>(Loaded::new(Value(7)).weight(100)) };
    let builder = builder.loaded_fn(load).listener(move |_: &u32, _: &Value, _| counts.set(counts.get() + 1));
    let cache = builder.build().expect("valid");
    fill(&cache, 2, || Value(1));
    assert_eq!(told.get(), 0);
    let mut get = cache.get(&7);
    arm("clone", 0);
    unwinds(&mut get);
    assert!(cache.stats().evicted > 0);
    assert_eq!(told.get(), cache.stats().evicted);
    drop(get);
    assert_clean(&cache.stats());
}
