//! Each cause, and what else a listener may rely on.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{Loaded, RemovalCause, Ttl};
use larder_tests::*;

use super::{Events, cache, get};

on_every_runtime! {
    c60_each_cause
    a_clear_is_over_before_the_first_event
    what_expired_says_so_whatever_swept_it_out
    a_zero_lifetime_ends_what_was_stored_and_is_nobodys_event
    an_event_comes_after_all_wakers
    a_panic_of_the_listener_keeps_nobody_from_being_woken
    a_panic_of_a_waker_keeps_nobody_from_hearing
    a_panic_at_the_first_visit_does_not_take_the_load_along
    a_write_is_whole_though_the_listener_panics
    dropping_the_cache_sends_nothing
}

/// C60: one entry each replaced, removed, evicted, expired, refused, cleared; one event each.
fn c60_each_cause<R: Host>() {
    let mut sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(ready().gives(70)));
    let cache = cache::<R>(&sim, &loads, |c| c.capacity(2).shards(1), events.listener());
    cache.insert(1, V::new(10));
    assert_eq!(events.take(), []);
    cache.insert(1, V::new(11));
    assert_eq!(events.take(), [(1, 10, RemovalCause::Replaced)]);
    assert_eq!(cache.remove(&1).as_deref(), Some(&11));
    assert_eq!(events.take(), [(1, 11, RemovalCause::Removed)]);
    cache.insert(2, V::new(20));
    cache.insert(3, V::new(30));
    get(&mut sim, &cache, 7);
    let evicted = events.take();
    assert!(matches!(evicted[..], [(2, 20, RemovalCause::Evicted) | (3, 30, RemovalCause::Evicted)]), "{evicted:?}");
    cache.clear();
    let mut cleared = events.take();
    cleared.sort_unstable_by_key(|(key, ..)| *key);
    assert!(matches!(cleared[..], [(2 | 3, _, RemovalCause::Removed), (7, 70, RemovalCause::Removed)]), "{cleared:?}");
    cache.insert_with(4, Loaded::new(V::new(40)).weight(3));
    assert_eq!(events.take(), [(4, 40, RemovalCause::Refused)]);
    cache.insert(4, V::new(41));
    cache.insert_with(4, Loaded::new(V::new(42)).weight(3));
    assert_eq!(events.take(), [(4, 41, RemovalCause::Replaced), (4, 42, RemovalCause::Refused)]);
    cache.insert_with(5, Loaded::new(V::new(50)).ttl(ms(10)));
    sim.to(10);
    cache.sweep();
    assert_eq!(events.take(), [(5, 50, RemovalCause::Expired)]);
    cache.insert(6, V::new(60));
    cache.retain(|_, value| **value != 60);
    assert_eq!(events.take(), [(6, 60, RemovalCause::Removed)]);
    assert_clean(&cache.stats());
}

/// D38: `Expired`, even if it was replaced, evicted, removed or cleared.
fn what_expired_says_so_whatever_swept_it_out<R: Host>() {
    let mut sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(never()));
    let setup = |c: Setup<R>| c.capacity(4).shards(1).ttl(ms(10)).stale_if_error(ms(1000));
    let cache = cache::<R>(&sim, &loads, setup, events.listener());
    for key in 1..=4 {
        cache.insert(key, V::new(key));
    }
    sim.to(10);
    assert_eq!(events.take(), [], "it is held, as it may soften an error");
    cache.insert(1, V::new(11));
    assert!(cache.remove(&2).is_none(), "only a fresh value is given back");
    cache.insert(5, V::new(5));
    cache.insert(6, V::new(6));
    cache.clear();
    let expired = events.take().into_iter().filter(|(.., cause)| *cause == RemovalCause::Expired);
    let mut expired: Vec<_> = expired.map(|(_, value, _)| value).collect();
    expired.sort_unstable();
    assert_eq!(expired, [1, 2, 3, 4]);
    assert_clean(&cache.stats());
}

/// D47, D51: `Removed` for a stored value; a value that is not to be stored has no event.
fn a_zero_lifetime_ends_what_was_stored_and_is_nobodys_event<R: Host>() {
    let mut sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(ready().gives(70).ttl(Ttl::NotStored)));
    let cache = cache::<R>(&sim, &loads, |c| c, events.listener());
    cache.insert(7, V::new(1));
    cache.insert_with(7, Loaded::new(V::new(2)).ttl(Duration::ZERO));
    assert_eq!(events.take(), [(7, 1, RemovalCause::Removed)]);
    cache.insert(7, V::new(3));
    let own = cache.clone();
    let refresh = sim.call(async move { own.refresh(&7).await });
    assert_eq!(sim.saw(refresh), "0: V70 Miss");
    assert_eq!(events.take(), [(7, 3, RemovalCause::Removed)]);
    cache.insert_with(8, Loaded::new(V::new(4)).ttl(Ttl::NotStored));
    assert_eq!(events.take(), []);
}

/// D43: what a listener inserts during a clear stays, in any shard.
fn a_clear_is_over_before_the_first_event<R: Host>() {
    let sim = Sim::new();
    let slot: Rc<RefCell<Option<Box<dyn Fn(u32)>>>> = Rc::default();
    let hears = slot.clone();
    let heard = move |key: &u32, _: &V, _| {
        if let Some(act) = &*hears.borrow() {
            act(*key);
        }
    };
    let cache = cache::<R>(&sim, &sim.loads(never()), |c| c.shards(8), heard);
    for key in 0..100 {
        cache.insert(key, V::new(key));
    }
    let inside = cache.clone();
    slot.replace(Some(Box::new(move |key| {
        assert!(key >= 1000 || (0..100).all(|key| !inside.contains(&key)), "an event before all is gone");
        if key < 100 {
            inside.insert(1000 + key, V::new(0));
        }
    })));
    cache.clear();
    let act = slot.take();
    drop(act);
    assert_eq!((cache.len(), cache.stats().removed), (100, 100));
}

/// D29: all waiting callers are woken before the listener is told what left.
fn an_event_comes_after_all_wakers<R: Host>() {
    let sim = Sim::new();
    let order = wakers::Order::default();
    let heard = order.waker(99);
    let gate = Gate::default();
    let loads = sim.loads(gate.script());
    let cache = cache::<R>(&sim, &loads, |c| c.capacity(1), move |_, _, _| heard.wake_by_ref());
    cache.insert(1, V::new(1));
    let mut waiters: Vec<_> = (0..5).map(|_| cache.get(&7)).collect();
    for (number, waiter) in waiters.iter_mut().enumerate() {
        assert!(wakers::poll_with(waiter, &order.waker(number)).is_pending());
    }
    order.take();
    gate.open_quietly();
    assert!(wakers::poll_with(&mut waiters[0], &order.waker(0)).is_ready());
    assert_eq!(order.take(), [1, 2, 3, 4, 99]);
    let mut waiters: Vec<_> = (0..3).map(|_| cache.get(&8)).collect();
    assert_eq!(loads.calls(), 1);
    for waiter in &mut waiters {
        assert!(wakers::poll_once(waiter).is_ready());
    }
    assert_eq!(order.take(), [99]);
}

/// P5, D29: the panic unwinds through the publishing call; the others are woken and served, all events are told.
fn a_panic_of_the_listener_keeps_nobody_from_being_woken<R: Host>() {
    let mut sim = Sim::new();
    let events = Events::default();
    let note = events.listener();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(7).weight(3));
    let heard = move |key: &u32, value: &V, cause| {
        note(key, value, cause);
        std::panic::panic_any(Bang(*key));
    };
    let cache = cache::<R>(&sim, &loads, |c| c.capacity(3).shards(1), heard);
    for key in 1..=3 {
        cache.insert(key, V::new(key));
    }
    let callers: Vec<_> = (0..20).map(|_| get(&mut sim, &cache, 7)).collect();
    gate.open();
    sim.run();
    let saw: Vec<_> = callers.into_iter().map(|i| sim.saw(i)).collect();
    let unwound: Vec<_> = saw.iter().filter(|saw| saw.starts_with("0: unwound")).collect();
    assert_eq!(unwound.len(), 1, "{saw:?}");
    assert!(saw.iter().filter(|saw| saw.starts_with("0: V7 ")).count() == 19, "{saw:?}");
    let events = events.take();
    assert_eq!(events.len(), 3, "not even the events behind the panic are lost");
    assert_eq!(*unwound[0], format!("0: unwound {}", events[0].0), "the first panic goes out");
    let late = get(&mut sim, &cache, 7);
    assert_eq!((sim.saw(late).as_str(), loads.calls()), ("0: V7 Hit", 1));
    assert_clean(&cache.stats());
}

/// P5, D29: the listener is told what left at a publication, although a waker panics.
fn a_panic_of_a_waker_keeps_nobody_from_hearing<R: Host>() {
    let sim = Sim::new();
    let (events, gate) = (Events::default(), Gate::default());
    let loads = sim.loads(gate.script().gives(7));
    let cache = cache::<R>(&sim, &loads, |c| c.capacity(1), events.listener());
    cache.insert(1, V::new(10));
    let mut waiters = [cache.get(&7), cache.get(&7)];
    assert!(wakers::poll_once(&mut waiters[0]).is_pending());
    assert!(wakers::poll_with(&mut waiters[1], &wakers::panicking()).is_pending());
    gate.open_quietly();
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut waiters[0]))).is_err());
    assert_eq!(events.take(), [(1, 10, RemovalCause::Evicted)]);
    assert!(
        waiters.iter_mut().all(|waiter| wakers::poll_once(waiter).is_ready()),
        "the caller that unwound gets a result, too (D107)"
    );
    assert_clean(&cache.stats());
}

/// P3, P5: a call that begins a load also reclaims; if the listener panics then, callers behind it do not wait for
/// ever.
fn a_panic_at_the_first_visit_does_not_take_the_load_along<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(7));
    let heard = |_: &u32, _: &V, _| std::panic::panic_any(Bang(1));
    let cache = cache::<R>(&sim, &loads, |c| c.shards(1), heard);
    cache.insert_with(1, Loaded::new(V::new(1)).ttl(ms(10)));
    sim.to(10);
    let mut first = cache.get(&7);
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut first))).is_err());
    // The first caller still exists, and is not polled again.
    assert_eq!(wakers::now(cache.get(&7)).ok().as_deref(), Some(&7));
    assert_eq!(cache.get_if_present(&1), None);
    drop(first);
    assert_clean(&cache.stats());
}

/// D29: the new state is complete before any user code runs, and nothing is told twice.
fn a_write_is_whole_though_the_listener_panics<R: Host>() {
    let sim = Sim::new();
    let events = Rc::new(Cell::new(0));
    let heard = events.clone();
    let heard = move |_: &u32, _: &V, _| {
        heard.set(heard.get() + 1);
        std::panic::panic_any(Bang(1))
    };
    let cache = cache::<R>(&sim, &sim.loads(never()), |c| c.shards(4).capacity(1000), heard);
    let fill = || (0..100).for_each(|key| _ = cache.insert(key, V::new(key)));
    // The stored values, and how many have left.
    let acts: [(&dyn Fn(), usize, usize); 5] = [
        (&|| cache.clear(), 0, 100),
        (&|| drop(cache.remove(&7)), 99, 1),
        (&|| _ = cache.insert(7, V::new(7)), 100, 1),
        (&|| cache.retain(|key, _| key % 2 == 0), 50, 50),
        (&|| cache.set_capacity(40), 40, 60),
    ];
    for (act, kept, left) in acts {
        fill();
        events.set(0);
        let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("the listener's panic goes out");
        assert!(panic.is::<Bang>());
        assert_eq!((cache.len(), events.get()), (kept, left));
        let _panic = catch_unwind(AssertUnwindSafe(|| cache.clear()));
    }
}

/// D45.
fn dropping_the_cache_sends_nothing<R: Host>() {
    let sim = Sim::new();
    let (events, loads) = (Events::default(), sim.loads(never()));
    let cache = cache::<R>(&sim, &loads, |c| c, events.listener());
    cache.insert(1, V::new(1));
    let mut waits = Box::pin(cache.get(&7));
    assert!(wakers::poll_once(&mut waits).is_pending());
    drop(waits);
    drop(cache);
    assert_eq!(events.take(), []);
}
