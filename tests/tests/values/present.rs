//! Lookups that load nothing, and entries with all their details.

use core::panic::AssertUnwindSafe;
use std::{panic::catch_unwind, thread};

use larder::{
    Cache, Change, Entry, Generation, Loaded, ManualClock, Status, TimeLeft, Ttl, Tuned, parts::Std, policy::Lru,
};
use larder_tests::*;

on_every_runtime! {
    a_look_tells_all_and_counts
    a_look_is_a_use
    what_is_at_hand_is_stored_once
    what_is_at_hand_ends_the_wait
    what_is_at_hand_and_not_stored
    the_closure_calls_the_cache
    the_closure_panics
    d49_each_gives_back_what_has_expired
    entries_tell_all
    d110_what_is_at_hand_may_be_older
}

/// D36, D85: it returns a fresh value and its age, and counts once as hit, miss or expired; it begins no load.
fn a_look_tells_all_and_counts<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(1000)));
    assert!(cache.lookup_if_present(&7).is_none());
    let generation = cache.insert(7, V::new(1));
    sim.to(30);
    let found = cache.lookup_if_present(&7).expect("it is fresh");
    assert_eq!((**found.value(), found.status(), found.age()), (1, Status::Hit, ms(30)));
    assert_eq!((found.time_left(), found.generation()), (TimeLeft::For(ms(70)), generation));
    assert_eq!((found.led(), found.attempt(), found.waited()), (false, None, Duration::ZERO));
    sim.to(100);
    assert!(cache.lookup_if_present(&7).is_none());
    assert!(cache.peek(&7).is_some(), "held, and not shown");
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.expired), (1, 1, 1));
    assert_eq!((stats.lookups(), stats.hit_ratio()), (3, 1.0 / 3.0));
    assert_eq!(loads.calls(), 0);
}

/// D53: it extends the idle time, and other values leave first when room is needed.
fn a_look_is_a_use<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.time_to_idle(ms(100)));
    cache.insert(7, V::new(1));
    for to in [90, 180, 270] {
        sim.to(to);
        assert!(cache.lookup_if_present(&7).is_some(), "{to}");
    }
    let builder = Cache::builder_with(R::on(sim.clock()), Tuned::<Lru>::new()).capacity(2).shards(1);
    let cache = builder.loader(sim.loads(never())).build().expect("valid");
    cache.insert(1, V::new(1));
    cache.insert(2, V::new(2));
    assert!(cache.lookup_if_present(&1).is_some());
    cache.insert(3, V::new(3));
    assert!(cache.contains(&1) && !cache.contains(&2));
}

/// The closure runs on a miss only, and the outcome shows whether it was one. (D85)
fn what_is_at_hand_is_stored_once<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.ttl(ms(100)).stale_if_error(ms(1000)));
    let calls = Cell::new(0);
    let make = || {
        calls.set(calls.get() + 1);
        V::new(calls.get())
    };
    let saw = |status| {
        let outcome = cache.get_or_insert(&7, make);
        assert_eq!(outcome.status(), status);
        assert_eq!(outcome.generation(), cache.peek(&7).and_then(|found| found.generation()));
        (**outcome.value(), outcome.age(), outcome.time_left())
    };
    assert_eq!(saw(Status::Miss), (1, ms(0), TimeLeft::For(ms(100))));
    sim.to(40);
    assert_eq!(saw(Status::Hit), (1, ms(40), TimeLeft::For(ms(60))));
    sim.to(100);
    assert_eq!(saw(Status::Expired), (2, ms(0), TimeLeft::For(ms(100))));
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.expired, stats.stored), (1, 1, 1, 2));
    assert_clean(&stats);
}

/// P8, D39: waiting callers get the inserted value, the load is dropped, and its value is not stored.
fn what_is_at_hand_ends_the_wait<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let waiting = [(); 2].map(|()| sim.get(&cache, 7));
    sim.to(20);
    assert_eq!(**cache.get_or_insert(&7, || V::new(9)).value(), 9);
    assert_eq!(loads.live(), 0);
    sim.to(100);
    assert_eq!(waiting.map(|i| sim.saw(i)), ["20: V9 Miss", "20: V9 LockHit"]);
    assert_eq!(cache.get_if_present(&7), Some(V::new(9)));
    assert_clean(&cache.stats());
}

/// P10: a value that cannot be stored is returned all the same, and ends the wait unless it is not to be stored. (D39)
fn what_is_at_hand_and_not_stored<R: Host>() {
    let heavy = || Loaded::new(V::new(9)).weight(11);
    let brief = || Loaded::new(V::new(9)).ttl(Ttl::NotStored);
    for (make, saw) in [(heavy as fn() -> Loaded<V>, "20: V9 Miss"), (brief, "50: V1 Miss")] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(50).gives(1));
        let cache = sim.cache::<R>(&loads, |c| c.capacity(10).shards(1));
        let waits = sim.get(&cache, 7);
        sim.to(20);
        let outcome = cache.get_or_insert_with(&7, make);
        assert_eq!((**outcome.value(), outcome.status()), (9, Status::Miss));
        assert_eq!((outcome.generation(), outcome.time_left()), (None, TimeLeft::For(ms(0))));
        sim.to(50);
        assert_eq!(sim.saw(waits), saw);
        assert!(cache.is_empty());
        assert_clean(&cache.stats());
    }
}

/// D44: a value that the closure or another caller has stored meanwhile stays, and counts as a hit.
fn the_closure_calls_the_cache<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c);
    let outcome = cache.get_or_insert(&7, || {
        assert_eq!(**cache.get_or_insert(&7, || V::new(1)).value(), 1);
        V::new(2)
    });
    assert_eq!((**outcome.value(), outcome.status()), (1, Status::Hit));
    let outcome = cache.get_or_insert(&8, || {
        cache.insert(8, V::new(3));
        cache.remove(&8);
        V::new(4)
    });
    assert_eq!((**outcome.value(), outcome.status()), (4, Status::Miss));
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.held), (1, 2, 2));
}

/// P5: nothing was looked up, stored or voided then.
fn the_closure_panics<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let waits = sim.get(&cache, 7);
    let unwound = catch_unwind(AssertUnwindSafe(|| cache.get_or_insert(&7, || std::panic::panic_any(Bang(1)))));
    assert!(unwound.is_err_and(|panic| panic.is::<Bang>()));
    sim.to(50);
    assert_eq!(sim.saw(waits), "50: V1 Miss");
    assert_eq!(cache.stats().lookups(), 1);
    assert_clean(&cache.stats());
}

/// D49: also if there are no other calls, and each call finds its key.
fn d49_each_gives_back_what_has_expired<R: Host>() {
    let calls: [fn(&Scripted<R>, Generation); 7] = [
        |cache, _| assert!(cache.lookup_if_present(&7).is_some()),
        |cache, _| assert_eq!(cache.get_or_insert(&7, || V::new(0)).status(), Status::Hit),
        |cache, _| assert!(cache.compute(&7, |_| Change::Keep).is_ok()),
        |cache, _| assert!(cache.remove(&8).is_none()),
        |cache, _| assert!(!cache.expire(&8)),
        |cache, other| assert!(!cache.invalidate_if(&8, other)),
        |cache, other| assert!(!cache.invalidate_if(&7, other)),
    ];
    for (at, call) in calls.into_iter().enumerate() {
        // With a listener, nothing goes the short way.
        for is_heard in [false, true] {
            let mut sim = Sim::new();
            let cache = sim.cache::<R>(&sim.loads(never()), |c| {
                let c = c.shards(1);
                if is_heard { c.listener(|_, _, _| {}) } else { c }
            });
            let other = cache.insert(7, V::new(7)).expect("stored");
            cache.insert(7, V::new(7));
            cache.insert(9, V::new(9));
            (100..200).for_each(|key| _ = cache.insert_with(key, Loaded::new(V::new(key)).ttl(ms(100))));
            sim.to(100);
            // What it gives back is not what it returns.
            assert_eq!(cache.remove(&9).as_deref(), Some(&9));
            (0..1600).for_each(|_| call(&cache, other));
            assert_eq!(cache.len(), 1, "{at}");
        }
    }
}

/// Age, time left, weight and generation are those of `peek`; expired entries are not shown. (D36)
fn entries_tell_all<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.stale_if_error(ms(1000)));
    for (key, at) in [(1, 0), (2, 10), (3, 20)] {
        sim.to(at);
        let ttl = if key == 3 { Ttl::Forever } else { Ttl::For(ms(100)) };
        cache.insert_with(key, Loaded::new(V::new(key)).ttl(ttl).weight(u64::from(key)));
    }
    sim.to(100);
    let mut entries: Vec<Entry<u32, V>> = cache.entries().collect();
    entries.sort_by_key(|entry| *entry.key());
    let told: Vec<_> = entries.iter().map(|entry| (*entry.key(), entry.weight(), entry.age())).collect();
    assert_eq!(told, [(2, 2, ms(90)), (3, 3, ms(80))]);
    for entry in entries {
        let found = cache.peek(entry.key()).expect("it is there");
        assert_eq!((entry.age(), entry.time_left()), (found.age(), found.time_left()));
        assert_eq!((entry.value(), Some(entry.generation())), (found.value(), found.generation()));
    }
}

/// D110: it is told as what is stored: its age counts from when it was published, and what comes expired is stale.
fn d110_what_is_at_hand_may_be_older<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.ttl(ms(100)).stale_if_error(ms(50)));
    sim.to(1000);
    let old = |since| Loaded::new(V::new(1)).stale(ms(since));
    let ways: [(Loaded<V>, Status, u64, u64); 6] = [
        (Loaded::new(V::new(1)).aged(ms(20)), Status::Miss, 20, 80),
        (old(5), Status::Stale(ms(5)), 0, 0),
        (old(5).aged(ms(30)), Status::Stale(ms(5)), 30, 0),
        (Loaded::new(V::new(1)).aged(ms(130)), Status::Stale(ms(30)), 130, 0),
        // Of no more use, and told all the same.
        (old(70).aged(ms(80)), Status::Stale(ms(70)), 80, 0),
        (Loaded::new(V::new(1)).ttl(Ttl::NotStored).aged(ms(20)), Status::Miss, 20, 0),
    ];
    for (key, (loaded, status, age, left)) in (0..).zip(ways) {
        let told = cache.get_or_insert_with(&key, || loaded);
        assert_eq!((told.status(), told.age(), told.time_left()), (status, ms(age), TimeLeft::For(ms(left))), "{key}");
        let held = cache.peek(&key);
        assert_eq!(held.is_some(), key < 4);
        if let Some(held) = held {
            assert_eq!((held.age(), held.generation()), (told.age(), told.generation()), "{key}");
        }
    }
    let stats = cache.stats();
    assert_eq!((stats.misses, stats.stale, stats.expired), (2, 4, 0));
    assert_clean(&stats);
}

/// P1: of many threads that bring a value for a key, one stores it, and all get that value.
#[test]
fn of_many_threads_one_stores() {
    let cache: Cache<u32, u32, Boom, _> = Cache::builder(Std::new(ManualClock::new())).build().expect("valid");
    for key in 0..500 {
        let had: Vec<u32> = thread::scope(|scope| {
            let threads = [1, 2, 3].map(|own| {
                let cache = &cache;
                scope.spawn(move || cache.get_or_insert(&key, || own).into_value())
            });
            threads.map(|thread| thread.join().expect("no panic")).into()
        });
        assert_eq!(had, [cache.get_if_present(&key).expect("stored"); 3]);
    }
    assert_eq!((cache.stats().stored, cache.stats().lookups()), (500, 2000));
}
