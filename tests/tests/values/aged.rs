//! Answers that were published before, or that have expired before they come.

use larder::{Loaded, LookupOptions, OnTimeout, Status, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    d110_published_before
    d110_of_many_keys
    d110_stale_when_it_comes
    d110_the_refresh_is_shared
    d110_after_a_write
    d110_by_hand
    d110_in_a_slot
    d110_what_is_not_stored
}

/// The age and the time left of what is held, in milliseconds.
fn seen<R: Host>(cache: &Scripted<R>, key: u32) -> Option<(u128, u128)> {
    let found = cache.peek(&key)?;
    let TimeLeft::For(left) = found.time_left() else { panic!("it expires") };
    Some((found.age().as_millis(), left.as_millis()))
}

/// D110: its age and its lifetime count from then, wherever the lifetime is set.
fn d110_published_before<R: Host>() {
    for by_load in [true, false] {
        let mut sim = Sim::new();
        let script = after(30).gives(1).aged(20);
        let loads = sim.loads(if by_load { script.ttl(ms(100)) } else { script });
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(if by_load { 7 } else { 100 })));
        sim.to(1000);
        let callers = sim.crowd(&cache, 7, 2);
        sim.to(1030);
        for (caller, saw) in callers.into_iter().zip(["1030: V1 Miss", "1030: V1 LockHit"]) {
            assert_eq!(sim.saw(caller), saw);
            let Answer::Outcome(outcome, _) = sim.answer(caller) else { panic!("{}", sim.saw(caller)) };
            assert_eq!((outcome.age(), outcome.time_left()), (ms(20), TimeLeft::For(ms(80))));
        }
        sim.to(1109);
        assert_eq!(seen(&cache, 7), Some((99, 1)));
        sim.to(1110);
        assert!(!cache.contains(&7));
        assert_clean(&cache.stats());
    }
}

/// D110: each answer of a load of many keys is as old as it says.
fn d110_of_many_keys<R: Host>() {
    let mut sim = Sim::new();
    let says = |keys: &[u32]| {
        keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)).aged(ms(10 * u64::from(*key)))))).collect()
    };
    let batches = Batches::saying(&sim.time, |_, _| ready(), says);
    let cache = sim.batched::<R>(&batches, |c| c.ttl(ms(25)).stale_while_refresh(ms(100)));
    sim.to(1000);
    let many = sim.many(&cache, &[1, 2, 3]);
    assert_eq!(sim.saw(many), "1000: V1 Miss, V2 Miss, V3 Stale(5)");
    assert_eq!([1, 2, 3].map(|key| seen(&cache, key)), [Some((10, 15)), Some((20, 5)), Some((30, 0))]);
    assert_clean(&cache.stats());
}

/// D110, P10: all who wait have it, by whatever call; within the limits it is served from then on, and refreshed.
fn d110_stale_when_it_comes<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).gives(1).stale(5), after(10).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(30)));
    sim.to(1000);
    let (plain, stale, hurried) = (
        sim.get(&cache, 7),
        sim.stale(&cache, 7),
        sim.ask(&cache, 7, LookupOptions::new().lock_timeout(ms(50), OnTimeout::Fail)),
    );
    sim.to(1010);
    for caller in [plain, stale, hurried] {
        assert_eq!(sim.saw(caller), "1010: V1 Stale(5)");
    }
    assert_eq!(cache.peek(&7).map(|found| found.status()), Some(Status::Stale(ms(5))));
    sim.to(1035);
    let (first, second) = (sim.stale(&cache, 7), sim.stale(&cache, 7));
    assert_eq!(sim.saw(second), "1035: V1 Stale(30)");
    let refresh = sim.refresh(first);
    sim.to(1045);
    assert!(sim.saw(refresh).starts_with("1045"), "{}", sim.saw(refresh));
    let hit = sim.get(&cache, 7);
    assert_eq!((sim.saw(hit).as_str(), loads.calls()), ("1045: V2 Hit", 2));
    let stats = cache.stats();
    assert_eq!((stats.stale, stats.hits), (5, 1));
    assert_clean(&stats);
}

/// D110, P1: who wants a fresh one loads again, all together; meanwhile others are served the stale one.
fn d110_the_refresh_is_shared<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1).stale(5), after(10).gives(1).stale(15), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(30)));
    sim.to(1000);
    sim.get(&cache, 7);
    let callers = sim.crowd(&cache, 7, 3);
    let beside = sim.stale(&cache, 7);
    assert_eq!(sim.saw(beside), "1000: V1 Stale(5)");
    sim.to(1010);
    for caller in callers {
        assert_eq!(sim.saw(caller), "1010: V1 Stale(15)");
    }
    assert_eq!(loads.calls(), 2);
    let fresh = sim.get(&cache, 7);
    assert_eq!(sim.saw(fresh), "1010: V2 Expired");
    assert_clean(&cache.stats());
}

/// P8: it is not stored by a load that is older than a write.
fn d110_after_a_write<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).gives(1).stale(5));
    let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(30)));
    sim.to(1000);
    let caller = sim.get(&cache, 7);
    cache.remove(&7);
    sim.to(1010);
    assert_eq!(sim.saw(caller), "1010: V1 Stale(5)");
    assert!(cache.peek(&7).is_none());
    assert_clean(&cache.stats());
}

/// D110: an inserted value may be older as well, or stale: to restore what was saved.
fn d110_by_hand<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_if_error(ms(50)));
    sim.to(1000);
    let waiting = sim.get(&cache, 7);
    cache.insert_with(7, Loaded::new(V::new(1)).stale(ms(20)));
    sim.run();
    assert_eq!(sim.saw(waiting), "1000: V1 Stale(20)");
    cache.insert_with(8, Loaded::new(V::new(2)).aged(ms(30)));
    assert_eq!((seen(&cache, 7), seen(&cache, 8)), (Some((0, 0)), Some((30, 70))));
    assert!(!cache.contains(&7));
    cache.insert_with(7, Loaded::new(V::new(3)).stale(ms(51)));
    assert!(cache.peek(&7).is_none(), "no limit reaches so far");
    assert_clean(&cache.stats());
}

/// D110, D74: in a slot as a value that came expired: kept, and the next fetch is paced.
fn d110_in_a_slot<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1).stale(40), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(100)));
    sim.to(1000);
    let first = sim.fetch(&slot);
    assert_eq!(sim.saw(first), "1000: V1 Stale(40)");
    assert_eq!(slot.refresh_at(), sim.time.instant(1100));
    sim.to(1100);
    let second = sim.fetch(&slot);
    assert_eq!(sim.saw(second), "1100: V2 Expired");
}

/// D110: an answer that is not stored is as old as it says, too.
fn d110_what_is_not_stored<R: Host>() {
    for ttl in [Ttl::NotStored, Ttl::private(ms(0)), Ttl::For(ms(0))] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(30).gives(1).aged(20).ttl(ttl));
        let cache = sim.cache::<R>(&loads, |c| c);
        sim.to(1000);
        let caller = sim.get(&cache, 7);
        sim.to(1030);
        let Answer::Outcome(outcome, _) = sim.answer(caller) else { panic!("{}", sim.saw(caller)) };
        assert_eq!(outcome.age(), ms(20), "{ttl:?}");
        assert_clean(&cache.stats());
    }
}
