//! A clock that jumps back makes lives longer, but no caller is told of a longer life than was set.

use larder::{Cache, LookupOptions, OnTimeout, TimeLeft};
use larder_tests::*;

on_every_runtime! {
    d4_what_begins_after_a_jump_is_not_old
    what_was_published_ahead
    what_was_asked_for_ahead
    what_was_found_unchanged_ahead
    what_is_due_behind_what_lies_ahead
    what_was_reached_before_the_load_was_polled
}

/// The time left of key 7 by `peek` and by a hit, in milliseconds.
fn left<R: Host>(sim: &mut Sim, cache: &Cache<u32, V, Boom, R>) -> [u128; 2] {
    let for_how_long = |left| match left {
        TimeLeft::For(left) => left.as_millis(),
        TimeLeft::Forever => u128::MAX,
    };
    let peeked = for_how_long(cache.peek(&7).expect("it is there").time_left());
    let hit = sim.get(cache, 7);
    let Answer::Outcome(outcome, _) = sim.answer(hit) else { panic!("{}", sim.saw(hit)) };
    [peeked, for_how_long(outcome.time_left())]
}

/// D4: with a TTL of 100, no caller is told of more than 100 to come.
fn what_was_published_ahead<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)));
    sim.to(10_000);
    cache.insert(7, V::new(1));
    for (t, expected) in [(10_060, 40), (10_000, 100), (500, 100), (0, 100), (10_099, 1)] {
        sim.jump(t);
        assert_eq!(left(&mut sim, &cache), [expected; 2], "at {t}");
    }
}

/// D4: the same for the time to idle of a value that was looked up before the jump back.
fn what_was_asked_for_ahead<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.time_to_idle(ms(100)).ttl(ms(1000)));
    cache.insert(7, V::new(1));
    for t in [90, 180, 270] {
        sim.to(t);
        assert_eq!(left(&mut sim, &cache), [10; 2]);
    }
    sim.jump(20);
    assert_eq!(left(&mut sim, &cache), [100; 2]);
}

/// D4: the same for a value that a load found unchanged before the jump back: it is older than its life.
fn what_was_found_unchanged_ahead<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).unchanged().ttl(ms(50)));
    let cache: Cache<u32, V, Boom, R> =
        Cache::builder(R::on(sim.clock())).ttl(ms(100)).revalidate_fn(loads.revalidator()).build().expect("valid");
    cache.insert(7, V::new(1));
    sim.to(990);
    let caller = sim.get(&cache, 7);
    sim.to(1000);
    assert_eq!(sim.saw(caller), "1000: V1 Expired");
    sim.jump(400);
    assert_eq!(left(&mut sim, &cache), [50; 2]);
}

/// D4: expired values are given back, although other deadlines are far ahead.
fn what_is_due_behind_what_lies_ahead<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).error_ttl(ms(100)).shards(1));
    sim.to(100_000);
    (0..50).for_each(|key| _ = cache.insert(key, V::new(key)));
    let ahead = sim.ask(&cache, 1000, LookupOptions::new());
    assert_eq!(sim.saw(ahead), "100000: E1");
    sim.jump(0);
    (50..100).for_each(|key| _ = cache.insert(key, V::new(key)));
    let behind = sim.ask(&cache, 1001, LookupOptions::new());
    assert_eq!(sim.saw(behind), "0: E1");
    sim.to(100);
    assert_eq!((cache.sweep(), cache.len(), cache.weight()), (50, 50, 52));
    sim.to(200);
    assert_eq!((cache.sweep(), cache.len(), cache.weight()), (1, 50, 51), "a failure is remembered for as long again");
    assert_clean(&cache.stats());
}

/// D4: a caller that has seen a time never goes behind it: no stale value gets back within its limit during a load.
fn what_was_reached_before_the_load_was_polled<R: Host>() {
    let mut sim = Sim::new();
    let time = sim.time.clone();
    let load = move |_: u32| {
        time.set(30);
        core::future::ready(Err(Boom(1)))
    };
    let builder = Cache::builder(R::on(sim.clock())).load_fn(load);
    let cache = builder.ttl(ms(10)).stale_if_error(ms(25)).build().expect("valid");
    cache.insert(7, V::new(0));
    sim.to(40);
    let caller = sim.get(&cache, 7);
    assert_eq!(sim.saw(caller), "30: E1", "35 had passed by then");
}

/// D4: a wait that had come further before the clock jumped back does not take what has begun since to be old.
fn d4_what_begins_after_a_jump_is_not_old<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(10).fails(1), after(10).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(30)));
    sim.to(100);
    let first = sim.get(&cache, 7);
    sim.jump(50);
    let options = LookupOptions::new().lock_timeout(ms(0), OnTimeout::Load);
    let impatient = sim.ask(&cache, 7, options);
    sim.to(79);
    assert_eq!((loads.begun(), sim.saw(impatient)), (vec![100, 50], "60: E1".into()));
    sim.to(90);
    assert_eq!((loads.begun(), sim.saw(first)), (vec![100, 50, 80], "90: V2 Miss".into()));
    assert_clean(&cache.stats());
}
