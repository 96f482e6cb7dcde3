//! Writes during a load are never undone by it.

use larder::{Cache, Loaded};
use larder_tests::*;

on_every_runtime! {
    c50_remove
    c50_remove_and_nobody_after
    c51_insert
    c51_insert_for_a_lone_caller
    c51_an_insert_that_cannot_be_kept
    c52_clear_and_retain
    a_write_of_an_absent_key_or_an_equal_value
    a_retain_judges_what_it_has_seen
    an_insert_of_nothing_is_a_remove
    a_detached_load_that_fails
    a_write_opens_new_attempts
}

/// C50: after a `remove` the next caller loads at once, beside the old load, and only its value is stored. (P8)
fn c50_remove<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(100).gives(1), after(20).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    let waiter = sim.get(&cache, 7);
    sim.to(30);
    assert!(cache.remove(&7).is_none());
    sim.to(40);
    let c = sim.get(&cache, 7);
    assert_eq!(loads.begun(), [0, 40]);
    sim.to(60);
    assert_eq!(sim.saw(c), "60: V2 Miss");
    sim.to(100);
    assert_eq!(sim.saw(a), "100: V1 Miss");
    assert_eq!(sim.saw(waiter), "100: V1 LockHit");
    let late = sim.get(&cache, 7);
    assert_eq!(sim.saw(late), "100: V2 Hit");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// C50: without callers in between, the key is absent after the old load's end, and the next caller loads. (P8)
fn c50_remove_and_nobody_after<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(100).gives(1), after(20).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    sim.to(30);
    cache.remove(&7);
    sim.to(100);
    assert_eq!(sim.saw(a), "100: V1 Miss");
    assert!(cache.peek(&7).is_none());
    let next = sim.get(&cache, 7);
    sim.to(120);
    assert_eq!(sim.saw(next), "120: V2 Miss");
    assert_clean(&cache.stats());
}

/// C51: an `insert` ends all waits at once with its value; the load is dropped. (P8)
fn c51_insert<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(300).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    let waiters = sim.crowd(&cache, 7, 10);
    sim.to(30);
    assert!(cache.insert(7, V::new(9)).is_some());
    assert_eq!(loads.live(), 0, "dropped by the insert itself");
    sim.run();
    assert!(sim.saw(a).starts_with("30: V9 "), "{}", sim.saw(a));
    for i in waiters {
        assert!(sim.saw(i).starts_with("30: V9 "), "{}", sim.saw(i));
    }
    sim.to(1000);
    let late = sim.get(&cache, 7);
    assert_eq!(sim.saw(late), "1000: V9 Hit");
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// C51: a lone caller is woken by the `insert` as well; so is a ticket. (P8)
fn c51_insert_for_a_lone_caller<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(300).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(1000)).stale_while_refresh(ms(1000)));
    let a = sim.get(&cache, 7);
    sim.to(30);
    cache.insert(7, V::new(9));
    sim.run();
    assert_eq!(sim.saw(a), "30: V9 Miss");
    assert_eq!(sim.wakes(a), 2, "once to begin, once by the insert");
    sim.to(1100);
    let stale = sim.stale(&cache, 7);
    let refresh = sim.refresh(stale);
    cache.insert(7, V::new(10));
    sim.run();
    assert_eq!(sim.saw(refresh), "1100: done");
    assert_eq!((loads.calls(), loads.live()), (2, 0));
    assert_clean(&cache.stats());
}

/// C51: the same if the store has no room for the inserted value. (P8, P10)
fn c51_an_insert_that_cannot_be_kept<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(300).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(0));
    let callers = sim.crowd(&cache, 7, 3);
    sim.to(30);
    assert!(cache.insert(7, V::new(9)).is_none());
    sim.run();
    for i in callers {
        assert!(sim.saw(i).starts_with("30: V9 "), "{}", sim.saw(i));
    }
    assert_eq!((loads.calls(), loads.live(), cache.len()), (1, 0, 0));
    assert_clean(&cache.stats());
}

/// C52: `clear` and a `retain` that keeps everything void all loads in flight. (P8)
fn c52_clear_and_retain<R: Host>() {
    let writes: [fn(&Scripted<R>); 2] = [Cache::clear, |cache| cache.retain(|_, _| true)];
    for write in writes {
        let mut sim = Sim::new();
        let loads = sim.loads_by(|key, call| after(100).gives(10 * call as u32 + key));
        let cache = sim.cache::<R>(&loads, |c| c);
        let before = [sim.get(&cache, 1), sim.get(&cache, 2)];
        sim.to(30);
        write(&cache);
        sim.to(40);
        let behind = [sim.get(&cache, 1), sim.get(&cache, 2)];
        assert_eq!(loads.begun(), [0, 0, 40, 40]);
        sim.to(100);
        assert_eq!(before.map(|i| sim.saw(i)), ["100: V1 Miss", "100: V12 Miss"]);
        assert!(cache.is_empty());
        sim.to(140);
        assert_eq!(behind.map(|i| sim.saw(i)), ["140: V21 Miss", "140: V32 Miss"]);
        assert_eq!([1, 2].map(|key| cache.get_if_present(&key).map(|v| *v)), [Some(21), Some(32)]);
        assert_clean(&cache.stats());
    }
}

/// The order of writes decides, never values: every write voids the loads before it. (P8)
fn a_write_of_an_absent_key_or_an_equal_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(100).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    cache.insert(7, V::new(1));
    sim.run();
    assert!(sim.saw(a).starts_with("0: V1 "));
    cache.remove(&7);
    let b = sim.get(&cache, 7);
    cache.remove(&7);
    cache.remove(&7);
    sim.to(100);
    assert_eq!(sim.saw(b), "100: V1 Miss");
    assert!(!cache.contains(&7));
    assert_clean(&cache.stats());
}

/// D44: a value that was stored while `retain` judged the one before was not judged, and stays. (P8)
fn a_retain_judges_what_it_has_seen<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c);
    cache.insert(7, V::new(1));
    cache.retain(|_, value| {
        cache.insert(7, V::new(**value + 1));
        false
    });
    assert_eq!(cache.get_if_present(&7).as_deref(), Some(&2));
}

/// An `insert` with a TTL of zero is a `remove`: waiting callers get the loaded value, which is not stored. (P8, P10)
fn an_insert_of_nothing_is_a_remove<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(100).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    sim.to(30);
    assert!(cache.insert_with(7, Loaded::new(V::new(9)).ttl(ms(0))).is_none());
    sim.to(100);
    assert_eq!(sim.saw(a), "100: V1 Miss");
    assert!(!cache.contains(&7));
    assert_clean(&cache.stats());
}

/// A load that a write has detached fails: earlier callers get the error, and nothing of it is cached. (P4, P8)
fn a_detached_load_that_fails<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(100).fails(1), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.error_ttl(ms(1000)));
    let a = sim.get(&cache, 7);
    let b = sim.get(&cache, 7);
    sim.to(30);
    cache.remove(&7);
    sim.to(100);
    assert_eq!([a, b].map(|i| sim.saw(i)), ["100: E1", "100: E1"]);
    let next = sim.get(&cache, 7);
    assert_eq!(sim.saw(next), "100: V2 Miss");
    assert_clean(&cache.stats());
}

/// A detached load counts neither for the lock age nor for the limit of later loads. (P6, P8)
fn a_write_opens_new_attempts<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| after(100).gives(call as u32));
    let cache = sim.cache::<R>(&loads, |c| c.attempts(1));
    let mut callers = Vec::new();
    for t in 0..10 {
        sim.to(t);
        callers.push(sim.get(&cache, 7));
        let joined = sim.get(&cache, 7);
        assert_eq!(loads.calls(), t as usize + 1);
        cache.remove(&7);
        callers.push(joined);
    }
    assert_eq!(loads.live(), 10);
    sim.to(200);
    for (n, i) in callers.into_iter().enumerate() {
        let status = if n % 2 == 0 { "Miss" } else { "LockHit" };
        assert_eq!(sim.saw(i), format!("{}: V{} {status}", 100 + n / 2, n / 2));
    }
    assert!(!cache.contains(&7));
    assert_clean(&cache.stats());
}
