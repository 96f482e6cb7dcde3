//! A future that has ended stays ended: polled again it is pending, and does nothing. (D107)

use larder::{Cache, LazySlot, LookupOptions, ManualClock, Runtime};
use larder_tests::*;

use crate::ways::{Polled, Source, WAYS, Way, cache, calls_of_a_cache, fetched, polled};

on_every_runtime! {
    d107_calls_of_a_cache
    d107_calls_of_a_slot
    d107_tickets
    d107_what_is_spawned
}

/// Polls a call until it is ready, in this way, and then again.
#[track_caller]
fn stays_over(call: (&str, Polled<'_>), way: Way, source: &Source, cache: &impl Store) {
    let (name, mut poll) = call;
    if way == Way::Hit {
        cache.put(7);
    }
    if matches!(way, Way::Join | Way::Write) {
        let mut first = cache.ask();
        assert!(first().is_pending() && poll().is_pending(), "{name}, {way:?}");
        if way == Way::Write {
            cache.put(7);
        } else {
            source.gate.open_quietly();
        }
        assert!(first().is_ready());
    }
    assert!(poll().is_ready(), "{name}, {way:?}");
    cache.wipe();
    let calls = source.calls.get();
    for _ in 0..3 {
        assert!(poll().is_pending(), "{name}, {way:?}: ready once more");
        assert_eq!((source.calls.get(), cache.waiters()), (calls, 0), "{name}, {way:?}: a lookup in silence");
        cache.put(8);
    }
    assert!(poll().is_pending(), "{name}, {way:?}: ready with a newer value");
    drop(poll);
}

/// What a test needs from a cache or a slot.
trait Store {
    fn put(&self, value: u32);
    fn wipe(&self);
    fn ask(&self) -> Polled<'_>;
    fn waiters(&self) -> u64;
}

impl<R: Runtime> Store for Cache<u32, u32, Boom, R> {
    fn put(&self, value: u32) {
        self.insert(7, value);
    }

    fn wipe(&self) {
        self.clear();
    }

    fn ask(&self) -> Polled<'_> {
        polled(self.get(&7))
    }

    fn waiters(&self) -> u64 {
        self.stats().waiters + self.stats().flights
    }
}

impl<R: Runtime> Store for LazySlot<u32, Boom, R> {
    fn put(&self, value: u32) {
        self.set(value);
    }

    fn wipe(&self) {
        self.invalidate();
    }

    fn ask(&self) -> Polled<'_> {
        polled(self.get())
    }

    fn waiters(&self) -> u64 {
        self.stats().waiters + self.stats().flights
    }
}

/// D107: every call of a cache, however it ended.
fn d107_calls_of_a_cache<R: Host>() {
    for (way, many) in WAYS.into_iter().flat_map(|way| [(way, false), (way, true)]) {
        for n in 0.. {
            let source = Source::of(way);
            let cache = cache::<R>(&source, many, |c| c);
            let mut calls = calls_of_a_cache(&cache, &source);
            if n == calls.len() {
                break;
            }
            let call = calls.swap_remove(n);
            drop(calls);
            stays_over(call, way, &source, &cache);
        }
    }
    let cache = cache::<R>(&Source::of(Way::Load), false, |c| c);
    let mut none = polled(cache.get_many(&[]));
    assert!(none().is_ready() && none().is_pending() && none().is_pending());
}

/// D107: every call of a slot.
fn d107_calls_of_a_slot<R: Host>() {
    for way in WAYS {
        for n in 0.. {
            let source = Source::of(way);
            let own = source.clone();
            let builder = LazySlot::builder(R::on(ManualClock::new())).ttl(ms(1000));
            let slot = builder.fetch_fn(move |_| fetched(own.clone())).build().expect("valid");
            let (options, fetch) = (LookupOptions::new(), |_| fetched(source.clone()));
            let mut calls = vec![
                ("get", polled(slot.get())),
                ("lookup", polled(slot.lookup(options))),
                ("refresh", polled(slot.refresh())),
                ("get_or_fetch", polled(slot.get_or_fetch(fetch))),
                ("lookup_or_fetch", polled(slot.lookup_or_fetch(options, fetch))),
                ("stale_or_fetch", polled(slot.stale_or_fetch(options, fetch))),
                ("lookup_with", polled(slot.lookup_with(options, fetch))),
                ("get_stale", polled(slot.get_stale())),
                ("lookup_stale", polled(slot.lookup_stale(options))),
            ];
            if n == calls.len() {
                break;
            }
            let call = calls.swap_remove(n);
            drop(calls);
            stays_over(call, way, &source, &slot);
        }
    }
}

/// D107: a ticket, which ends with its refresh, with a write, or with a newer refresh.
fn d107_tickets<R: Host>() {
    for way in [Way::Load, Way::Failure, Way::Write] {
        let source = Source::of(way);
        let cache = cache::<R>(&source, false, |c| c);
        cache.insert(7, 0);
        source.clock.advance(ms(1000));
        let stale = wakers::now(cache.get_stale(&7)).expect("a stale value is there");
        let mut ticket = polled(stale.refresh.expect("no other call has it"));
        if way == Way::Write {
            assert!(ticket().is_pending());
            cache.insert(7, 2);
        }
        assert!(ticket().is_ready());
        cache.clear();
        let calls = source.calls.get();
        for _ in 0..3 {
            assert!(ticket().is_pending());
            assert_eq!((source.calls.get(), cache.waiters()), (calls, 0));
            cache.insert(7, 3);
        }
    }
}

/// D107: the stale call that spawns its refresh, the spawned refresh, and a load that the spawner finishes.
fn d107_what_is_spawned<R: Host>() {
    let (source, clock) = (Source::of(Way::Join), ManualClock::new());
    let (own, spawner) = (source.clone(), Spawning::<R>::new(clock.clone()));
    let builder = Cache::builder(spawner.clone()).ttl(ms(1000)).stale_while_refresh(ms(1000));
    let cache = builder.load_fn(move |_| own.clone().load()).finish_abandoned().build().expect("valid");
    cache.insert(7, 0);
    clock.advance(ms(1000));
    let mut call = polled(cache.get_stale_spawn(&7));
    assert!(call().is_ready());
    let mut abandoned = polled(cache.get(&8));
    assert!(abandoned().is_pending());
    drop(abandoned);
    let mut tasks: Vec<_> = spawner.take().into_iter().map(polled).collect();
    assert_eq!((tasks.len(), source.calls.get()), (2, 2));
    source.gate.open_quietly();
    assert!(tasks.iter_mut().all(|task| task().is_ready()));
    cache.clear();
    for _ in 0..3 {
        assert!(tasks.iter_mut().chain([&mut call]).all(|task| task().is_pending()));
        assert_eq!((source.calls.get(), cache.waiters(), spawner.take().len()), (2, 0, 0));
    }
}
