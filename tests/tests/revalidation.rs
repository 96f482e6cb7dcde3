//! Loads that are handed the value which is held, and find it still good.

use larder::{Builder, Cache, Generation, Loaded, LookupOptions, OnTimeout, TimeLeft, Ttl, policy::Lru};
use larder_tests::*;

on_every_runtime! {
    c94_unchanged
    those_who_joined
    reloaded_though_fresh
    by_a_ticket
    on_whose_terms
    for_ever
    evicted_meanwhile
    written_meanwhile
    inserted_meanwhile
    nothing_to_keep
    not_worth_keeping
    another_value
    a_failure_keeps_it
    handed_what_is_held_when_the_load_begins
    taken_over
    loaded_alone
    loaded_alone_with_nothing_to_keep
    a_use_like_any
    its_weight_stays
    held_until_room_is_needed
    held_within_a_limit
}

type Setting<R> = Builder<u32, R, Revalidating>;
type Pages<R> = Cache<u32, Revalidating, R>;

/// A cache with a TTL of 100 whose loads are handed the previous value.
fn pages<R: Host>(sim: &Sim, loads: &Loads, setup: impl FnOnce(Setting<R>) -> Setting<R>) -> Pages<R> {
    let builder = Cache::builder(R::on(sim.clock())).ttl(ms(100)).revalidate_fn(loads.revalidator());
    setup(builder).build().expect("the configuration is valid")
}

/// Age, time left and generation that caller `i` was told, in milliseconds.
#[track_caller]
fn told(sim: &Sim, i: usize) -> (u64, Option<u64>, Option<Generation>) {
    let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("{}", sim.saw(i)) };
    let left = match outcome.time_left() {
        TimeLeft::For(left) => Some(left.as_millis() as u64),
        _ => None,
    };
    (outcome.age().as_millis() as u64, left, outcome.generation())
}

/// The values that the loads were handed.
fn handed(loads: &Loads) -> Vec<Option<u32>> {
    loads.handed().into_iter().map(|previous| previous.map(|previous| **previous.value())).collect()
}

/// Asserts that nothing is left, and that this many lookups are counted, each once.
#[track_caller]
fn assert_books<R: Host>(cache: &Pages<R>, lookups: u64) {
    let stats = cache.stats();
    assert_clean(&stats);
    let ended = stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors;
    assert_eq!(ended, lookups, "{stats:?}");
}

/// C94: TTL 100, expired; the load at 300 says unchanged, 50 more: the old value, its generation, fresh until 50 after
/// the answer, and nothing has left. (P11)
fn c94_unchanged<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), after(10).unchanged().ttl(ms(50))]);
    let cache = pages::<R>(&sim, &loads, |c| c);
    let first = sim.get(&cache, 7);
    let (_, _, generation) = told(&sim, first);
    assert!(generation.is_some());
    sim.to(300);
    let again = sim.get(&cache, 7);
    sim.to(310);
    assert_eq!(sim.saw(again), "310: V1 Expired");
    assert_eq!(told(&sim, again), (310, Some(50), generation), "its age counts from its first publication");
    let previous = loads.handed().pop().flatten().expect("the second load was handed the old value");
    assert_eq!((**previous.value(), Some(previous.generation())), (1, generation));
    assert_eq!((previous.published(), previous.deadline()), (sim.time.instant(0), sim.time.instant(100)));
    sim.to(359);
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit)), ("359: V1 Hit", (359, Some(1), generation)));
    sim.to(360);
    assert!(!cache.contains(&7), "fresh until 50 after the answer, and no longer");
    assert_eq!(handed(&loads), [None, Some(1)]);
    let stats = cache.stats();
    assert_eq!((stats.stored, stats.held, stats.replaced, stats.expired_out, stats.loads_succeeded), (1, 1, 0, 0, 2));
    assert_books(&cache, 3);
}

/// All who wait have the old value, with the same age and generation. (P1, P10)
fn those_who_joined<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c);
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let crowd = sim.crowd(&cache, 7, 100);
    sim.to(310);
    for (i, caller) in crowd.into_iter().enumerate() {
        assert_eq!(sim.saw(caller), if i == 0 { "310: V1 Expired" } else { "310: V1 LockHit" });
        assert_eq!(told(&sim, caller), (310, Some(100), generation));
    }
    assert_eq!(loads.calls(), 1);
    assert_books(&cache, 100);
}

/// A fresh value is handed to its reload as well; its deadline moves, be it to an earlier time. (D97)
fn reloaded_though_fresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged().ttl(ms(20)));
    let cache = pages::<R>(&sim, &loads, |c| c);
    let generation = cache.insert(7, V::new(1));
    sim.to(30);
    let reload = sim.ask(&cache, 7, LookupOptions::new().reload());
    let meanwhile = sim.get(&cache, 7);
    assert_eq!(sim.saw(meanwhile), "30: V1 Hit");
    sim.to(40);
    assert_eq!((sim.saw(reload).as_str(), told(&sim, reload)), ("40: V1 Miss", (40, Some(20), generation)));
    assert_eq!(handed(&loads), [Some(1)]);
    sim.to(60);
    assert!(!cache.contains(&7));
    assert_books(&cache, 2);
}

/// A refresh that finds the value unchanged makes it fresh.
fn by_a_ticket<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c.stale_while_refresh(ms(50)));
    let generation = cache.insert(7, V::new(1));
    sim.to(120);
    let stale = sim.stale(&cache, 7);
    assert_eq!(sim.saw(stale), "120: V1 Stale(20) +ticket");
    sim.refresh(stale);
    sim.to(130);
    let hit = sim.stale(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit)), ("130: V1 Hit", (130, Some(100), generation)));
    assert_eq!((handed(&loads), cache.stats().stored), (vec![Some(1)], 1));
    assert_books(&cache, 2);
}

/// Unchanged without a time of its own: the call's TTL, else the cache's. (D52)
fn on_whose_terms<R: Host>() {
    for (call, left) in [(Ttl::Inherit, 100), (Ttl::For(ms(30)), 30)] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().unchanged());
        let cache = pages::<R>(&sim, &loads, |c| c);
        cache.insert(7, V::new(1));
        sim.to(300);
        let own = sim.ask(&cache, 7, LookupOptions::new().ttl(call));
        assert_eq!(told(&sim, own).1, Some(left));
        sim.to(300 + left - 1);
        assert!(cache.contains(&7));
        sim.to(300 + left);
        assert!(!cache.contains(&7));
        assert_books(&cache, 1);
    }
}

/// Unchanged for ever: it never expires again, and nothing sweeps it out. (P11)
fn for_ever<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged().ttl(Ttl::Forever));
    let cache = pages::<R>(&sim, &loads, |c| c.revalidate_within(ms(500)));
    cache.insert(7, V::new(1));
    sim.to(300);
    let own = sim.get(&cache, 7);
    assert_eq!(told(&sim, own).1, None);
    assert_eq!(cache.next_deadline(), None);
    sim.to(1_000_000);
    assert_eq!((cache.sweep(), cache.contains(&7)), (0, true));
    assert_books(&cache, 1);
}

/// A value that was evicted during its load is stored again: the same generation, the same age. (D95)
fn evicted_meanwhile<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged().ttl(ms(50)));
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(1));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let caller = sim.get(&cache, 7);
    let other = cache.insert(8, V::new(2));
    assert!(cache.peek(&7).is_none(), "it had to make room");
    sim.to(310);
    assert_eq!((sim.saw(caller).as_str(), told(&sim, caller)), ("310: V1 Expired", (310, Some(50), generation)));
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit)), ("310: V1 Hit", (310, Some(50), generation)));
    let next = cache.insert(7, V::new(3));
    assert!(next != generation && next != other, "what comes later has a generation of its own");
    let stats = cache.stats();
    assert_eq!((stats.stored, stats.held), (4, 1));
    assert_books(&cache, 2);
}

/// A value that was removed while it was loaded anew is delivered to those who wait, and not stored. (P8, D40)
fn written_meanwhile<R: Host>() {
    let writes: [fn(&Pages<R>); 3] =
        [|cache| assert!(cache.remove(&7).is_some()), |cache| cache.clear(), |cache| cache.retain(|_, _| false)];
    for write in writes {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(10).unchanged(), ready().gives(2)]);
        let cache = pages::<R>(&sim, &loads, |c| c);
        cache.insert(7, V::new(1));
        sim.to(50);
        let early = [(); 2].map(|()| sim.ask(&cache, 7, LookupOptions::new().reload()));
        write(&cache);
        let late = sim.get(&cache, 7);
        assert_eq!(sim.saw(late), "50: V2 Miss");
        sim.to(60);
        assert_eq!(early.map(|i| sim.saw(i)), ["60: V1 Miss", "60: V1 LockHit"]);
        assert_eq!(early.map(|i| told(&sim, i)), [(60, Some(0), None); 2], "an old answer, and not stored");
        let hit = sim.get(&cache, 7);
        assert_eq!(sim.saw(hit), "60: V2 Hit");
        assert_eq!(handed(&loads), [Some(1), None]);
        assert_books(&cache, 4);
    }
}

/// An insert ends the wait, and an old value that is still good does not undo it. (P8, D39)
fn inserted_meanwhile<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c);
    cache.insert(7, V::new(1));
    sim.to(300);
    let caller = sim.get(&cache, 7);
    let generation = cache.insert(7, V::new(2));
    sim.run();
    assert_eq!((sim.saw(caller).as_str(), told(&sim, caller).2), ("300: V2 Expired", generation));
    sim.to(310);
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), told(&sim, hit).2, loads.live()), ("310: V2 Hit", generation, 0));
    assert_books(&cache, 2);
}

/// Unchanged where nothing was handed over is a failure, shared and cached like any. (P4)
fn nothing_to_keep<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).unchanged(), ready().gives(1)]);
    let cache = pages::<R>(&sim, &loads, |c| c.error_ttl(ms(50)));
    let crowd = sim.crowd(&cache, 7, 3);
    sim.to(10);
    for caller in crowd {
        assert_eq!(sim.saw(caller), "10: NothingToKeep");
    }
    let cached = sim.get(&cache, 7);
    assert_eq!(sim.saw(cached), "10: NothingToKeep cached");
    assert!(cache.is_empty());
    sim.to(60);
    let afresh = sim.get(&cache, 7);
    assert_eq!(sim.saw(afresh), "60: V1 Miss");
    let stats = cache.stats();
    assert_eq!((stats.loads_failed, stats.loads_succeeded, stats.errors), (1, 1, 4));
    assert_books(&cache, 5);
}

/// Unchanged, and not to be stored: delivered to all who wait, and gone. (P10)
fn not_worth_keeping<R: Host>() {
    for ttl in [Ttl::NotStored, Ttl::For(ms(0))] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(10).unchanged().ttl(ttl));
        let cache = pages::<R>(&sim, &loads, |c| c);
        cache.insert(7, V::new(1));
        // Fresh, so that what takes it out is the answer.
        sim.to(50);
        let reload = sim.ask(&cache, 7, LookupOptions::new().reload());
        let joined = sim.ask(&cache, 7, LookupOptions::new().reload());
        sim.to(60);
        assert_eq!([sim.saw(reload), sim.saw(joined)], ["60: V1 Miss", "60: V1 LockHit"]);
        assert_eq!([told(&sim, reload), told(&sim, joined)], [(60, Some(0), None); 2]);
        assert!(cache.peek(&7).is_none());
        let stats = cache.stats();
        assert_eq!((stats.held, stats.removed, stats.expired_out), (0, 1, 0));
        assert_books(&cache, 2);
    }
}

/// Another value takes the old one's place, with an age and a generation of its own.
fn another_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(2));
    let cache = pages::<R>(&sim, &loads, |c| c);
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let caller = sim.get(&cache, 7);
    sim.to(310);
    let (age, left, next) = told(&sim, caller);
    assert_eq!((sim.saw(caller).as_str(), age, left), ("310: V2 Expired", 0, Some(100)));
    assert!(next.is_some() && next != generation);
    assert_eq!(handed(&loads), [Some(1)]);
    assert_books(&cache, 1);
}

/// A load that fails leaves the value, for staleness limits to judge and for the next load to be handed.
fn a_failure_keeps_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).fails(1), after(10).panics(2), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.stale_if_error(ms(250)));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let soft = sim.get(&cache, 7);
    sim.to(340);
    assert_eq!(sim.saw(soft), "310: V1 Stale(210) +E1");
    sim.get(&cache, 7);
    let late = sim.get(&cache, 7);
    sim.to(400);
    assert_eq!(sim.saw(late), "350: V1 Stale(250) +Panicked");
    let good = sim.get(&cache, 7);
    sim.to(410);
    assert_eq!((sim.saw(good).as_str(), told(&sim, good)), ("410: V1 Expired", (410, Some(100), generation)));
    assert_eq!(handed(&loads), [Some(1); 3]);
    // The one who unwound is counted nowhere.
    assert_books(&cache, 3);
}

/// What is handed over is what is held when the load begins, not when it is claimed.
fn handed_what_is_held_when_the_load_begins<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(3));
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(1).stale_while_refresh(ms(500)));
    cache.insert(7, V::new(1));
    sim.to(300);
    let stale = sim.stale(&cache, 7);
    cache.insert(8, V::new(2));
    sim.refresh(stale);
    assert_eq!(handed(&loads), [None]);
    assert_books(&cache, 1);
}

/// Each attempt is handed the value; the first to find it unchanged ends the wait of all. (P6)
fn taken_over<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.lock_age(ms(20)));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let first = sim.get(&cache, 7);
    sim.to(330);
    let second = sim.get(&cache, 7);
    sim.to(340);
    assert_eq!([sim.saw(first), sim.saw(second)], ["340: V1 Expired", "340: V1 Expired"]);
    assert_eq!([told(&sim, first), told(&sim, second)], [(340, Some(100), generation); 2]);
    assert_eq!((handed(&loads), loads.live()), (vec![Some(1); 2], 0));
    assert_books(&cache, 2);
}

/// Who loads alone is handed the value as well; what he finds is his alone, and the stored one stays as it is. (D25)
fn loaded_alone<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.lock_timeout(ms(20), OnTimeout::LoadAlone));
    let generation = cache.insert(7, V::new(1));
    sim.to(300);
    let first = sim.get(&cache, 7);
    let alone = sim.get(&cache, 7);
    sim.to(330);
    assert_eq!((sim.saw(alone).as_str(), told(&sim, alone)), ("330: V1 Expired", (330, Some(0), generation)));
    assert_eq!(handed(&loads), [Some(1); 2]);
    assert!(!cache.contains(&7), "nothing is stored");
    sim.drop(first);
    assert_books(&cache, 1);
}

/// Who loads alone and finds nothing changed where nothing was has the same failure as others.
fn loaded_alone_with_nothing_to_keep<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.lock_timeout(ms(20), OnTimeout::LoadAlone));
    let first = sim.get(&cache, 7);
    let alone = sim.get(&cache, 7);
    sim.to(30);
    assert_eq!(sim.saw(alone), "30: NothingToKeep");
    let stats = cache.stats();
    assert_eq!((stats.loads_failed, stats.loads_succeeded), (1, 0));
    sim.drop(first);
    assert_books(&cache, 1);
}

/// To the policy a renewal is a use, as a new value would be.
fn a_use_like_any<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged());
    let builder = Cache::builder(R::on(sim.clock())).ttl(ms(100)).policy::<Lru>().capacity(2).shards(1);
    let cache = builder.revalidate_fn(loads.revalidator()).build().expect("the configuration is valid");
    cache.insert(7, V::new(1));
    cache.insert(8, V::new(2));
    sim.to(300);
    let seven = {
        let cache = cache.clone();
        sim.call(async move { cache.lookup(&7, LookupOptions::new()).await })
    };
    assert_eq!(sim.saw(seven), "300: V1 Expired");
    cache.insert(9, V::new(3));
    assert!(cache.contains(&7) && cache.peek(&8).is_none(), "8 was used longer ago");
    assert_clean(&cache.stats());
}

/// What was said of a value's weight still holds, also if it has to be stored again. (P12)
fn its_weight_stays<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1).weight(3), after(10).unchanged()]);
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(4).shards(1));
    sim.get(&cache, 7);
    for evicts in [false, true] {
        sim.to(if evicts { 600 } else { 300 });
        sim.ask(&cache, 7, LookupOptions::new().weight(1));
        if evicts {
            cache.insert_with(8, Loaded::new(V::new(2)).weight(4));
            assert!(cache.peek(&7).is_none());
        }
        sim.to(if evicts { 610 } else { 310 });
        assert_eq!((cache.contains(&7), cache.weight()), (true, 3));
    }
    assert_books(&cache, 3);
}

/// By default an expired value is held until its room is needed. (P12)
fn held_until_room_is_needed<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().unchanged());
    let cache = pages::<R>(&sim, &loads, |c| c.capacity(1));
    cache.insert(7, V::new(1));
    sim.to(1_000_000);
    assert_eq!((cache.sweep(), cache.next_deadline(), cache.len()), (0, None, 1));
    let caller = sim.get(&cache, 7);
    assert_eq!(sim.saw(caller), "1000000: V1 Expired");
    cache.insert(8, V::new(2));
    assert_eq!(cache.len(), 1);
    assert_books(&cache, 1);
}

/// With a limit it is held that long and no longer, or as long as it may be served stale. (D56)
fn held_within_a_limit<R: Host>() {
    for (stale, limit, held) in [(0, 50, 50), (80, 50, 80), (80, 200, 200)] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(2));
        let cache = pages::<R>(&sim, &loads, |c| c.stale_while_refresh(ms(stale)).revalidate_within(ms(limit)));
        cache.insert(7, V::new(1));
        sim.to(100 + held);
        assert_eq!(cache.sweep(), 0, "a load at this very instant is handed it");
        sim.to(101 + held);
        assert_eq!((cache.sweep(), cache.len()), (1, 0));
        let caller = sim.get(&cache, 7);
        assert_eq!((sim.saw(caller), handed(&loads)), (format!("{}: V2 Miss", 101 + held), vec![None]));
        assert_books(&cache, 1);
    }
}
