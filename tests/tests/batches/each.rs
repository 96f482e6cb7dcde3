//! Loads of many keys whose answers come one by one.

mod ends;

use core::future::Future;

use larder::{AnswerSink, Builder, Cache, Failed, Loaded, LookupOptions};
use larder_tests::*;

on_every_runtime! {
    callers_are_told_when_their_key_is_answered
    d5_each_delivery_has_a_reading_of_its_own
    d29_a_delivery_is_stored_before_anybody_is_woken
    d60_a_key_is_answered_once
    d60_surplus_comes_with_its_delivery
    d97_a_load_is_told_that_it_is_a_reload
    d111_a_key_that_fails_may_bring_what_to_serve
    a_single_key_is_told_at_once
    c101_each_wake_polls_it_once
}

type Sink<R> = AnswerSink<u32, V, Boom, R>;

/// A cache whose loads of many keys are `load`.
fn each<R: Host, F: Future<Output = Result<(), Boom>> + 'static>(
    sim: &Sim,
    load: impl Fn(Time, Vec<u32>, Sink<R>) -> F + 'static,
    setup: impl FnOnce(Builder<u32, V, Boom, R>) -> Builder<u32, V, Boom, R>,
) -> Batched<R> {
    let time = sim.time.clone();
    let builder = Cache::builder(R::on(sim.clock()));
    setup(builder).load_each_fn(move |keys, answers| load(time.clone(), keys, answers)).build().expect("valid")
}

/// Answers each key ten milliseconds after the one before, and ends ten milliseconds after the last.
async fn in_turn<R: Host>(time: Time, keys: Vec<u32>, answers: Sink<R>) -> Result<(), Boom> {
    for key in keys {
        sleep(&time, 10).await;
        answers.answer(key, V::new(key));
    }
    sleep(&time, 10).await;
    Ok(())
}

/// P1, P3: callers that joined are told at once, and the call of many has its answers with the last.
fn callers_are_told_when_their_key_is_answered<R: Host>() {
    for by_many in [false, true] {
        let mut sim = Sim::new();
        let cache = each::<R, _>(&sim, in_turn, |c| c);
        let first = sim.many(&cache, &[1, 2, 3]);
        let one = if by_many { sim.many(&cache, &[1]) } else { sim.get(&cache, 1) };
        let [three, two] = [3, 2].map(|key| sim.get(&cache, key));
        if by_many {
            // Those who joined drive it as well.
            sim.park(first);
        }
        sim.to(10);
        assert_eq!(sim.saw(one), "10: V1 LockHit");
        assert_eq!((cache.len(), cache.stats().loads_succeeded), (1, 1));
        sim.to(20);
        assert_eq!(sim.saw(two), "20: V2 LockHit");
        sim.to(30);
        assert_eq!(sim.saw(three), "30: V3 LockHit");
        if by_many {
            sim.unpark(first);
        }
        assert_eq!(sim.saw(first), "30: V1 Miss, V2 Miss, V3 Miss");
        assert_eq!((cache.stats().loads_begun, cache.stats().loads_succeeded), (3, 3));
        assert_clean(&cache.stats());
    }
}

/// D111, D33: each caller has it by its own limit, of one key as of many.
fn d111_a_key_that_fails_may_bring_what_to_serve<R: Host>() {
    let mut sim = Sim::new();
    let load = |time: Time, keys: Vec<u32>, answers: Sink<R>| async move {
        sleep(&time, 10).await;
        for key in keys {
            answers.fail(key, Failed::new(Boom(key)).instead(Loaded::new(V::new(9)).stale(ms(20))));
        }
        Ok(())
    };
    let cache = each::<R, _>(&sim, load, |c| c.stale_if_error(ms(50)));
    sim.to(1000);
    let many = sim.many(&cache, &[1, 2]);
    let fussy = sim.ask(&cache, 1, LookupOptions::new().stale_if_error(ms(19)));
    let single = sim.get(&cache, 3);
    sim.to(1010);
    assert_eq!(sim.saw(many), "1010: V9 Stale(20) +E1, V9 Stale(20) +E2");
    assert_eq!((sim.saw(fussy).as_str(), sim.saw(single).as_str()), ("1010: E1", "1010: V9 Stale(20) +E3"));
    assert_eq!((cache.len(), cache.stats().loads_failed), (3, 3), "held as stale ones");
    assert_clean(&cache.stats());
}

/// D5: what is sent in one poll has one reading, and its lifetime counts from there.
fn d5_each_delivery_has_a_reading_of_its_own<R: Host>() {
    let mut sim = Sim::new();
    let load = |time: Time, keys: Vec<u32>, answers: Sink<R>| async move {
        for two in keys.chunks(2) {
            sleep(&time, 10).await;
            two.iter().for_each(|key| answers.answer(*key, Loaded::new(V::new(*key)).ttl(ms(100))));
        }
        Ok(())
    };
    let cache = each::<R, _>(&sim, load, |c| c);
    let many = sim.many(&cache, &[1, 2, 3, 4]);
    sim.to(50);
    assert_eq!(sim.saw(many), "20: V1 Miss, V2 Miss, V3 Miss, V4 Miss");
    let ages = [1, 2, 3, 4].map(|key| cache.peek(&key).map(|found| found.age().as_millis()));
    assert_eq!(ages, [40, 40, 30, 30].map(Some));
    sim.to(115);
    assert_eq!([1, 2, 3, 4].map(|key| cache.contains(&key)), [false, false, true, true]);

    let open = Rc::new([0; 3].map(|_| Gate::default()));
    let gates = Rc::clone(&open);
    let load = move |_: Time, keys: Vec<u32>, answers: Sink<R>| {
        let gates = Rc::clone(&gates);
        async move {
            for (gate, key) in gates.iter().zip(&keys) {
                core::future::poll_fn(|context| gate.poll(context)).await;
                // Those from before were published.
                (0..=*key).for_each(|key| answers.answer(key, V::new(key)));
            }
            Ok(())
        }
    };
    let cache = each::<R, _>(&sim, load, |c| c.ttl(ms(100)));
    let keys: Vec<u32> = (0..3).collect();
    let mut many = cache.get_many(&keys);
    assert!(wakers::poll_once(&mut many).is_pending());
    for (nth, gate) in open.iter().enumerate() {
        gate.open_quietly();
        let before = sim.clock().reads();
        let is_told = wakers::poll_once(&mut many).is_ready();
        assert_eq!((sim.clock().reads() - before, is_told), (1, nth == 2), "delivery {nth}");
    }
}

/// D29: all that one poll has sent is there when the first caller is woken.
fn d29_a_delivery_is_stored_before_anybody_is_woken<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let opens = gate.clone();
    let load = move |_: Time, keys: Vec<u32>, answers: Sink<R>| {
        let gate = opens.clone();
        async move {
            core::future::poll_fn(|context| gate.poll(context)).await;
            keys.iter().take(60).for_each(|key| answers.answer(*key, V::new(*key)));
            core::future::pending().await
        }
    };
    let cache = each::<R, _>(&sim, load, |c| c.shards(16));
    let keys: Vec<u32> = (0..100).collect();
    let mut many = cache.get_many(&keys);
    let mut others: Vec<_> = keys.iter().map(|key| cache.get(key)).collect();
    assert!(wakers::poll_once(&mut many).is_pending());
    let found: Rc<RefCell<Vec<usize>>> = Rc::default();
    let (finds, own, asked) = (found.clone(), cache.clone(), keys.clone());
    let look = move || finds.borrow_mut().push(asked.iter().filter(|key| own.contains(*key)).count());
    wakers::calling(look, |waker| {
        assert!(others.iter_mut().all(|other| wakers::poll_with(other, waker).is_pending()));
        gate.open_quietly();
        found.take();
        assert!(wakers::poll_once(&mut many).is_pending());
        let told =
            others.iter_mut().map(|other| wakers::poll_with(other, waker)).filter(|told| told.is_ready()).count();
        assert_eq!(told, 60);
    });
    assert_eq!(*found.borrow(), [60; 60], "those who still wait are not woken");
}

/// D60: the first answer for a key counts, in this delivery or an earlier one, whatever has become of it.
fn d60_a_key_is_answered_once<R: Host>() {
    for surplus in [false, true] {
        let mut sim = Sim::new();
        let load = |time: Time, _: Vec<u32>, answers: Sink<R>| async move {
            answers.answer(1, V::new(10));
            answers.answer(1, V::new(11));
            answers.send(1, Err(Boom(12)));
            sleep(&time, 10).await;
            answers.answer(1, V::new(13));
            sleep(&time, 10).await;
            answers.answer(1, V::new(14));
            answers.answer(2, V::new(20));
            Ok(())
        };
        let cache = each::<R, _>(&sim, load, |c| if surplus { c.store_surplus() } else { c });
        let many = sim.many(&cache, &[1, 2]);
        assert_eq!(cache.get_if_present(&1), Some(V::new(10)));
        cache.remove(&1);
        sim.to(20);
        assert_eq!((sim.saw(many), cache.contains(&1)), ("20: V10 Miss, V20 Miss".into(), false));
        assert_clean(&cache.stats());
    }
}

/// D60: answers that were not asked for.
fn d60_surplus_comes_with_its_delivery<R: Host>() {
    let mut sim = Sim::new();
    let load = |time: Time, keys: Vec<u32>, answers: Sink<R>| async move {
        answers.answer(8, V::new(8));
        sleep(&time, 10).await;
        answers.answer(9, V::new(9));
        in_turn(time, keys, answers).await
    };
    let cache = each::<R, _>(&sim, load, |c| c.store_surplus());
    let many = sim.many(&cache, &[1, 2]);
    assert_eq!([8, 9].map(|key| cache.contains(&key)), [true, false]);
    // It has been read before.
    cache.insert(9, V::new(99));
    cache.remove(&9);
    sim.to(10);
    assert_eq!([8, 9].map(|key| cache.contains(&key)), [true, false]);
    sim.to(30);
    assert_eq!(sim.saw(many), "30: V1 Miss, V2 Miss");
    assert_clean(&cache.stats());
}

/// A lookup of one key ends with its answer, and not with the load.
fn a_single_key_is_told_at_once<R: Host>() {
    for surplus in [false, true] {
        let mut sim = Sim::new();
        let load = |time: Time, keys: Vec<u32>, answers: Sink<R>| async move {
            answers.answer(7, V::new(7));
            sleep(&time, 10).await;
            match keys[0] {
                1 => answers.answer(1, V::new(1)),
                2 => answers.send(2, Err(Boom(2))),
                3 => return Err(Boom(3)),
                _ => return Ok(()),
            }
            core::future::pending().await
        };
        let cache = each::<R, _>(&sim, load, |c| if surplus { c.store_surplus() } else { c });
        let callers = [1, 2, 3, 4].map(|key| sim.get(&cache, key));
        sim.to(10);
        let saw = callers.map(|caller| sim.saw(caller));
        assert_eq!(saw, ["10: V1 Miss", "10: E2", "10: E3", "10: Missing"]);
        assert_eq!(cache.contains(&7), surplus);
        assert_clean(&cache.stats());
    }
}

/// C101: the load is polled as often as it is woken, and so is the call.
fn c101_each_wake_polls_it_once<R: Host>() {
    const KEYS: u32 = 1000;
    let mut sim = Sim::new();
    let polls = Rc::new(Cell::new(0));
    let counts = Rc::clone(&polls);
    let load = move |time: Time, keys: Vec<u32>, answers: Sink<R>| {
        let (counts, mut load) = (Rc::clone(&counts), Box::pin(in_turn(time, keys, answers)));
        core::future::poll_fn(move |context| {
            counts.set(counts.get() + 1);
            load.as_mut().poll(context)
        })
    };
    let cache = each::<R, _>(&sim, load, |c| c.max_batch(2000));
    let many = sim.many(&cache, &(0..KEYS).collect::<Vec<_>>());
    sim.to(10 * u64::from(KEYS));
    assert!(sim.saw(many).starts_with("10000: V0 Miss, V1 Miss"));
    assert_eq!((polls.get(), sim.wakes(many)), (KEYS + 1, KEYS as usize + 1));
    assert_clean(&cache.stats());
}

/// D97: whether it is of one key or of many; a plain caller that comes to lead after it does not reload.
fn d97_a_load_is_told_that_it_is_a_reload<R: Host>() {
    let mut sim = Sim::new();
    let load = |_, keys: Vec<u32>, answers: Sink<R>| async move {
        for key in keys {
            answers.answer(key, V::new(if answers.is_reload() { key + 10 } else { key }));
        }
        Ok(())
    };
    let cache = each::<R, _>(&sim, load, |c| c);
    let reload = LookupOptions::new().reload();
    let plain = sim.many(&cache, &[1, 2]);
    let one = sim.ask(&cache, 1, reload);
    let many = sim.ask_many(&cache, &[1, 3], reload);
    let after = sim.get(&cache, 4);
    assert_eq!((sim.saw(plain).as_str(), sim.saw(one).as_str()), ("0: V1 Miss, V2 Miss", "0: V11 Miss"));
    assert_eq!((sim.saw(many).as_str(), sim.saw(after).as_str()), ("0: V11 Miss, V13 Miss", "0: V4 Miss"));
}
