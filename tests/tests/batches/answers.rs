//! Many keys at once: which are found, joined and led, and what each key gets.

use larder::{Cache, Loaded, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    c44_hits_joins_and_leads
    c44_nothing_to_load
    c44_by_a_closure
    c44_by_a_loader_of_single_keys
    c45_overlap_in_any_order
    c46_a_single_joins_a_batch
    c46_a_batch_joins_a_single
    c47_missing_surplus_and_none
    c47_surplus_is_stored_if_wanted
    c47_the_first_answer_counts
    c48_partial_failure
    c48_the_whole_load_fails
    c49_a_write_during_a_batch
    stale_values_soften_a_failed_batch
    a_batch_wakes_its_caller_once
    d98_what_is_stored_for_another_key
}

fn lookups(cache: &Batched<impl Host>) -> u64 {
    let stats = cache.stats();
    stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors
}

/// C44: one load for all keys that have to be led, begun at once; duplicates are answered twice and counted once. (P1)
fn c44_hits_joins_and_leads<R: Host>() {
    let mut sim = Sim::new();
    let batches = Batches::new(&sim.time, |keys, _| after(if keys == [2] { 60 } else { 50 }));
    let cache = sim.batched::<R>(&batches, |c| c);
    cache.insert(1, V::new(1));
    let before = sim.get(&cache, 2);
    sim.to(20);
    let many = sim.many(&cache, &[1, 2, 3, 4, 3]);
    assert_eq!(batches.begun(), [(0, vec![2]), (20, vec![3, 4])]);
    sim.to(70);
    assert_eq!(sim.saw(before), "60: V2 Miss");
    assert_eq!(sim.saw(many), "70: V1 Hit, V2 LockHit, V3 Miss, V4 Miss, V3 Miss");
    assert_eq!((batches.begun().len(), batches.live()), (2, 0));
    assert_eq!(lookups(&cache), 5);
    assert_clean(&cache.stats());
}

/// C44: a call for no keys, and one whose keys are all present, load nothing.
fn c44_nothing_to_load<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    cache.insert(1, V::new(1));
    cache.insert(2, V::new(2));
    let none = sim.many(&cache, &[]);
    let hits = sim.many(&cache, &[2, 1, 2]);
    assert_eq!((sim.saw(none), sim.saw(hits)), ("0: ".into(), "0: V2 Hit, V1 Hit, V2 Hit".into()));
    let values = {
        let cache = cache.clone();
        sim.call(async move { cache.get_many(&[1, 2, 1]).await })
    };
    assert_eq!(sim.saw(values), "0: V1, V2, V1");
    assert_eq!((batches.begun().len(), cache.stats().hits), (0, 4));
}

/// C44, with the load of a closure that borrows from its caller.
fn c44_by_a_closure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(60).gives(2));
    let batches = sim.batches(after(50));
    let cache = sim.cache::<R>(&loads, |c| c);
    cache.insert(1, V::new(1));
    let before = sim.get(&cache, 2);
    sim.to(20);
    let many = sim.many_with(&cache, &[1, 2, 3, 4, 3], &batches);
    let joins = sim.get(&cache, 4);
    assert_eq!(batches.begun(), [(20, vec![3, 4])]);
    sim.to(70);
    assert_eq!(sim.saw(before), "60: V2 Miss");
    assert_eq!(sim.saw(many), "70: V1 Hit, V2 LockHit, V3 Miss, V4 Miss, V3 Miss");
    assert_eq!(sim.saw(joins), "70: V4 LockHit");
    assert_eq!((loads.calls(), batches.live()), (1, 0));
    assert_clean(&cache.stats());
}

/// C44, with a separate load for each key: all of them begin before the call waits for any.
fn c44_by_a_loader_of_single_keys<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|key, _| after(10 * u64::from(key)).gives(key));
    let cache = sim.cache::<R>(&loads, |c| c);
    let many = sim.many(&cache, &[5, 3, 4, 3]);
    assert_eq!((loads.begun(), loads.keys()), (vec![0, 0, 0], vec![5, 3, 4]));
    sim.to(49);
    assert_eq!((sim.saw(many), loads.live()), ("waits".into(), 1));
    assert!(cache.contains(&3) && cache.contains(&4));
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V5 Miss, V3 Miss, V4 Miss, V3 Miss");
    assert_clean(&cache.stats());
}

/// C45: ten batches of the same keys, half of them reversed, load each key once. (P1, P13)
fn c45_overlap_in_any_order<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let up: Vec<u32> = (1..=8).collect();
    let down: Vec<u32> = (1..=8).rev().collect();
    let callers: Vec<_> = (0..10).map(|i| sim.many(&cache, if i % 2 == 0 { &up } else { &down })).collect();
    let random = {
        let mut random = Random::new(7);
        let mut keys: Vec<u32> = (5..25).collect();
        (0..10).for_each(|_| keys.swap(random.below(20) as usize, random.below(20) as usize));
        keys.chunks(2).map(|pair| sim.many(&cache, pair)).collect::<Vec<_>>()
    };
    sim.to(50);
    for i in callers.into_iter().chain(random) {
        assert!(sim.saw(i).starts_with("50: V"), "{}", sim.saw(i));
    }
    let mut loaded: Vec<u32> = batches.begun().into_iter().flat_map(|(_, keys)| keys).collect();
    loaded.sort_unstable();
    assert_eq!(loaded, (1..25).collect::<Vec<_>>());
    assert_clean(&cache.stats());
}

/// C46: a single lookup joins the load of a batch. (P1)
fn c46_a_single_joins_a_batch<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1, 2]);
    sim.to(10);
    let single = sim.get(&cache, 1);
    sim.to(50);
    assert_eq!((sim.saw(many), sim.saw(single)), ("50: V1 Miss, V2 Miss".into(), "50: V1 LockHit".into()));
    assert_eq!(batches.begun(), [(0, vec![1, 2])]);
    assert_clean(&cache.stats());
}

/// C46: a batch joins the load of a single lookup. (P1)
fn c46_a_batch_joins_a_single<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let single = sim.get(&cache, 1);
    sim.to(10);
    let many = sim.many(&cache, &[2, 1]);
    sim.to(60);
    assert_eq!((sim.saw(single), sim.saw(many)), ("50: V1 Miss".into(), "60: V2 Miss, V1 LockHit".into()));
    assert_eq!(batches.begun(), [(0, vec![1]), (10, vec![2])]);
    assert_clean(&cache.stats());
}

fn answering<R: Host>(answers: &'static [u32]) -> (Sim, Batches, Batched<R>) {
    let sim = Sim::new();
    let says = move |_: &[u32]| answers.iter().map(|key| (*key, Ok(Loaded::new(V::new(*key))))).collect();
    let batches = Batches::saying(&sim.time, |_, _| after(50), says);
    let cache = sim.batched::<R>(&batches, |c| c);
    (sim, batches, cache)
}

/// C47: a key without an answer fails for all callers that wait for it; an answer without a key is ignored. (P4, P5)
fn c47_missing_surplus_and_none<R: Host>() {
    for (answers, many, two) in [
        (&[1, 3][..], "50: V1 Miss, Missing, V3 Miss", "50: Missing"),
        (&[9, 3, 2, 1], "50: V1 Miss, V2 Miss, V3 Miss", "50: V2 LockHit"),
        (&[], "50: Missing, Missing, Missing", "50: Missing"),
    ] {
        let (mut sim, batches, cache) = answering::<R>(answers);
        let asked = sim.many(&cache, &[1, 2, 3]);
        let joined = sim.get(&cache, 2);
        sim.to(50);
        assert_eq!((sim.saw(asked), sim.saw(joined)), (many.into(), two.into()));
        assert_eq!((cache.contains(&9), cache.contains(&2)), (false, answers.contains(&2)));
        assert_eq!(batches.begun(), [(0, vec![1, 2, 3])]);
        assert_clean(&cache.stats());
    }
}

/// C47: an option stores keys that were not asked for, but only if the key is neither stored nor being loaded.
fn c47_surplus_is_stored_if_wanted<R: Host>() {
    let mut sim = Sim::new();
    let says = |keys: &[u32]| {
        let value = |key: u32| V::new(if keys == [5] { 500 } else { key });
        [1, 5, 6, 7, 8].iter().map(|key| (*key, Ok(Loaded::new(value(*key)).ttl(ms(100))))).collect()
    };
    let script = |keys: &[u32], _: usize| after(if keys == [5] { 70 } else { 50 });
    let batches = Batches::saying(&sim.time, script, says);
    let cache = sim.batched::<R>(&batches, |c| c.store_surplus().ttl(ms(40)));
    cache.insert_with(6, Loaded::new(V::new(60)).ttl(ms(51)));
    cache.insert(7, V::new(70));
    let loading = sim.get(&cache, 5);
    let single = sim.get(&cache, 1);
    sim.to(50);
    assert_eq!(sim.saw(single), "50: V1 Miss");
    let held = |key| cache.get_if_present(&key).map(|value| *value);
    assert_eq!((held(5), held(6), held(7), held(8)), (None, Some(60), Some(7), Some(8)));
    sim.to(70);
    assert_eq!((sim.saw(loading), held(5)), ("70: V500 Miss".into(), Some(500)));
    assert_clean(&cache.stats());
}

/// D60.
fn c47_the_first_answer_counts<R: Host>() {
    let mut sim = Sim::new();
    let says = |_: &[u32]| [10, 11].map(|value| (1, Ok(Loaded::new(V::new(value))))).into();
    let batches = Batches::saying(&sim.time, |_, _| ready(), says);
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1]);
    assert_eq!(sim.saw(many), "0: V10 Miss");
}

/// C48: hits and answers are returned although other keys have failed. (P4)
fn c48_partial_failure<R: Host>() {
    let mut sim = Sim::new();
    let says = |_: &[u32]| vec![(2, Err(Boom(2))), (3, Ok(Loaded::new(V::new(3))))];
    let batches = Batches::saying(&sim.time, |_, _| after(50), says);
    let cache = sim.batched::<R>(&batches, |c| c);
    cache.insert(1, V::new(1));
    let many = sim.many(&cache, &[1, 2, 3]);
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Hit, E2, V3 Miss");
    assert_clean(&cache.stats());
}

/// C48: a load that fails as a whole is one error for each of its keys, and a hit stays a hit. (P4)
fn c48_the_whole_load_fails<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50).fails(7));
    let cache = sim.batched::<R>(&batches, |c| c.error_ttl(ms(100)));
    cache.insert(1, V::new(1));
    let many = sim.many(&cache, &[1, 2, 3, 2]);
    let single = sim.get(&cache, 3);
    sim.to(50);
    assert_eq!((sim.saw(many), sim.saw(single)), ("50: V1 Hit, E7, E7, E7".into(), "50: E7".into()));
    let errors = |i| match sim.answer(i) {
        Answer::Many(answers) => answers.iter().filter_map(error).collect::<Vec<_>>(),
        one => error(one).into_iter().collect(),
    };
    let same = errors(single)[0];
    assert!(errors(many).into_iter().all(|error| core::ptr::eq(error, same)), "one allocation");
    let again = sim.many(&cache, &[2, 3]);
    assert_eq!(sim.saw(again), "50: E7 cached, E7 cached");
    assert_eq!(batches.begun().len(), 1);
    assert_clean(&cache.stats());
}

fn error(answer: &Answer) -> Option<&Boom> {
    match answer {
        Answer::Error(error) => error.error(),
        _ => None,
    }
}

/// C49: a write to one key of a batch affects that key only. (P8)
fn c49_a_write_during_a_batch<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1, 2, 3]);
    sim.to(20);
    assert_eq!(cache.remove(&2), None);
    sim.to(30);
    cache.insert(3, V::new(33));
    sim.to(50);
    assert_eq!(sim.saw(many), "50: V1 Miss, V2 Miss, V33 Miss");
    let held = |key| cache.get_if_present(&key).map(|value| *value);
    assert_eq!((held(1), held(2), held(3)), (Some(1), None, Some(33)));
    assert_clean(&cache.stats());
}

/// D33: a stale value is served for a key whose batch has failed.
fn stale_values_soften_a_failed_batch<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50).fails(7));
    let cache = sim.batched::<R>(&batches, |c| c.ttl(ms(100)).stale_if_error(ms(500)));
    cache.insert(1, V::new(1));
    sim.to(200);
    let many = sim.many(&cache, &[1, 2]);
    sim.to(250);
    assert_eq!(sim.saw(many), "250: V1 Stale(150) +E7, E7");
    assert_clean(&cache.stats());
}

/// P14, D15: the load of a thousand keys is polled once for each wake, and wakes its one waiter once.
fn a_batch_wakes_its_caller_once<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(steps(4, 10));
    let cache = sim.batched::<R>(&batches, |c| c);
    let keys: Vec<u32> = (0..1000).collect();
    let many = sim.many(&cache, &keys);
    assert_eq!(batches.polls(), 1);
    for step in 1..=3 {
        sim.to(10 * step);
        assert_eq!(batches.polls(), 1 + step as usize);
        assert_eq!(sim.wakes(many), 1 + step as usize);
    }
    assert!(sim.saw(many).starts_with("30: V0 Miss, V1 Miss"));
    assert_clean(&cache.stats());
}

/// D98, D7, C54: a key's callers are told its own generation and time left, not those of the key before it, whose older
/// epoch has had its answer meanwhile.
fn d98_what_is_stored_for_another_key<R: Host>() {
    let mut sim = Sim::new();
    let (time, calls) = (sim.time.clone(), Cell::new(0));
    let load = move |keys: Vec<u32>| {
        let (time, call) = (time.clone(), calls.replace(calls.get() + 1));
        async move {
            match call {
                0 => {
                    sleep(&time, 100).await;
                    // It is pending once more when it is polled at the timeout.
                    futures_lite::future::yield_now().await;
                }
                1 => core::future::pending().await,
                _ => {}
            }
            let answer = |key| (key, Ok(Loaded::new(V::new(key)).ttl(ms(1000 * u64::from(key)))));
            Ok::<_, Boom>(keys.into_iter().map(answer))
        }
    };
    let builder = Cache::builder(R::on(sim.clock())).loaded_many_fn(load).shards(1);
    let cache = builder.lock_timeout(ms(100), OnTimeout::Load).build().expect("valid");
    let a = sim.many(&cache, &[1, 2]);
    sim.park(a);
    sim.many(&cache, &[3]);
    let b = sim.many(&cache, &[1, 3, 2]);
    sim.to(50);
    assert!(cache.remove(&1).is_none());
    sim.to(100);
    let Answer::Many(told) = sim.answer(b) else { panic!("{}", sim.saw(b)) };
    for (key, told) in [1, 3, 2].into_iter().zip(told) {
        let Answer::Outcome(told, _) = told else { panic!("{key}: {told}") };
        let held = cache.peek(&key).expect("it is stored");
        if key != 1 {
            assert_eq!((told.generation(), told.time_left()), (held.generation(), held.time_left()), "{key}");
        }
    }
}
