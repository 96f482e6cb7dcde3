//! Changes of an entry that depend on its value.

use std::{cell::RefCell, rc::Rc, thread};

use larder::{
    Cache, Change, ComputeError, Computed, Loaded, LookupOptions, ManualClock, RemovalCause, TimeLeft, Tuned,
    policy::Lru,
};
use larder_tests::*;

on_every_runtime! {
    a_value_does_not_leave_for_the_one_that_is_computed_of_it
    it_is_a_write_only_if_it_changed_something
    an_entry_that_changed_meanwhile_is_shown_again
    a_value_that_was_expired_meanwhile_is_shown_no_more
    only_what_is_fresh_is_shown
    it_tells_what_became_of_a_value_that_cannot_be_stored
    c108_compute_ends
    a_panic_of_the_closure_changes_nothing
    it_counts_as_a_use_and_not_as_a_lookup
    d5_what_is_stored_lives_from_when_the_closure_returned
    c112_what_expires_meanwhile_is_shown_no_more
}

/// D41: a load in flight goes on, and is stored, if an entry call keeps the value; a change voids it. (P8)
fn it_is_a_write_only_if_it_changed_something<R: Host>() {
    type Choice = fn(Option<&V>) -> Change<V>;
    let (one, nine) = (V::new(1), V::new(9));
    let choices: [(Choice, Computed<V>, Option<u32>, &str); 4] = [
        (|_| Change::Keep, Computed::Kept(Some(one.clone())), Some(2), "50: V2 Miss"),
        (|_| Change::Remove, Computed::Removed(one.clone()), None, "50: V2 Miss"),
        (|_| Change::Store(Loaded::new(V::new(9))), Computed::Replaced(nine), Some(9), "0: V9 Miss"),
        (|_| Change::Store(Loaded::new(V::new(9)).ttl(Duration::ZERO)), Computed::Removed(one), None, "50: V2 Miss"),
    ];
    for (choice, does, afterwards, saw) in choices {
        let mut sim = Sim::new();
        let cache = sim.cache::<R>(&sim.loads(after(50).gives(2)), |c| c);
        cache.insert(7, V::new(1));
        let refresh = sim.ask(&cache, 7, LookupOptions::new().reload());
        let computed = cache.compute(&7, choice).expect("no other call writes");
        assert_eq!(computed, does);
        sim.to(50);
        assert_eq!(sim.saw(refresh), saw);
        assert_eq!(cache.get_if_present(&7).map(|v| *v), afterwards);
        assert_clean(&cache.stats());
    }
    // Nothing is stored: removing it is not a write either.
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(after(50).gives(2)), |c| c);
    sim.get(&cache, 7);
    assert_eq!(cache.compute(&7, |_| Change::Remove), Ok(Computed::Kept(None)));
    sim.to(50);
    assert!(cache.contains(&7));
}

/// D44: the closure runs on a copy, outside the lock, and again if the entry changed meanwhile.
fn an_entry_that_changed_meanwhile_is_shown_again<R: Host>() {
    let others: [(fn(&Scripted<R>), Option<u32>); 5] = [
        (|cache| _ = cache.insert(7, V::new(1)), Some(1)),
        (|cache| _ = cache.insert(7, V::new(5)), Some(5)),
        (|cache| drop(cache.remove(&7)), None),
        (|cache| _ = cache.expire(&7), None),
        (Cache::clear, None),
    ];
    for (other, then) in others {
        for removes in [false, true] {
            let sim = Sim::new();
            let cache = sim.cache::<R>(&sim.loads(never()), |c| c.stale_if_error(ms(50)).ttl(ms(1000)));
            cache.insert(7, V::new(1));
            let mut seen = Vec::new();
            let left = cache.compute(&7, |present| {
                seen.push(present.map(|v| **v));
                if seen.len() == 1 {
                    other(&cache);
                }
                if removes { Change::Remove } else { Change::Store(Loaded::new(V::new(10 + seen.len() as u32))) }
            });
            assert_eq!(seen, [Some(1), then], "numbers decide, never values");
            let did = match (removes, then) {
                (true, Some(then)) => Computed::Removed(V::new(then)),
                (true, None) => Computed::Kept(None),
                (false, Some(_)) => Computed::Replaced(V::new(12)),
                (false, None) => Computed::Inserted(V::new(12)),
            };
            assert_eq!(left, Ok(did));
            assert_eq!(cache.get_if_present(&7).map(|v| *v), (!removes).then_some(12));
        }
    }
}

/// D36: an expired value counts as absent, although it is held.
fn only_what_is_fresh_is_shown<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.ttl(ms(100)).stale_if_error(ms(1000)));
    cache.insert(7, V::new(1));
    sim.to(99);
    assert_eq!(cache.compute(&7, |_| Change::Keep), Ok(Computed::Kept(Some(V::new(1)))));
    sim.to(100);
    let unseen = |change: Change<V>| {
        move |present: Option<&V>| {
            assert!(present.is_none());
            change.clone()
        }
    };
    assert_eq!(cache.compute(&7, unseen(Change::Keep)), Ok(Computed::Kept(None)));
    assert_eq!(cache.compute(&7, unseen(Change::Remove)), Ok(Computed::Kept(None)));
    assert_eq!(cache.len(), 1, "no write, so it is still held");
    assert_eq!(cache.compute(&7, unseen(Change::Store(Loaded::new(V::new(2))))), Ok(Computed::Inserted(V::new(2))));
    sim.to(199);
    assert_eq!(cache.get_if_present(&7).as_deref(), Some(&2), "its lifetime counts from the change");
    assert_clean(&cache.stats());
}

/// A value that cannot be stored is not the key's value afterwards.
fn it_tells_what_became_of_a_value_that_cannot_be_stored<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(10).shards(1));
    let add = |weight| {
        move |present: Option<&V>| Change::Store(Loaded::new(V::new(present.map_or(1, |v| **v + 1))).weight(weight))
    };
    assert_eq!(cache.compute(&7, add(1)), Ok(Computed::Inserted(V::new(1))));
    assert_eq!(cache.compute(&7, add(5)), Ok(Computed::Replaced(V::new(2))));
    assert_eq!(cache.weight(), 5);
    assert_eq!(cache.compute(&7, add(11)), Ok(Computed::Removed(V::new(2))));
    assert!(cache.is_empty(), "a refused value ends what was stored under its key");
    assert_eq!(cache.compute(&7, |_| Change::Store(Loaded::new(V::new(3)).weight(11))), Ok(Computed::Kept(None)));
}

/// C108: beside a writer that writes the same key all the time, it gives up and has changed nothing. (D41)
fn c108_compute_ends<R: Host>() {
    type Write<R> = fn(&Scripted<R>, u32);
    let store = || Change::Store(Loaded::new(V::new(0)));
    let insert: Write<R> = |cache, run| _ = cache.insert(7, V::new(run));
    let both: Write<R> = |cache, run| {
        _ = if run % 2 == 0 { cache.remove(&7).map(drop) } else { cache.insert(7, V::new(run)).map(drop) };
    };
    let ways: [(fn() -> Change<V>, _); 3] = [(|| Change::Remove, insert), (store, insert), (store, both)];
    for (choice, write) in ways {
        let sim = Sim::new();
        let cache = sim.cache::<R>(&sim.loads(never()), |c| c);
        cache.insert(7, V::new(1));
        let compute = |most| {
            let mut run = 0;
            let computed = cache.compute(&7, |_| {
                run += 1;
                if run <= most {
                    write(&cache, run);
                }
                choice()
            });
            (run, computed)
        };
        let (run, computed) = compute(u32::MAX);
        assert_eq!((run, computed), (64, Err(ComputeError::Contended)));
        assert_ne!(cache.get_if_present(&7), Some(V::new(0)), "the last write stands");
        let (run, computed) = compute(10);
        assert!(run == 11 && computed.is_ok(), "{run}: {computed:?}");
    }
}

/// P5.
fn a_panic_of_the_closure_changes_nothing<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c);
    cache.insert(7, V::new(1));
    let compute = || cache.compute(&7, |_| std::panic::panic_any(Bang(1)));
    assert!(std::panic::catch_unwind(core::panic::AssertUnwindSafe(compute)).is_err());
    assert_eq!(cache.compute(&7, |_| Change::Keep), Ok(Computed::Kept(Some(V::new(1)))));
    assert_clean(&cache.stats());
}

/// D53, D85: it counts as a use, so other values leave first; the statistics count lookups only.
fn it_counts_as_a_use_and_not_as_a_lookup<R: Host>() {
    let sim = Sim::new();
    let cache = Cache::builder_with(R::on(sim.clock()), Tuned::<Lru>::new())
        .capacity(2)
        .shards(1)
        .loader(sim.loads(never()))
        .build()
        .expect("valid");
    cache.insert(1, V::new(1));
    cache.insert(2, V::new(2));
    let kept = cache.compute(&1, |_| Change::Keep);
    assert_eq!(kept, Ok(Computed::Kept(Some(V::new(1)))));
    cache.insert(3, V::new(3));
    assert!(cache.contains(&1) && !cache.contains(&2));
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (0, 0));
}

/// P8: on real threads no change is lost.
#[test]
fn a_count_kept_by_many_threads_is_right() {
    const EACH: u32 = 2000;
    let cache = Cache::<u32, u32, Boom, _>::builder(larder::parts::Std::new(ManualClock::new()));
    let cache = cache.build().expect("valid");
    let add = |present: Option<&u32>| Change::Store(Loaded::new(present.map_or(1, |count| count + 1)));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..EACH).for_each(|_| while cache.compute(&7, add).is_err() {}));
        }
    });
    assert_eq!(cache.get_if_present(&7), Some(4 * EACH));
}

/// D96: the closure may have seen a value that `expire` has ended, so it runs again, although time has passed.
fn a_value_that_was_expired_meanwhile_is_shown_no_more<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready());
    let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(100)));
    cache.insert(7, V::new(1));
    let mut seen = Vec::new();
    let stored = cache.compute(&7, |present| {
        seen.push(present.map(|value| **value));
        if seen.len() == 1 {
            sim.jump(5);
            cache.expire(&7);
        }
        Change::Store(Loaded::new(V::new(present.map_or(0, |value| **value + 1))))
    });
    assert_eq!((seen, stored), (vec![Some(1), None], Ok(Computed::Inserted(V::new(0)))));
}

/// D5: as a load's answer does, it lives from then on, however long the closure took.
fn d5_what_is_stored_lives_from_when_the_closure_returned<R: Host>() {
    let mut sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.ttl(ms(100)));
    let computed = cache.compute(&7, |_| {
        sim.jump(150);
        Change::Store(Loaded::new(V::new(1)))
    });
    assert_eq!(computed, Ok(Computed::Inserted(V::new(1))));
    let held = cache.peek(&7).expect("it is stored");
    assert_eq!((held.age(), held.time_left()), (ms(0), TimeLeft::For(ms(100))));
}

/// C112, D38: a value that expires while the closure runs is neither replaced nor removed by it.
fn c112_what_expires_meanwhile_is_shown_no_more<R: Host>() {
    for removes in [false, true] {
        let mut sim = Sim::new();
        let cache = sim.cache::<R>(&sim.loads(never()), |c| c.ttl(ms(100)));
        cache.insert(7, V::new(1));
        sim.to(50);
        let mut seen = Vec::new();
        let computed = cache.compute(&7, |present| {
            seen.push(present.map(|value| **value));
            if seen.len() == 1 {
                sim.jump(150);
            }
            if removes { Change::Remove } else { Change::Store(Loaded::new(V::new(2))) }
        });
        let told = if removes { Computed::Kept(None) } else { Computed::Inserted(V::new(2)) };
        assert_eq!((seen, computed), (vec![Some(1), None], Ok(told)));
        assert_eq!((cache.stats().expired_out, cache.stats().removed), (1, 0));
    }
}

/// D44: where others have to leave for the new value, the old one of its key does not, and the closure runs once.
fn a_value_does_not_leave_for_the_one_that_is_computed_of_it<R: Host>() {
    for (shards, old, new) in [(2, 3, 4), (4, 1, 4), (16, 5, 8), (4, 4, 2), (4, 4, 4)] {
        for key in 0..16 {
            let sim = Sim::new();
            let left = Rc::new(RefCell::new(Vec::new()));
            let tells = Rc::clone(&left);
            let cache = sim.cache::<R>(&sim.loads(never()), |c| {
                let c = c.listener(move |key, _, cause| tells.borrow_mut().push((*key, cause)));
                c.shards(shards).capacity(8)
            });
            (100..108).for_each(|key| _ = cache.insert(key, V::new(0)));
            cache.insert_with(key, Loaded::new(V::new(1)).weight(old));
            let mut runs = 0;
            let told = cache.compute(&key, |present| {
                runs += 1;
                assert_eq!(present, Some(&V::new(1)), "of {shards}");
                Change::Store(Loaded::new(V::new(2)).weight(new))
            });
            assert_eq!((told, runs), (Ok(Computed::Replaced(V::new(2))), 1));
            assert!(cache.contains(&key) && cache.weight() <= 8);
            let own: Vec<_> = left.take().into_iter().filter(|left| left.0 == key).collect();
            assert_eq!(own, [(key, RemovalCause::Replaced)]);
            assert_clean(&cache.stats());
        }
    }
}
