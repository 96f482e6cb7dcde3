//! A call whose poll unwound was not ready: polled again, it goes on. (D107, C16)

use core::cell::Cell;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{Cache, Clock, Instant, ManualClock, Runtime, Spawn, Timer};
use larder_tests::*;

use crate::ways::{Own, Polled, Source, Way, cache, calls_of_a_cache, polled};

on_every_runtime! {
    d107_a_waker_panics
    d107_the_load_panics
    d107_a_listener_panics
    d107_a_waker_panics_beside_many
    d107_a_waker_panics_beside_a_task
    d107_a_spawner_panics
    d107_a_spawner_panics_before_a_load_of_ones_own
    d107_a_spawner_panics_beside_a_caller_that_is_served
    d107_a_lent_load_panics_in_its_drop
    d107_what_cannot_be_stored
    d107_a_timeout
}

/// Makes each of these calls unwind, and then be ready.
#[track_caller]
fn goes_on<R: Host>(
    many: bool,
    make: impl Fn() -> (Source, Own<R>),
    is_meant: impl Fn(&str) -> bool,
    unwinds: impl Fn(&Own<R>, &Source, &mut Polled<'_>),
) {
    each_call(make, |name, cache, source, mut poll| {
        if is_meant(name) {
            unwinds(cache, source, &mut poll);
            assert!(poll().is_ready(), "{name}, many: {many}: it waits for ever");
            assert!(poll().is_pending(), "{name}, many: {many}: it is ready twice");
            drop(poll);
            assert_clean(&cache.stats());
        }
    });
}

/// Makes each call of a cache, one after another, and each of a cache of its own.
#[track_caller]
fn each_call<R: Host>(make: impl Fn() -> (Source, Own<R>), with: impl Fn(&str, &Own<R>, &Source, Polled<'_>)) {
    for n in 0.. {
        let (source, cache) = make();
        let mut calls = calls_of_a_cache(&cache, &source);
        if n == calls.len() {
            break;
        }
        let (name, poll) = calls.swap_remove(n);
        drop(calls);
        with(name, &cache, &source, poll);
    }
}

/// Calls for many keys with the cache's loader; if it loads single keys, they are tested separately.
fn gathers(name: &str) -> bool {
    matches!(name, "get_many" | "get_many, twice" | "lookup_many")
}

#[track_caller]
fn unwinds(poll: &mut Polled<'_>) {
    let panic = catch_unwind(AssertUnwindSafe(poll)).expect_err("it unwinds");
    assert!(panic.is::<Bang>());
}

/// Another caller of the same key has a waker that panics at the publication.
fn beside_a_panicking_waker<R: Host>(cache: &Own<R>, source: &Source, poll: &mut Polled<'_>) {
    assert!(poll().is_pending());
    let mut other = cache.get(&7);
    assert!(wakers::poll_with(&mut other, &wakers::panicking()).is_pending());
    source.gate.open_quietly();
    unwinds(poll);
    assert!(wakers::poll_once(&mut other).is_ready());
}

/// D107: another caller's waker panics.
fn d107_a_waker_panics<R: Host>() {
    for many in [false, true] {
        let make = || {
            let source = Source::of(Way::Join);
            let cache = cache(&source, many, |c| c);
            (source, cache)
        };
        goes_on::<R>(many, make, |name| many || !gathers(name), beside_a_panicking_waker);
    }
}

/// D107: the load panics, and the caller that unwinds gets this as an error if it is polled again. (P5)
fn d107_the_load_panics<R: Host>() {
    for many in [false, true] {
        let make = || {
            let source = Source::of(Way::Panic);
            let cache = cache(&source, many, |c| c);
            (source, cache)
        };
        goes_on::<R>(
            many,
            make,
            |_| true,
            |_, source, poll| {
                assert!(poll().is_pending());
                source.gate.open_quietly();
                unwinds(poll);
                assert_eq!(source.calls.get(), 1);
            },
        );
    }
}

/// D107: a listener panics that is told which value the answer replaces.
fn d107_a_listener_panics<R: Host>() {
    for many in [false, true] {
        let make = || {
            let source = Source::of(Way::Join);
            let panics = Cell::new(true);
            let listener = move |_: &u32, _: &u32, _| {
                if panics.take() {
                    std::panic::panic_any(Bang(2));
                }
            };
            let cache = cache::<R>(&source, many, |c| c.listener(listener));
            cache.insert(7, 0);
            source.clock.advance(ms(1000));
            (source, cache)
        };
        let is_meant =
            |name: &str| !name.contains("stale") && (many || !name.contains("_many") || name.contains("_or_"));
        goes_on::<R>(many, make, is_meant, |_, source, poll| {
            assert!(poll().is_pending());
            source.gate.open_quietly();
            unwinds(poll);
        });
    }
}

/// D107: the same for calls for many keys with a separate load for each key.
fn d107_a_waker_panics_beside_many<R: Host>() {
    let make = || {
        let source = Source::of(Way::Join);
        let cache = cache(&source, false, |c| c);
        (source, cache)
    };
    goes_on::<R>(false, make, gathers, beside_a_panicking_waker);
}

/// D107: a refresh whose poll unwound ends with its next poll, and so does a load that a spawner finishes.
fn d107_a_waker_panics_beside_a_task<R: Host>() {
    for abandons in [false, true] {
        let (source, clock) = (Source::of(Way::Join), ManualClock::new());
        let (own, spawner) = (source.clone(), Spawning::<R>::new(clock.clone()));
        let builder = Cache::builder(spawner.clone()).ttl(ms(1000)).stale_while_refresh(ms(1000));
        let cache = builder.load_fn(move |_| own.clone().load()).finish_abandoned().build().expect("valid");
        let mut task = if abandons {
            assert!(wakers::poll_once(&mut cache.get(&7)).is_pending());
            polled(spawner.take().remove(0))
        } else {
            cache.insert(7, 0);
            clock.advance(ms(1000));
            let stale = wakers::now(cache.get_stale(&7)).expect("a stale value is there");
            polled(stale.refresh.expect("no other call has it"))
        };
        assert!(task().is_pending());
        let mut other = cache.get(&7);
        assert!(wakers::poll_with(&mut other, &wakers::panicking()).is_pending());
        source.gate.open_quietly();
        unwinds(&mut task);
        assert!(task().is_ready(), "it waits for ever");
        assert!(task().is_pending() && source.calls.get() == 1);
    }
}

/// D107: a stale call whose spawner panics is served when polled again, and then another caller gets the refresh.
fn d107_a_spawner_panics<R: Host>() {
    let (source, clock) = (Source::of(Way::Join), ManualClock::new());
    let own = source.clone();
    let builder = Cache::builder(Throwing(R::on(clock.clone()))).ttl(ms(1000)).stale_while_refresh(ms(1000));
    let cache = builder.load_fn(move |_| own.clone().load()).build().expect("valid");
    cache.insert(7, 0);
    clock.advance(ms(1000));
    let mut call = cache.get_stale_spawn(&7);
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut call).is_ready())).is_err());
    let Poll::Ready(Ok(served)) = wakers::poll_once(&mut call) else { panic!("it is served") };
    assert!(served.refresh.is_none() && *served.outcome.value() == 0);
    assert!(wakers::poll_once(&mut call).is_pending());
    assert!(wakers::now(cache.get_stale(&7)).is_ok_and(|stale| stale.refresh.is_some()));
}

/// A runtime whose spawner panics.
struct Throwing<P>(P);

impl<P: Clock> Clock for Throwing<P> {
    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl<P: Timer> Timer for Throwing<P> {
    type Sleep = P::Sleep;

    fn sleep_until(&self, deadline: Instant) -> P::Sleep {
        self.0.sleep_until(deadline)
    }
}

impl<P: Runtime> Runtime for Throwing<P> {
    type Lock<T> = P::Lock<T>;
    type Notify = P::Notify;
    type Threads = P::Threads;
}

impl<P, F> Spawn<F> for Throwing<P> {
    fn spawn(&self, _: F) -> Result<(), F> {
        std::panic::panic_any(Bang(3))
    }
}

/// D107: a value that cannot be stored is returned by the next poll all the same, and is not loaded again.
fn d107_what_cannot_be_stored<R: Host>() {
    for many in [false, true] {
        let make = || {
            let source = Source::of(Way::Join);
            let cache = cache(&source, many, |c| c.ttl(ms(0)));
            (source, cache)
        };
        let unwinds = |cache: &Own<R>, source: &Source, poll: &mut Polled<'_>| {
            beside_a_panicking_waker(cache, source, poll);
            let calls = source.calls.get();
            assert!(poll().is_ready() && poll().is_pending());
            assert_eq!((source.calls.get(), cache.stats().waiters), (calls, 0), "it is told");
        };
        each_call(make, |name, cache, source, mut poll| {
            if many || !gathers(name) {
                unwinds(cache, source, &mut poll);
            }
        });
    }
}

/// D107, D57: a stale call hands over what it has looked after, as the ticket has gone: it is served all the same.
fn d107_a_spawner_panics_beside_a_caller_that_is_served<R: Host>() {
    let (held, clock) = (Rc::<RefCell<Option<Ticket>>>::default(), ManualClock::new());
    let ticket = held.clone();
    let load = move |_: u32| {
        drop(ticket.take());
        core::future::pending::<Result<u32, Boom>>()
    };
    let builder = Cache::builder(Throwing(R::on(clock.clone()))).ttl(ms(10)).stale_while_refresh(ms(10));
    let cache = builder.load_fn(load).finish_abandoned().build().expect("valid");
    cache.insert(7, 0);
    clock.advance(ms(10));
    let stale = || wakers::now(cache.get_stale(&7)).expect("a stale value is there");
    held.replace(stale().refresh.map(|refresh| Box::pin(refresh) as Ticket));
    assert_eq!((*stale().outcome.value(), held.borrow().is_none()), (0, true));
    assert_clean(&cache.stats());
}

/// A future's own, which panics when that is dropped.
struct Throws;

impl Drop for Throws {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any(Bang(4));
        }
    }
}

/// D107, D39: an inserted value ends the wait of a caller that has lent a load, whose drop panics.
fn d107_a_lent_load_panics_in_its_drop<R: Host>() {
    for others in [0, 1] {
        let cache = Cache::<u32, u32, Boom, R>::builder(R::on(ManualClock::new())).build().expect("valid");
        let load = || async {
            let _throws = Throws;
            core::future::pending().await
        };
        let mut get = cache.get_with(&7, load);
        assert!(wakers::poll_once(&mut get).is_pending());
        let mut other = cache.get(&7);
        assert!(others == 0 || wakers::poll_once(&mut other).is_pending());
        cache.insert(7, 8);
        assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut get).is_ready())).is_err());
        assert!(matches!(wakers::poll_once(&mut get), Poll::Ready(Ok(8))));
        assert!(wakers::poll_once(&mut get).is_pending());
        drop(other);
        assert_clean(&cache.stats());
    }
}

/// D107, D94: so does a caller go on that leaves a load to a spawner which panics, and loads for itself.
fn d107_a_spawner_panics_before_a_load_of_ones_own<R: Host>() {
    for many in [false, true] {
        let clock = ManualClock::new();
        let builder = Cache::builder(Throwing(R::on(clock.clone()))).lock_timeout(ms(10), larder::OnTimeout::LoadAlone);
        let endless = |_: Vec<u32>| core::future::pending::<Result<Vec<(u32, u32)>, Boom>>();
        let cache = builder.load_many_fn(endless).finish_abandoned().build().expect("valid");
        let mut first = cache.get(&7);
        assert!(wakers::poll_once(&mut first).is_pending());
        let (mut one, mut all) = (cache.get(&7), cache.get_many(&[7]));
        let mut poll: Polled<'_> = if many {
            Box::new(|| wakers::poll_once(&mut all).map(drop))
        } else {
            Box::new(|| wakers::poll_once(&mut one).map(drop))
        };
        assert!(poll().is_pending());
        drop(first);
        clock.advance(ms(10));
        unwinds(&mut poll);
        assert!(poll().is_ready() && poll().is_pending());
        drop(poll);
        assert_clean(&cache.stats());
    }
}

/// D107: so is a timeout, if something that the caller leaves behind panics in its drop; the timeout is counted once.
fn d107_a_timeout<R: Host>() {
    let clock = ManualClock::new();
    let builder = Cache::builder(R::on(clock.clone())).lock_timeout(ms(10), larder::OnTimeout::Fail);
    let cache = builder
        .load_fn(|_: u32| async {
            let _throws = Throws;
            core::future::pending::<Result<u32, Boom>>().await
        })
        .build()
        .expect("valid");
    let mut get = cache.get(&7);
    assert!(wakers::poll_once(&mut get).is_pending());
    clock.advance(ms(10));
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut get).is_ready())).is_err());
    assert!(matches!(wakers::poll_once(&mut get), Poll::Ready(Err(larder::LoadError::LockTimeout))));
    assert!(wakers::poll_once(&mut get).is_pending());
    let mut get = cache.get(&7);
    assert!(wakers::poll_once(&mut get).is_pending());
    clock.advance(ms(10));
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut get).is_ready())).is_err());
    drop(get);
    let stats = cache.stats();
    assert_eq!((stats.errors, stats.abandoned, stats.timeouts), (2, 0, 2));
    assert_clean(&stats);
}
