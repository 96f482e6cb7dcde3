//! A panic stays local: one caller unwinds, the others get an error, the cache goes on.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{LookupOptions, Status};
use larder_tests::*;

on_every_runtime! {
    d85_a_panic_in_the_first_poll_takes_no_time
    c14_a_load_panics_once
    c14_a_panic_in_every_poll_with_callers_that_drive_it
    c15_a_load_that_always_panics
    c16_a_waker_panics
    c16_a_waker_panics_when_the_load_wakes
    a_panic_is_cached_as_a_failure
    a_panic_leaves_the_others_a_stale_value
    the_loader_itself_panics
    a_borrowed_load_panics
}

/// C14: a load panics in its k-th poll: the polling caller unwinds, 100 others get an error, the next caller loads.
/// (P5)
fn c14_a_load_panics_once<R: Host>() {
    for k in 1..=5 {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([steps(k, 10).panics(3), ready().gives(2)]);
        let cache = sim.cache::<R>(&loads, |c| c);
        let mut callers = vec![sim.get(&cache, 7)];
        let end = 10 * (u64::from(k) - 1);
        if k > 1 {
            callers.extend(sim.crowd(&cache, 7, 100));
        }
        sim.to(end);
        let unwound = callers.iter().filter(|i| sim.saw(**i) == format!("{end}: unwound 3")).count();
        let told = callers.iter().filter(|i| sim.saw(**i) == format!("{end}: Panicked")).count();
        assert_eq!((unwound, told), (1, callers.len() - 1), "poll {k}");
        assert_eq!(loads.calls(), 1);
        assert_clean(&cache.stats());
        let next = sim.get(&cache, 7);
        assert_eq!(sim.saw(next), format!("{end}: V2 Miss"));
        assert_eq!(cache.stats().loads_panicked, 1);
        assert_clean(&cache.stats());
    }
}

/// C14: a load that panics in its k-th poll, whichever caller makes it: exactly one unwinds, and none hangs. (P3, P5)
fn c14_a_panic_in_every_poll_with_callers_that_drive_it<R: Host>() {
    for n in 1..=4_usize {
        for k in 1..=8 {
            let mut sim = Sim::new();
            let loads = sim.loads_in_turn([polls(k).panics(3), ready().gives(2)]);
            let cache = sim.cache::<R>(&loads, |c| c);
            for _ in 0..n {
                sim.queue_up(&cache, 7, LookupOptions::new());
            }
            sim.run();
            let mut unwound = 0;
            for i in 0..n {
                match sim.saw(i).as_str() {
                    "0: unwound 3" => unwound += 1,
                    "0: Panicked" | "0: V2 Miss" | "0: V2 Hit" => {}
                    other => panic!("{n} callers, poll {k}, caller {i}: {other}"),
                }
            }
            assert_eq!(unwound, 1);
            assert!(loads.calls() <= 2);
            assert_clean(&cache.stats());
        }
    }
}

/// C15: a thousand callers of a load that always panics: one load, one unwinds, 999 get an error. (P4, P5)
fn c15_a_load_that_always_panics<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).panics(3));
    let cache = sim.cache::<R>(&loads, |c| c);
    let callers = sim.crowd(&cache, 7, 1000);
    sim.to(10);
    assert_eq!(callers.iter().filter(|i| sim.saw(**i) == "10: unwound 3").count(), 1);
    assert_eq!(callers.iter().filter(|i| sim.saw(**i) == "10: Panicked").count(), 999);
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// C16: the first waiter's waker panics at the publication: the rest is woken and served, the value is stored. (P5)
fn c16_a_waker_panics<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let order = wakers::Order::default();
    let mut leader = cache.get(&7);
    let mut waiters: Vec<_> = (0..6).map(|_| cache.get(&7)).collect();
    assert!(wakers::poll_once(&mut leader).is_pending());
    for (n, waiter) in waiters.iter_mut().enumerate() {
        let waker = if n == 0 { wakers::panicking() } else { order.waker(n) };
        assert!(wakers::poll_with(waiter, &waker).is_pending());
    }
    gate.open_quietly();
    order.take();
    let unwound = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut leader).is_ready()));
    assert_eq!(unwound.expect_err("the waker panics").downcast_ref::<Bang>(), Some(&Bang(16)));
    assert_eq!(order.take(), [1, 2, 3, 4, 5]);
    assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(1), "stored before any waiter is woken");
    for waiter in &mut waiters {
        assert!(matches!(wakers::poll_once(waiter), Poll::Ready(Ok(v)) if *v == 1));
    }
    drop(leader);
    assert_clean(&cache.stats());
}

/// C16: the first waiter's waker panics when the load asks to be polled: the others are woken all the same. (P3, P5)
fn c16_a_waker_panics_when_the_load_wakes<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let order = wakers::Order::default();
    let mut waiters: Vec<_> = (0..6).map(|_| cache.get(&7)).collect();
    for (n, waiter) in waiters.iter_mut().enumerate() {
        let waker = if n == 0 { wakers::panicking() } else { order.waker(n) };
        assert!(wakers::poll_with(waiter, &waker).is_pending());
    }
    order.take();
    let unwound = catch_unwind(AssertUnwindSafe(|| sim.time.set(50)));
    assert!(unwound.is_err(), "the panic unwinds through the code that woke the load");
    assert_eq!(order.take(), [1, 2, 3, 4, 5]);
    let (_, waker) = wakers::Counting::new();
    for waiter in &mut waiters {
        assert!(matches!(wakers::poll_with(waiter, &waker), Poll::Ready(Ok(v)) if *v == 1));
    }
    assert_clean(&cache.stats());
}

/// With an error TTL a panic is kept like a failure: callers get it again until then, and then load. (P4, P5)
fn a_panic_is_cached_as_a_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).panics(3), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(100)));
    let first = sim.get(&cache, 7);
    sim.to(10);
    assert_eq!(sim.saw(first), "10: unwound 3");
    sim.to(109);
    let told = sim.get(&cache, 7);
    assert_eq!(sim.saw(told), "109: Panicked cached");
    sim.to(110);
    let next = sim.get(&cache, 7);
    assert_eq!(sim.saw(next), "110: V2 Miss");
    assert_clean(&cache.stats());
}

/// If a load panics, all its waiters but the one that polled it get the value within stale-if-error. (P5)
fn a_panic_leaves_the_others_a_stale_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).panics(3));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(500)));
    cache.insert(7, V::new(0));
    sim.to(190);
    let callers = sim.crowd(&cache, 7, 5);
    sim.to(200);
    assert_eq!(callers.iter().filter(|i| sim.saw(**i) == "200: unwound 3").count(), 1);
    assert_eq!(callers.iter().filter(|i| sim.saw(**i) == "200: V0 Stale(100) +Panicked").count(), 4);
    let seen = cache.peek(&7).map(|outcome| outcome.status());
    assert_eq!(seen, Some(Status::Stale(ms(100))), "what had expired stays");
    assert_clean(&cache.stats());
}

/// The loader panics before it has made a future: its caller unwinds, the key stays usable. (P5)
fn the_loader_itself_panics<R: Host>() {
    let mut sim = Sim::new();
    let first = Rc::new(Cell::new(true));
    let loader = move |key: u32| {
        if first.replace(false) {
            std::panic::panic_any(Bang(4));
        }
        core::future::ready(Ok::<_, Boom>(V::new(key)))
    };
    let cache = larder::Cache::builder(R::on(sim.clock())).load_fn(loader).build().expect("valid");
    for expected in ["0: unwound 4", "0: V7", "0: V7"] {
        let cache = cache.clone();
        let i = sim.call(async move { cache.get(&7).await });
        assert_eq!(sim.saw(i), expected);
    }
    assert_eq!(cache.stats().loads_panicked, 1);
    assert_clean(&cache.stats());
}

/// A load that borrows from its caller panics: that caller unwinds, the others get an error. (P5)
fn a_borrowed_load_panics<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(2));
    let cache = sim.cache::<R>(&loads, |c| c);
    let (own, time) = (cache.clone(), sim.time.clone());
    let first = sim.call(async move {
        let load = || async {
            sleep(&time, 10).await;
            std::panic::panic_any(Bang(5));
            #[expect(unreachable_code, reason = "it tells the type")]
            Ok::<V, Boom>(V::new(0))
        };
        own.get_with(&7, load).await
    });
    let others = sim.crowd(&cache, 7, 3);
    sim.to(10);
    assert_eq!(sim.saw(first), "10: unwound 5");
    for i in others {
        assert_eq!(sim.saw(i), "10: Panicked");
    }
    assert_eq!(loads.calls(), 0);
    let next = sim.get(&cache, 7);
    assert_eq!(sim.saw(next), "10: V2 Miss");
    assert_clean(&cache.stats());
}

/// D85: a load that panics in its first poll has taken no time, also where nothing but loads is measured.
fn d85_a_panic_in_the_first_poll_takes_no_time<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().panics(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    sim.to(3_600_000);
    sim.get(&cache, 7);
    sim.ask(&cache, 7, LookupOptions::new());
    let panics = || async { std::panic::panic_any(Bang(2)) };
    let (mut lent, mut own) = (Box::pin(cache.get_with(&7, panics)), Box::pin(cache.get_or_load(&7, panics)));
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut lent).is_ready())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut own).is_ready())).is_err());
    assert_eq!((cache.stats().loads_panicked, cache.stats().load_time), (4, Duration::ZERO));
}
