//! A cache that grows comes to have more shards: nothing is lost, and nothing is done twice.

use core::panic::AssertUnwindSafe;
use std::{cell::RefCell, collections::BTreeMap, panic::catch_unwind};

use larder::{Cache, Loaded, OnTimeout, RemovalCause};
use larder_tests::*;

on_every_runtime! {
    c111_what_is_stored_stays
    c111_what_expires_does_so_in_time
    c111_loads_in_flight_go_on
    c111_batches_go_on
    c111_writes_void_loads_that_began_before
    c111_failures_are_kept
    c111_lock_ages_and_timeouts_stand
    c111_walks_meet_each_entry_once
    c111_counters_add_up
    c111_a_given_number_stays
    c111_a_load_that_grows_the_cache_and_panics
    c111_a_ticket_whose_load_grows_the_cache
}

/// For so many, there are 16 shards for 1000 and 64 for 100 000.
const PROCESSORS: usize = 8;

fn grow<R: Host>(cache: &Cache<u32, V, Boom, R>) {
    cache.set_capacity(100_000);
    assert_eq!(cache.capacity(), 100_000);
}

fn c111_what_is_stored_stays<R: Host>() {
    let sim = Sim::new();
    let left = Rc::new(std::cell::Cell::new(0));
    let heard = left.clone();
    let cache = Cache::builder(R::on(sim.clock()))
        .capacity(1000)
        .processors(PROCESSORS)
        .ttl(ms(1000))
        .loader(sim.loads(never()))
        .listener(move |_: &u32, _: &V, _: RemovalCause| heard.set(heard.get() + 1))
        .build()
        .expect("valid");
    let mut before = Vec::new();
    for key in 0..500 {
        sim.clock().advance(ms(1));
        let loaded = Loaded::new(V::new(key)).weight(u64::from(1 + key % 3)).ttl(ms(1000 + u64::from(key)));
        let loaded = if key % 5 == 0 { loaded.aged(ms(3)) } else { loaded };
        _ = cache.insert_with(key, loaded);
        before.push(
            cache
                .entries()
                .find(|entry| *entry.key() == key)
                .map(|entry| (entry.age(), entry.time_left(), entry.weight(), entry.generation())),
        );
    }
    let (weight, len, next) = (cache.weight(), cache.len(), cache.next_deadline());
    let seen = |cache: &Cache<u32, V, Boom, R>| {
        let of = |key| {
            cache.peek(&key).map(|found| (found.age(), found.time_left(), found.generation(), found.value().clone()))
        };
        (0..600).map(of).collect::<Vec<_>>()
    };
    let looked = seen(&cache);
    grow(&cache);
    assert_eq!((cache.weight(), cache.len(), cache.next_deadline(), left.get()), (weight, len, next, 0));
    assert!(seen(&cache) == looked, "what is known of each value is the same");
    for entry in cache.entries() {
        let (_, _, weight, generation) = before[*entry.key() as usize].expect("it was there");
        assert_eq!((entry.weight(), entry.generation()), (weight, generation));
    }
    for key in (0..500).step_by(7) {
        let generation = cache.peek(&key).and_then(|found| found.generation()).expect("it is stored");
        assert!(cache.invalidate_if(&key, generation) && !cache.invalidate_if(&key, generation));
        let newer = cache.insert(key, V::new(1)).expect("there is room");
        assert_ne!(newer, generation);
    }
    cache.clear();
    assert_eq!((cache.weight(), cache.len()), (0, 0));
    (0..100_000).for_each(|key| _ = cache.insert(key, V::new(key)));
    assert_eq!(cache.len(), 100_000, "no room was lost");
    assert_clean(&cache.stats());
}

fn c111_what_expires_does_so_in_time<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(1000).processors(PROCESSORS).time_to_idle(ms(100)));
    for key in 0..600 {
        _ = cache.insert_with(key, Loaded::new(V::new(key)).ttl(ms(50 + u64::from(key))));
    }
    sim.clock().advance(ms(40));
    (300..600).for_each(|key| assert!(cache.get_if_present(&key).is_some()));
    grow(&cache);
    sim.clock().advance(ms(59));
    // (The first 50 have ended by their TTL; the idle time of the others is not over.)
    assert_eq!((0..600).filter(|key| cache.contains(key)).count(), 550);
    sim.clock().advance(ms(1));
    assert_eq!((0..600).filter(|key| cache.contains(key)).count(), 300);
    assert_eq!(cache.sweep(), 300);
    sim.clock().advance(ms(40));
    assert_eq!((cache.sweep(), cache.len(), cache.next_deadline()), (300, 0, None));
    assert_clean(&cache.stats());
}

/// C111, P1: callers that wait get their values, later ones join them, and each key is loaded once.
fn c111_loads_in_flight_go_on<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| after(10).gives(key));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(1000).processors(PROCESSORS));
    let mut callers: Vec<_> = (0..200).map(|key| (key, sim.get(&cache, key))).collect();
    callers.extend((0..100).map(|key| (key, sim.get(&cache, key))));
    // Some give up before, and some after.
    (150..170).for_each(|i| sim.drop(i));
    let flights = cache.stats().flights;
    grow(&cache);
    let stats = cache.stats();
    assert_eq!((stats.flights, stats.waiters, stats.loads_in_flight), (flights, 280, 180));
    (170..190).for_each(|i| sim.drop(i));
    callers.extend((0..150).map(|key| (key, sim.get(&cache, key))));
    sim.to(10);
    for (key, i) in callers.iter().filter(|(_, i)| !(150..190).contains(i)) {
        assert!(sim.saw(*i).starts_with(&format!("10: V{key} ")), "{key}: {}", sim.saw(*i));
    }
    assert_eq!((loads.calls(), loads.live(), cache.len()), (200, 0, 160));
    assert!((0..150).all(|key| cache.contains(&key)));
    assert_clean(&cache.stats());
}

fn c111_batches_go_on<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(10).gives(7));
    let cache = sim.batched::<R>(&batches, |c| c.capacity(1000).processors(PROCESSORS));
    let keys: Vec<u32> = (0..100).collect();
    let mut callers = vec![sim.many(&cache, &keys), sim.many(&cache, &keys[50..])];
    grow(&cache);
    callers.extend([sim.many(&cache, &keys[..70]), sim.many(&cache, &keys)]);
    sim.to(10);
    assert!(callers.iter().all(|i| sim.saw(*i).starts_with("10: ")), "{:?}", sim.saw(callers[0]));
    assert_eq!((batches.begun().len(), cache.len(), cache.stats().flights), (1, 100, 0));
    assert_clean(&cache.stats());
}

/// C111, P8: a write after the growth voids a load from before it.
fn c111_writes_void_loads_that_began_before<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, nth| after(10).gives(if nth < 400 { key } else { 10_000 + key }));
    let cache = sim.cache::<R>(&loads, |c| c.capacity(1000).processors(PROCESSORS));
    (0..100).for_each(|key| _ = sim.get(&cache, key));
    (0..20).for_each(|key| _ = cache.remove(&key));
    grow(&cache);
    (20..40).for_each(|key| _ = cache.remove(&key));
    (40..60).for_each(|key| _ = cache.insert(key, V::new(1)));
    assert_eq!(cache.remove_if(|key| (60..80).contains(key)), 0);
    sim.to(10);
    assert_eq!((0..100).filter(|key| cache.contains(key)).count(), 40, "inserted, or loaded and not removed");
    assert!((40..60).all(|key| cache.get_if_present(&key) == Some(V::new(1))));
    assert!((80..100).all(|key| cache.get_if_present(&key) == Some(V::new(key))));
    assert_clean(&cache.stats());
}

/// C111, D30: neither does a failure leave early, nor is its back-off forgotten.
fn c111_failures_are_kept<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(3));
    let cache = sim.cache::<R>(&loads, |c| {
        c.capacity(1000).processors(PROCESSORS).hash_seed(1).error_ttl(ms(10)).error_backoff(2.0, ms(1000))
    });
    (0..50).for_each(|key| _ = sim.get(&cache, key));
    assert_eq!(cache.weight(), 50);
    grow(&cache);
    assert_eq!(cache.weight(), 50);
    (0..50).for_each(|key| _ = sim.get(&cache, key));
    assert_eq!(loads.calls(), 50, "they are kept");
    sim.to(10);
    (0..50).for_each(|key| _ = sim.get(&cache, key));
    assert_eq!(loads.calls(), 100);
    sim.to(29);
    (0..50).for_each(|key| _ = sim.get(&cache, key));
    assert_eq!(loads.calls(), 100, "for twice as long");
    sim.to(30);
    (0..50).for_each(|key| _ = sim.get(&cache, key));
    assert_eq!(loads.calls(), 150);
    assert_clean(&cache.stats());
}

/// C111, P3: a load that hangs is taken over at its lock age, and a caller that waits gives up at the lock timeout.
fn c111_lock_ages_and_timeouts_stand<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, nth| if nth == 0 { never() } else { after(20).gives(key) });
    let cache = sim.cache::<R>(&loads, |c| {
        c.capacity(1000).processors(PROCESSORS).lock_age(ms(10)).lock_timeout(ms(50), OnTimeout::Fail)
    });
    let callers: Vec<_> = (0..100).map(|key| (key, sim.get(&cache, key), sim.get(&cache, key))).collect();
    grow(&cache);
    sim.to(10);
    assert_eq!(loads.calls(), 200, "each is taken over");
    sim.to(30);
    for (key, one, other) in callers {
        assert!(sim.saw(one).contains(&format!("V{key} ")) && sim.saw(other).contains(&format!("V{key} ")));
    }
    assert_eq!((cache.len(), cache.stats().flights), (100, 0));
    assert_clean(&cache.stats());
}

/// C111: what is there all the time is shown exactly once, also if the cache grows, and grows again, while it is shown.
fn c111_walks_meet_each_entry_once<R: Host>() {
    for (first, again) in [(1, 2), (50, 51), (200, 700), (899, 900), (333, 334)] {
        for steps in [[100_000, 100_000], [2000, 100_000]] {
            let sim = Sim::new();
            let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(1000).processors(64).hash_seed(5));
            let fill = || (0..900).for_each(|key| _ = cache.insert(key, V::new(key)));
            let grown = |met: usize| {
                let at = [first, again].iter().position(|at| *at == met);
                at.into_iter().for_each(|nth| cache.set_capacity(steps[nth]));
                // What leaves and comes meanwhile moves others.
                _ = cache.remove(&(5000 + met as u32));
                _ = cache.insert(5001 + met as u32, V::new(0));
            };
            fill();
            let mut met = BTreeMap::new();
            for (nth, (key, _)) in cache.iter().enumerate() {
                *met.entry(key).or_insert(0) += 1;
                grown(nth + 1);
            }
            assert!((0..900).all(|key| met.get(&key) == Some(&1)), "{first} {again}: each once");
            cache.clear();
            cache.set_capacity(1000);
            fill();
            met.clear();
            let mut nth = 0;
            cache.retain(|key, _| {
                *met.entry(*key).or_insert(0) += 1;
                nth += 1;
                grown(nth);
                key % 2 == 0
            });
            assert!((0..900).all(|key| met.get(&key) == Some(&1)), "{first} {again}: each judged once");
            assert_eq!((0..900).filter(|key| cache.contains(key)).count(), 450);
            fill();
            let mut nth = 0;
            cache.remove_if(|key| {
                nth += 1;
                grown(nth);
                *key < 900
            });
            assert!((0..900).all(|key| !cache.contains(&key)), "{first} {again}: all are removed");
        }
    }
}

/// C111, D85.
fn c111_counters_add_up<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| if key % 2 == 0 { after(10).gives(key) } else { after(5).fails(3) });
    let cache = sim.cache::<R>(&loads, |c| c.capacity(100).processors(PROCESSORS));
    for capacity in [200, 400, 1000, 5000, 100_000] {
        let first = capacity as u32;
        (first..first + 60).for_each(|key| _ = sim.get(&cache, key));
        cache.set_capacity(capacity);
        let stats = cache.stats();
        assert_eq!(stats.loads_in_flight, 60);
        let ended = stats.loads_succeeded + stats.loads_failed + stats.loads_panicked + stats.loads_dropped;
        assert_eq!(stats.loads_begun, ended + stats.loads_in_flight);
        sim.to(sim.time.ms() + 10);
        assert_clean(&cache.stats());
    }
}

/// A number of shards that was given is meant.
fn c111_a_given_number_stays<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| c.capacity(1000).shards(3).processors(64));
    (0..1000).for_each(|key| _ = cache.insert(key, V::new(key)));
    grow(&cache);
    (0..90_000).for_each(|key| _ = cache.insert(key, V::new(key)));
    assert_eq!(cache.len(), 90_000);
    cache.set_capacity(7);
    assert_eq!(cache.len(), 7);
    assert_clean(&cache.stats());
}

/// C111, P5, D85: the load of one key of many grows the cache and panics; the others are loaded by the next poll.
fn c111_a_load_that_grows_the_cache_and_panics<R: Host>() {
    let mut sim = Sim::new();
    let own = Rc::new(RefCell::new(None::<Box<dyn Fn()>>));
    let grows = own.clone();
    let load = move |key: u32| {
        if let Some(grow) = grows.take() {
            grow();
            std::panic::panic_any(Bang(1));
        }
        async move { Ok::<_, Boom>(V::new(key)) }
    };
    let builder = Cache::builder(R::on(sim.clock())).load_fn(load).capacity(90).processors(PROCESSORS);
    let cache = Rc::new(builder.build().expect("valid"));
    let weak = Rc::downgrade(&cache);
    own.replace(Some(Box::new(move || weak.upgrade().expect("it is called").set_capacity(100_000))));
    let keys: Vec<u32> = (0..50).collect();
    let mut many = cache.get_many(&keys);
    assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut many).is_ready())).is_err());
    let Poll::Ready(told) = wakers::poll_once(&mut many) else { panic!("it waits") };
    assert!(told.iter().filter(|told| told.is_ok()).count() >= 49);
    sim.run();
    assert_clean(&cache.stats());
}

/// C111, D85: the load of a ticket grows the cache as it is made.
fn c111_a_ticket_whose_load_grows_the_cache<R: Host>() {
    let sim = Sim::new();
    let cache = sim.cache::<R>(&sim.loads(never()), |c| {
        c.capacity(90).processors(PROCESSORS).ttl(ms(10)).stale_while_refresh(ms(1000))
    });
    (0..50).for_each(|key| _ = cache.insert(key, V::new(1)));
    sim.clock().advance(ms(20));
    for key in 0..50 {
        let load = || {
            cache.set_capacity(90 << key.min(12));
            async move { Ok::<_, Boom>(Loaded::new(V::new(2))) }
        };
        let mut stale = cache.lookup(&key).by(load).stale();
        let Poll::Ready(Ok(stale)) = wakers::poll_once(&mut stale) else { panic!("it waits") };
        assert_eq!(*stale.outcome.value(), V::new(1));
        let mut ticket = stale.refresh.expect("it is due");
        assert!(wakers::poll_once(&mut ticket).is_ready());
        assert_eq!(cache.get_if_present(&key), Some(V::new(2)));
    }
    assert_clean(&cache.stats());
}
