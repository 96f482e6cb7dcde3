//! Loads that answer one by one and end, fail, are dropped, or are too late.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{AnswerSink, Cache, LookupOptions, OnTimeout};
use larder_tests::*;

use super::{Sink, each, in_turn};

on_every_runtime! {
    d34_d61_what_is_not_answered
    d26_a_panic_hits_what_is_not_answered
    d26_what_was_sent_panics_as_well
    d26_a_closure_that_panics_takes_no_answers
    d27_a_weigher_that_panics
    d62_it_is_dropped_with_its_last_answer_or_caller
    p8_a_write_voids_what_comes_later
    an_answer_from_outside_the_load
    d24_the_others_may_time_out
    loads_that_are_not_shared
}

fn bang(number: u32) {
    std::panic::panic_any(Bang(number));
}

/// D34, D61: when the load ends, what it has not answered is missing, or has failed with it.
fn d34_d61_what_is_not_answered<R: Host>() {
    for fails in [false, true] {
        let mut sim = Sim::new();
        let load = move |time: Time, _: Vec<u32>, answers: Sink<R>| async move {
            answers.answer(1, V::new(1));
            sleep(&time, 10).await;
            answers.send(2, Err(Boom(2)));
            // In the same poll as the end.
            sleep(&time, 10).await;
            answers.answer(3, V::new(3));
            if fails { Err(Boom(9)) } else { Ok(()) }
        };
        let cache = each::<R, _>(&sim, load, |c| c);
        let many = sim.many(&cache, &[1, 2, 3, 4, 5]);
        let two = sim.get(&cache, 2);
        sim.to(20);
        assert_eq!(sim.saw(two), "10: E2");
        let rest = if fails { "E9, E9" } else { "Missing, Missing" };
        assert_eq!(sim.saw(many), format!("20: V1 Miss, E2, V3 Miss, {rest}"));
        assert_clean(&cache.stats());
    }
}

/// D26: what was published before stays; the others are told at once.
fn d26_a_panic_hits_what_is_not_answered<R: Host>() {
    let mut sim = Sim::new();
    let load = |time: Time, _: Vec<u32>, answers: Sink<R>| async move {
        answers.answer(1, V::new(1));
        sleep(&time, 10).await;
        answers.answer(2, V::new(2));
        bang(7);
        Ok(())
    };
    let cache = each::<R, _>(&sim, load, |c| c);
    let many = sim.many(&cache, &[1, 2, 3]);
    let [two, three] = [2, 3].map(|key| sim.get(&cache, key));
    sim.to(10);
    assert_eq!(sim.saw(many), "10: unwound 7");
    assert_eq!([two, three].map(|caller| sim.saw(caller)), ["10: Panicked", "10: Panicked"]);
    assert_eq!([1, 2].map(|key| cache.contains(&key)), [true, false]);
    assert_clean(&cache.stats());
}

/// D26, P5: what a load has sent in the poll that panics is dropped meanwhile, and a second panic would end the process.
fn d26_what_was_sent_panics_as_well<R: Host>() {
    #[derive(Clone)]
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            bang(8);
        }
    }

    let sim = Sim::new();
    let load = |_: Vec<u32>, answers: AnswerSink<u32, Bomb, Boom, R>| async move {
        answers.answer(1, Bomb);
        bang(7);
        Ok(())
    };
    let cache = Cache::builder(R::on(sim.clock())).load_each_fn(load).build().expect("valid");
    let mut many = cache.get_many(&[1, 2]);
    let polled = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut many).is_ready()));
    assert_eq!(polled.err().and_then(|panic| panic.downcast().ok()), Some(Box::new(Bang(7))));
    drop(many);
    assert_clean(&cache.stats());
}

/// D27: it fails what was not published, and the load is dropped.
fn d27_a_weigher_that_panics<R: Host>() {
    let mut sim = Sim::new();
    let weigh = |_: &u32, value: &V| {
        if **value == 2 {
            bang(7);
        }
        1
    };
    let cache = each::<R, _>(&sim, in_turn, |c| c.weigher(weigh));
    let many = sim.many(&cache, &[1, 2, 3]);
    let [one, three] = [1, 3].map(|key| sim.get(&cache, key));
    sim.to(20);
    assert_eq!((sim.saw(many), sim.saw(one)), ("20: unwound 7".into(), "10: V1 LockHit".into()));
    assert_eq!((sim.saw(three), cache.contains(&1)), ("20: Panicked".into(), true));
    assert_clean(&cache.stats());
}

/// D62, P2: nobody needs it any more.
fn d62_it_is_dropped_with_its_last_answer_or_caller<R: Host>() {
    let mut sim = Sim::new();
    let held = Rc::new(());
    let owns = Rc::clone(&held);
    let load = move |time: Time, keys: Vec<u32>, answers: Sink<R>| {
        let owns = Rc::clone(&owns);
        async move {
            in_turn(time, keys, answers).await?;
            drop(owns);
            core::future::pending().await
        }
    };
    let cache = each::<R, _>(&sim, load, |c| c);
    let many = sim.many(&cache, &[1, 2]);
    assert_eq!(Rc::strong_count(&held), 3);
    sim.to(20);
    assert_eq!((sim.saw(many), Rc::strong_count(&held)), ("20: V1 Miss, V2 Miss".into(), 2));

    let many = sim.many(&cache, &[3, 4, 5]);
    let three = sim.get(&cache, 3);
    sim.drop(many);
    sim.to(30);
    assert_eq!((sim.saw(three), Rc::strong_count(&held)), ("30: V3 LockHit".into(), 2), "nobody waits for the others");
    assert_clean(&cache.stats());
}

/// P8: a write to a key that was answered counts as after that; one to a key that was not voids what is to come.
fn p8_a_write_voids_what_comes_later<R: Host>() {
    let mut sim = Sim::new();
    let cache = each::<R, _>(&sim, in_turn, |c| c);
    let many = sim.many(&cache, &[1, 2, 3]);
    sim.to(15);
    cache.insert(1, V::new(11));
    cache.insert(2, V::new(22));
    cache.remove(&3);
    sim.to(30);
    assert_eq!(sim.saw(many), "30: V1 Miss, V22 Miss, V3 Miss");
    assert_eq!([1, 2, 3].map(|key| cache.get_if_present(&key).map(|value| *value)), [Some(11), Some(22), None]);
    assert_clean(&cache.stats());
}

/// P3: it wakes who waits, and comes at once; after the end it is dropped.
fn an_answer_from_outside_the_load<R: Host>() {
    let mut sim = Sim::new();
    let sinks: Rc<RefCell<Vec<Sink<R>>>> = Rc::default();
    let keeps = Rc::clone(&sinks);
    let load = move |time: Time, _: Vec<u32>, answers: Sink<R>| {
        keeps.borrow_mut().push(answers);
        async move {
            sleep(&time, 50).await;
            Ok(())
        }
    };
    let cache = each::<R, _>(&sim, load, |c| c);
    let many = sim.many(&cache, &[1, 2, 3]);
    let [one, three] = [1, 3].map(|key| sim.get(&cache, key));
    let answers = sinks.borrow()[0].clone();
    sim.to(10);
    answers.answer(1, V::new(1));
    sim.run();
    assert_eq!(sim.saw(one), "10: V1 LockHit");
    // Before it was polled again.
    sim.park(many);
    sim.to(20);
    answers.answer(2, V::new(2));
    answers.answer(3, V::new(3));
    sim.run();
    assert_eq!((sim.saw(three), cache.len()), ("20: V3 LockHit".into(), 3));
    sim.unpark(many);
    assert_eq!(sim.saw(many), "20: V1 Miss, V2 Miss, V3 Miss");
    cache.clear();
    answers.answer(1, V::new(4));
    assert_eq!((cache.len(), sinks.take().len()), (0, 1));
    assert_clean(&cache.stats());
}

/// D24: who waits for what is not answered yet leaves at the lock timeout.
fn d24_the_others_may_time_out<R: Host>() {
    let mut sim = Sim::new();
    let cache = each::<R, _>(&sim, in_turn, |c| c);
    let many = sim.ask_many(&cache, &[1, 2, 3], LookupOptions::new().lock_timeout(ms(15), OnTimeout::Fail));
    let three = sim.get(&cache, 3);
    sim.to(15);
    assert_eq!(sim.saw(many), "15: V1 Miss, LockTimeout, LockTimeout");
    sim.to(30);
    assert_eq!((sim.saw(three), cache.len()), ("30: V3 LockHit".into(), 3));
    assert_clean(&cache.stats());
}

/// D22: loads that a caller makes for itself alone.
fn loads_that_are_not_shared<R: Host>() {
    let mut sim = Sim::new();
    let cache = each::<R, _>(&sim, in_turn, |c| c.lock_timeout(ms(5), OnTimeout::LoadAlone));
    let first = sim.many(&cache, &[1, 2, 3]);
    let second = sim.many(&cache, &[2, 3]);
    sim.to(25);
    assert_eq!(sim.saw(second), "25: V2 Miss, V3 Miss");
    sim.to(30);
    assert_eq!(sim.saw(first), "30: V1 Miss, V2 Miss, V3 Miss");
    assert_clean(&cache.stats());
}

/// D26, P5: where the closure panics before there is a load, nobody takes what it or others send: it is dropped at once.
fn d26_a_closure_that_panics_takes_no_answers<R: Host>() {
    for many in [false, true] {
        let sim = Sim::new();
        let kept = std::rc::Rc::new(core::cell::RefCell::new(None));
        let keeps = kept.clone();
        let load = move |time: Time, keys: Vec<u32>, answers: Sink<R>| {
            answers.answer(keys[0], V::new(1));
            *keeps.borrow_mut() = Some(answers.clone());
            bang(7);
            in_turn(time, keys, answers)
        };
        let cache = each::<R, _>(&sim, load, |c| c);
        let keys = if many { &[1, 2][..] } else { &[1] };
        let mut call = cache.lookup_many(keys);
        assert!(catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut call).is_ready())).is_err());
        let sink = kept.take().expect("it was kept");
        assert_eq!(memory::growth(|| (0..100).for_each(|key| sink.answer(key, V::new(2)))), 0);
        drop((call, sink));
        assert_clean(&cache.stats());
    }
}
