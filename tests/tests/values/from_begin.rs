//! Lifetimes that count from the begin of the load.

use larder::{Cache, Loaded, LookupOptions, TimeLeft, Ttl};
use larder_tests::*;

on_every_runtime! {
    d108_it_runs_while_the_answer_travels
    d108_whoever_says_so
    d108_its_end_is_reached_when_it_comes
    d108_from_the_claim_of_its_own_attempt
    d108_of_many_keys
    d108_of_many_keys_where_nothing_expired_before
    d108_unchanged
    d108_in_a_slot
    d108_edges
}

fn from_begin(t: u64) -> Ttl {
    Ttl::from_begin(ms(t))
}

fn left<R: Host>(cache: &Scripted<R>, key: u32) -> Option<TimeLeft> {
    cache.peek(&key).map(|found| found.time_left())
}

/// D108: of 100, 70 are left when a load of 30 ends.
fn d108_it_runs_while_the_answer_travels<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(30).gives(1).ttl(from_begin(100)));
    let cache = sim.cache::<R>(&loads, |c| c);
    sim.to(5);
    let callers = sim.crowd(&cache, 7, 2);
    sim.to(35);
    for caller in callers {
        let Answer::Outcome(outcome, _) = sim.answer(caller) else { panic!("{}", sim.saw(caller)) };
        assert_eq!((outcome.time_left(), outcome.age()), (TimeLeft::For(ms(70)), ms(0)));
    }
    sim.to(104);
    assert!(cache.contains(&7));
    sim.to(105);
    assert!(!cache.contains(&7));
}

/// D52: set by the call that begins the load, by a closure, or by the cache; jitter makes it shorter.
fn d108_whoever_says_so<R: Host>() {
    for by in 0..4 {
        let mut sim = Sim::new();
        let loads = sim.loads(after(30).gives(1));
        let cache = sim.cache::<R>(&loads, |c| match by {
            0 => c.expire_after(|_, _| from_begin(100)),
            1 => c.ttl(from_begin(100)),
            2 => c.ttl(from_begin(100)).ttl_jitter(0.5, 7),
            _ => c,
        });
        let options = LookupOptions::new().ttl(if by == 3 { from_begin(100) } else { Ttl::Inherit });
        sim.to(5);
        sim.ask(&cache, 7, options);
        sim.to(35);
        match left(&cache, 7) {
            Some(TimeLeft::For(left)) if by == 2 => assert!(left > ms(34) && left < ms(70), "{left:?}"),
            left => assert_eq!(left, Some(TimeLeft::For(ms(70))), "{by}"),
        }
    }
}

/// D108: then it counts as a lifetime of zero: delivered to all waiting callers, and not stored.
fn d108_its_end_is_reached_when_it_comes<R: Host>() {
    for length in [0, 20, 30] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(30).gives(1).ttl(from_begin(length)));
        let cache = sim.cache::<R>(&loads, |c| c.stale_while_refresh(ms(1000)));
        cache.insert(7, V::new(0));
        cache.expire(&7);
        let callers = sim.crowd(&cache, 7, 2);
        sim.to(30);
        assert_eq!(sim.saw(callers[0]), "30: V1 Expired");
        assert_eq!(sim.saw(callers[1]), "30: V1 LockHit");
        assert!(cache.peek(&7).is_none(), "and what was stored has gone");
    }
}

/// D11, D20: each attempt counts from its own begin.
fn d108_from_the_claim_of_its_own_attempt<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(30).gives(1).ttl(from_begin(100))]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(50)));
    let first = sim.get(&cache, 7);
    sim.to(60);
    let second = sim.get(&cache, 7);
    sim.to(90);
    assert_eq!((sim.saw(first), sim.saw(second)), ("90: V1 Miss".into(), "90: V1 Miss".into()));
    assert_eq!(left(&cache, 7), Some(TimeLeft::For(ms(70))));
}

fn answers(sim: &Sim) -> Batches {
    let says = |keys: &[u32]| {
        let ttl = |key| if key == 1 { from_begin(100) } else { ms(100).into() };
        keys.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key)).ttl(ttl(*key))))).collect()
    };
    Batches::saying(&sim.time, |_, _| after(30), says)
}

/// D108: a load of many keys is one load.
fn d108_of_many_keys<R: Host>() {
    for surplus in [false, true] {
        let mut sim = Sim::new();
        let batches = answers(&sim);
        let cache = sim.batched::<R>(&batches, |c| if surplus { c.ttl(ms(1)).store_surplus() } else { c.ttl(ms(1)) });
        sim.to(5);
        sim.many(&cache, &[1, 2]);
        sim.to(35);
        assert_eq!(left(&cache, 1), Some(TimeLeft::For(ms(70))));
        assert_eq!(left(&cache, 2), Some(TimeLeft::For(ms(100))));
        cache.remove(&1);
        sim.get(&cache, 1);
        sim.to(65);
        assert_eq!(left(&cache, 1), Some(TimeLeft::For(ms(70))));
    }
}

/// The same in a cache that has not needed the clock before.
fn d108_of_many_keys_where_nothing_expired_before<R: Host>() {
    for single in [false, true] {
        let mut sim = Sim::new();
        let batches = answers(&sim);
        let cache = sim.batched::<R>(&batches, |c| if single { c.store_surplus() } else { c });
        sim.to(1000);
        if single {
            sim.get(&cache, 1);
        } else {
            sim.many(&cache, &[1]);
        }
        sim.to(1030);
        assert_eq!(left(&cache, 1), Some(TimeLeft::For(ms(70))));
        assert_eq!(cache.stats().load_time, ms(30));
    }
}

/// D95: a value that is found unchanged lives on from the begin of that load.
fn d108_unchanged<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(30).unchanged().ttl(from_begin(100)));
    let builder = Cache::builder(R::on(sim.clock())).revalidate_fn(loads.revalidator());
    let cache: Scripted<R> = builder.build().expect("valid");
    let generation = cache.insert_with(7, Loaded::new(V::new(1)).ttl(ms(50)));
    sim.to(60);
    let caller = sim.get(&cache, 7);
    sim.to(90);
    assert_eq!(sim.saw(caller), "90: V1 Expired");
    assert_eq!(
        (left(&cache, 7), cache.peek(&7).and_then(|found| found.generation())),
        (Some(TimeLeft::For(ms(70))), generation)
    );
}

/// D74: a token that arrives expired is kept as a stale copy, and the next is fetched at the pace of retries.
fn d108_in_a_slot<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(30).gives(1).ttl(from_begin(30)), after(30).gives(2).ttl(from_begin(100))]);
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(1000)));
    let first = sim.fetch(&slot);
    sim.to(30);
    assert_eq!(sim.saw(first), "30: V1 Miss");
    let second = sim.fetch(&slot);
    assert_eq!((sim.saw(second).as_str(), loads.calls()), ("30: V1 Stale(0)", 1));
    sim.to(1030);
    let third = sim.fetch(&slot);
    sim.to(1060);
    assert_eq!(sim.saw(third), "1060: V2 Expired");
    assert_eq!(slot.peek().map(|found| found.time_left()), Some(TimeLeft::For(ms(70))));
}

/// D3, D4: for ever if it does not fit the clock; never longer than set; counted from now if nothing was loaded.
fn d108_edges<R: Host>() {
    let mut sim = Sim::new();
    let ttl = |_, call| [Ttl::from_begin(Duration::MAX), from_begin(100)][call];
    let loads = sim.loads_by(move |key, call| after(30).gives(1).ttl(ttl(key, call)));
    let cache = sim.cache::<R>(&loads, |c| c);
    sim.to(1000);
    sim.get(&cache, 1);
    sim.to(1030);
    assert_eq!(left(&cache, 1), Some(TimeLeft::Forever));
    let gate = sim.get(&cache, 2);
    sim.jump(500);
    sim.poll(gate);
    sim.to(530);
    cache.insert_with(3, Loaded::new(V::new(3)).ttl(from_begin(100)));
    assert_eq!(left(&cache, 3), Some(TimeLeft::For(ms(100))));
    cache.insert_with(3, Loaded::new(V::new(3)).ttl(from_begin(0)));
    assert_eq!(left(&cache, 3), None);
    sim.to(1060);
    let told = sim.saw(gate);
    assert!(told.ends_with("V1 Miss"), "{told}");
}
