//! A load of many keys goes on for all its keys, including those whose callers have left.

use larder::{Cache, LoadError, LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    c99_a_key_whose_caller_left
    c99_asked_for_from_inside
    c99_one_call_times_out
    c99_a_write_to_a_key_that_nobody_awaits
    c99_nobody_is_left
}

/// C99: a key whose caller has left is still in flight: a new caller joins, and its answer is stored. (P1, D62)
fn c99_a_key_whose_caller_left<R: Host>() {
    for brought in [false, true] {
        let mut sim = Sim::new();
        let batches = sim.batches(after(50));
        let cache = sim.batched::<R>(&batches, |c| c);
        let keys = [1, 2, 3];
        let many = if brought { sim.many_with(&cache, &keys, &batches) } else { sim.many(&cache, &keys) };
        sim.to(10);
        let three = sim.get(&cache, 3);
        sim.to(20);
        sim.drop(many);
        assert_eq!((cache.stats().flights, cache.stats().waiters), (3, 1));
        sim.to(30);
        let one = sim.get(&cache, 1);
        let both = sim.many(&cache, &[1, 2]);
        sim.to(50);
        assert_eq!((sim.saw(three), sim.saw(one)), ("50: V3 LockHit".into(), "50: V1 LockHit".into()));
        assert_eq!(sim.saw(both), "50: V1 LockHit, V2 LockHit");
        assert_eq!(batches.begun(), [(0, vec![1, 2, 3])]);
        assert_eq!(held(&cache, &keys), [1, 2, 3]);
        assert_clean(&cache.stats());
    }
}

/// C99: a load that asks for one of its own keys, whose caller has left, would wait for itself. (D62, D66)
fn c99_asked_for_from_inside<R: Host>() {
    for many in [false, true] {
        let mut sim = Sim::new();
        let own: Rc<RefCell<Option<Cache<u32, V, Boom, R>>>> = Rc::default();
        let heard: Rc<RefCell<Vec<String>>> = Rc::default();
        let (inside, hears, time) = (own.clone(), heard.clone(), sim.time.clone());
        let load = move |keys: Vec<u32>| {
            let (inside, hears, time) = (inside.clone(), hears.clone(), time.clone());
            async move {
                if keys.len() > 1 {
                    sleep(&time, 25).await;
                    let cache = inside.borrow().clone().expect("set before the first call");
                    // Key 1 has no caller, key 3 has one, and key 4 does not belong to this load.
                    for key in [1, 3, 4] {
                        let result = if many { cache.get_many(&[key]).await.remove(0) } else { cache.get(&key).await };
                        hears.borrow_mut().push(Answer::from(result).to_string());
                    }
                    sleep(&time, 25).await;
                }
                Ok::<_, Boom>(keys.into_iter().map(|key| (key, V::new(key))))
            }
        };
        let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).build().expect("valid");
        own.replace(Some(cache.clone()));
        let callers = sim.many(&cache, &[1, 2, 3]);
        sim.to(10);
        let three = sim.get(&cache, 3);
        sim.to(20);
        sim.drop(callers);
        sim.to(25);
        assert_eq!(*heard.borrow(), ["Reentrant", "Reentrant", "V4"]);
        sim.to(50);
        assert_eq!(sim.saw(three), "50: V3 LockHit");
        assert_eq!(held(&cache, &[1, 2, 3, 4]), [1, 2, 3, 4]);
        assert_clean(&cache.stats());
        own.take();
    }
}

/// C99: a call of a hundred keys times out while one other waiter stays, and no answer is lost. (P2, D24, D62)
fn c99_one_call_times_out<R: Host>() {
    for then in [OnTimeout::Fail, OnTimeout::Stale] {
        let mut sim = Sim::new();
        let batches = sim.batches(after(50));
        let cache = sim.batched::<R>(&batches, |c| c.stale_while_refresh(ms(500)));
        let keys: Vec<u32> = (0..100).collect();
        let many = sim.ask_many(&cache, &keys, LookupOptions::new().lock_timeout(ms(20), then));
        let patient = sim.get(&cache, 42);
        sim.to(20);
        let Answer::Many(answers) = sim.answer(many) else { panic!("it has many answers") };
        assert!(answers.iter().all(|answer| matches!(answer, Answer::Error(LoadError::LockTimeout))));
        assert_eq!((cache.stats().flights, cache.stats().waiters), (100, 1));
        sim.to(50);
        assert_eq!((sim.saw(patient), batches.begun().len()), ("50: V42 LockHit".into(), 1));
        assert_eq!(held(&cache, &keys), keys, "none is lost");
        assert_clean(&cache.stats());
    }
}

/// C99, D65: a write voids the answer for its key, although no caller waits for it; the others are stored. (P8)
fn c99_a_write_to_a_key_that_nobody_awaits<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1, 2, 3, 4]);
    let four = sim.get(&cache, 4);
    sim.drop(many);
    sim.to(20);
    cache.remove(&1);
    cache.insert(2, V::new(22));
    let one = sim.get(&cache, 1);
    sim.to(50);
    assert_eq!((sim.saw(four), cache.contains(&1)), ("50: V4 LockHit".into(), false));
    assert_eq!(held(&cache, &[2, 3, 4]), [22, 3, 4]);
    sim.to(70);
    assert_eq!(sim.saw(one), "70: V1 Miss");
    assert_eq!(batches.begun(), [(0, vec![1, 2, 3, 4]), (20, vec![1])]);
    assert_clean(&cache.stats());
}

/// C99: once no caller waits for any of its keys, the load is dropped, and none of the keys is in flight any more. (P2)
fn c99_nobody_is_left<R: Host>() {
    let mut sim = Sim::new();
    let batches = sim.batches(after(50));
    let cache = sim.batched::<R>(&batches, |c| c);
    let many = sim.many(&cache, &[1, 2, 3]);
    let three = sim.get(&cache, 3);
    sim.drop(many);
    sim.to(20);
    sim.drop(three);
    assert_eq!(batches.live(), 0);
    assert_clean(&cache.stats());
    let one = sim.get(&cache, 1);
    sim.to(70);
    assert_eq!((sim.saw(one), batches.begun().len()), ("70: V1 Miss".into(), 2));
    assert_clean(&cache.stats());
}

/// The values of these keys that are stored.
fn held<R: Host>(cache: &Batched<R>, keys: &[u32]) -> Vec<u32> {
    keys.iter().filter_map(|key| cache.get_if_present(key)).map(|value| *value).collect()
}
