//! A call for many keys sleeps once, for all of them.

use std::cell::Cell;

use larder::{Cache, LoadError, Loaded, ManualClock, OnTimeout, parts::Local};
use larder_tests::*;

/// P3, P14: 1000 keys that wait for their lock timeout take one sleep, and none when they are told.
#[test]
fn p3_many_keys_with_one_deadline_sleep_once() {
    let mut sim = Sim::new();
    let builder = Cache::<u32, V, Boom, _>::builder(Counted::new(sim.clock())).lock_timeout(ms(10), OnTimeout::Fail);
    let cache =
        builder.loaded_many_fn(|_| core::future::pending::<Result<Vec<(u32, Result<Loaded<V>, Boom>)>, Boom>>());
    let cache = cache.build().expect("valid");
    let keys: Vec<u32> = (0..1000).collect();
    let (own, all) = (cache.clone(), keys.clone());
    let first = sim.call(async move { own.get_many(&all).await.remove(999) });
    let second = sim.call(async move { cache.get_many(&keys).await.remove(0) });
    assert_eq!(Sleeps::take(), Sleeps { live: 2, most: 2 });
    sim.to(9);
    let before = sim.wakes(first);
    sim.to(10);
    assert_eq!(sim.wakes(first), before + 1, "woken once for all keys");
    assert!(sim.saw(first).contains("Timeout") && sim.saw(second).contains("Timeout"), "{}", sim.saw(first));
    assert_eq!(Sleeps::take(), Sleeps { live: 0, most: 2 });
}

/// P3: members whose deadlines differ look at each in time, and the one sleep moves on.
#[test]
fn p3_many_keys_with_many_deadlines_sleep_until_the_next() {
    let mut sim = Sim::new();
    let calls = std::rc::Rc::new(Cell::new(0_u32));
    let counts = calls.clone();
    let builder = Cache::<u32, V, Boom, _>::builder(Counted::new(sim.clock())).lock_age(ms(100));
    let cache = builder
        .load_fn(move |key| {
            let call = counts.replace(counts.get() + 1);
            async move {
                // The first load of each key hangs.
                if call < 20 { core::future::pending().await } else { Ok(V::new(key)) }
            }
        })
        .build()
        .expect("valid");
    for key in 0..20 {
        sim.to(u64::from(key));
        let cache = cache.clone();
        sim.call(async move { cache.get(&key).await });
    }
    let own = cache.clone();
    let before = Sleeps::take().live;
    let many = sim.call(async move {
        let told: Vec<Result<V, LoadError<Boom>>> = own.get_many(&(0..20).collect::<Vec<_>>()).await;
        assert!(told.iter().all(Result::is_ok));
        told.into_iter().next_back().expect("there are some")
    });
    assert_eq!(Sleeps::take(), Sleeps { live: before + 1, most: before + 1 });
    for key in 0..20_u32 {
        sim.to(99 + u64::from(key));
        assert_eq!((calls.get(), sim.saw(many).as_str()), (20 + key, "waits"));
        sim.to(100 + u64::from(key));
        assert_eq!(calls.get(), 21 + key, "taken over in time");
    }
    assert_eq!(sim.saw(many), "119: V19");
    assert_eq!(Sleeps::take().live, 0);
}

/// D63: keys whose lock ages are over when the call is polled late are loaded together.
#[test]
fn d63_deadlines_that_have_all_passed_are_looked_at_together() {
    let mut sim = Sim::new();
    let batches = Batches::new(&sim.time, |_, nth| if nth < 3 { never() } else { ready() });
    let cache = sim.batched::<Local<ManualClock>>(&batches, |c| c.lock_age(ms(100)));
    for key in 0..3 {
        sim.to(u64::from(key));
        _ = sim.get(&cache, key);
    }
    (0..3).for_each(|i| sim.park(i));
    let many = sim.many(&cache, &[0, 1, 2]);
    sim.park(many);
    sim.to(200);
    sim.unpark(many);
    assert!(sim.saw(many).starts_with("200: "), "{}", sim.saw(many));
    assert_eq!(batches.begun().last().map(|begun| begun.1.clone()), Some(vec![0, 1, 2]), "one load for all");
    assert_eq!(batches.begun().len(), 4);
}

/// D18, D93: an answer that gets ready while another load of the call is polled beats the deadline that passes meanwhile.
#[test]
fn d18_a_ready_answer_beats_a_deadline_that_passes_during_the_poll() {
    let mut sim = Sim::new();
    let (time, gate, calls) = (sim.time.clone(), Gate::default(), Cell::new(0));
    let opens = gate.clone();
    let load = move |keys: Vec<u32>| {
        let (time, clock, opens) = (time.clone(), time.clock(), opens.clone());
        let waits = opens.clone();
        let call = calls.replace(calls.get() + 1);
        async move {
            if call == 0 {
                sleep(&time, 10).await;
                // It takes its time, and brings what the other one waits for.
                clock.advance(ms(100));
                opens.open();
            } else {
                core::future::poll_fn(|cx| waits.poll(cx)).await;
            }
            Ok::<_, Boom>(keys.into_iter().map(|key| (key, Ok(Loaded::new(V::new(key))))))
        }
    };
    let builder = Cache::builder(Local::new(sim.clock())).loaded_many_fn(load).max_batch(1);
    let cache = builder.lock_timeout(ms(50), OnTimeout::Fail).build().expect("valid");
    let many = sim.many(&cache, &[1, 2]);
    sim.to(10);
    assert!(sim.saw(many).ends_with(": V1 Miss, V2 Miss"), "{}", sim.saw(many));
}
