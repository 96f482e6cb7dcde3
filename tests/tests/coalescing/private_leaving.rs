//! Callers that leave loads which are not shared, writes beside them, and calls from inside them.

use larder::{Cache, OnTimeout};
use larder_tests::*;

use super::private::{alone_for, own, told};

on_every_runtime! {
    c106_its_own_caller_has_left
    a_load_goes_with_its_caller
    dropped_at_every_time
    an_insert_ends_all_waits
    after_a_removal
    one_who_has_a_load_in_two_epochs
    c82_from_inside_a_load_that_is_not_shared
    c82_from_inside_a_load_after_a_private_answer
    p6_an_older_attempt_that_answers_last
    c82_from_inside_a_load_of_many_that_is_not_shared
}

/// C106: then no caller gets the answer. (D104)
fn c106_its_own_caller_has_left<R: Host>() {
    let mut sim = Sim::new();
    let loads = own(&sim);
    let cache = sim.cache::<R>(&loads, |c| c);
    let first = sim.get(&cache, 7);
    let joined = sim.crowd(&cache, 7, 2);
    sim.to(10);
    sim.drop(first);
    sim.to(100);
    assert_eq!(told(&sim, &joined), [1, 2]);
    assert_eq!((loads.calls(), cache.stats().loads_succeeded), (3, 3));
    assert_clean(&cache.stats());
}

/// P2: if each caller loads by itself, the load of a caller that left is useless, and the next load begins at once.
fn a_load_goes_with_its_caller<R: Host>() {
    for lent in [false, true] {
        let mut sim = Sim::new();
        let loads = own(&sim);
        let cache = sim.cache::<R>(&loads, |c| c.attempts(1));
        let first = sim.get(&cache, 7);
        let (at, load) = (cache.clone(), loads.clone());
        let second = match lent {
            false => sim.get(&cache, 7),
            true => sim.call(async move { at.lookup(&7).lend(|| larder::Load::load(&load, 7)).await }),
        };
        let third = sim.get(&cache, 7);
        sim.to(40);
        assert_eq!((told(&sim, &[first]), loads.calls(), loads.live()), (vec![0], 2, 1));
        sim.drop(second);
        sim.run();
        assert_eq!((loads.calls(), loads.live()), (3, 1));
        sim.to(70);
        assert_eq!(told(&sim, &[third]), [2]);
        assert_eq!(cache.stats().loads_dropped, 1);
        assert_clean(&cache.stats());
    }
}

/// P2, P3: any of six callers leaves or is parked at any time; each of the others gets its own value, and nothing stays
/// behind.
fn dropped_at_every_time<R: Host>() {
    for parks in [false, true] {
        for who in 0..6 {
            for at in (0..=150).step_by(15) {
                let mut sim = Sim::new();
                let loads = own(&sim);
                let cache = sim.cache::<R>(&loads, |c| c.attempts(2));
                let callers = sim.crowd(&cache, 7, 6);
                sim.to(at);
                let gone = callers[who];
                let was_over = sim.saw(gone) != "waits";
                if parks {
                    sim.park(gone)
                } else {
                    sim.drop(gone)
                }
                sim.to(400);
                let others: Vec<_> = callers.iter().copied().filter(|caller| *caller != gone || was_over).collect();
                let mut values = told(&sim, &others);
                values.sort_unstable();
                values.dedup();
                assert_eq!(values.len(), others.len(), "{parks} {who} {at}");
                sim.drop(gone);
                assert_clean(&cache.stats());
            }
        }
    }
}

/// D39: they get what they asked for, and a newer value.
fn an_insert_ends_all_waits<R: Host>() {
    let mut sim = Sim::new();
    let loads = own(&sim);
    let cache = sim.cache::<R>(&loads, |c| c.attempts(1));
    let callers = sim.crowd(&cache, 7, 4);
    sim.to(40);
    cache.insert(7, V::new(99));
    sim.run();
    let saw: Vec<_> = callers.iter().map(|caller| sim.saw(*caller)).collect();
    assert_eq!(saw, ["30: V0 Miss", "40: V99 Miss", "40: V99 LockHit", "40: V99 LockHit"]);
    assert_eq!((loads.live(), cache.get_if_present(&7).map(|v| *v)), (0, Some(99)));
    assert_clean(&cache.stats());
}

/// D40: a caller from before still loads by itself; later callers share a load.
fn after_a_removal<R: Host>() {
    let mut sim = Sim::new();
    let loads = own(&sim);
    let cache = sim.cache::<R>(&loads, |c| c.attempts(1));
    let early = sim.crowd(&cache, 7, 4);
    sim.to(40);
    cache.remove(&7);
    let late = sim.crowd(&cache, 7, 2);
    assert_eq!((loads.calls(), loads.live()), (3, 2));
    sim.to(69);
    assert_eq!(sim.saw(late[1]), "waits");
    sim.to(200);
    let mut values = told(&sim, &early);
    values.extend(told(&sim, &late));
    values.sort_unstable();
    assert!(values.into_iter().eq(0..6));
    assert_clean(&cache.stats());
}

/// D11: a load that an earlier caller begins after a write serves no caller of the newer epoch.
fn one_who_has_a_load_in_two_epochs<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| match call {
        0 => never(),
        call => after(30).gives(call as u32).ttl(alone_for(1000)),
    });
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(50)));
    let first = sim.get(&cache, 7);
    let second = sim.get(&cache, 7);
    cache.remove(&7);
    sim.to(50);
    assert_eq!(loads.begun(), [0, 50]);
    let late = sim.get(&cache, 7);
    assert_eq!(loads.calls(), 2, "it joins the load that was begun after the write");
    sim.to(80);
    assert_eq!((told(&sim, &[second]), sim.saw(late).as_str()), (vec![1], "waits"));
    sim.to(110);
    // (The first caller's load never ends, and no other load serves it.)
    assert_eq!(told(&sim, &[late]).len(), 1);
    sim.to(200);
    sim.drop(first);
    assert_clean(&cache.stats());
}

/// What a load gets when it asks its cache for its own key.
type Heard = Rc<RefCell<Vec<String>>>;

/// A cache whose loads first ask for their own key, and return private values.
///
/// They answer once the gate is open.
fn asking<R: Host>(sim: &Sim, is_alone: bool, gate: &Gate) -> (Scripted<R>, Heard, Rc<RefCell<Option<Scripted<R>>>>) {
    let (heard, itself) = (Heard::default(), Rc::<RefCell<Option<Scripted<R>>>>::default());
    let (hears, asks, gate) = (heard.clone(), itself.clone(), gate.clone());
    let builder = Cache::builder(R::on(sim.clock())).loaded_fn(move |key: u32| {
        let (hears, asks, gate) = (hears.clone(), asks.clone(), gate.clone());
        async move {
            let cache = asks.borrow().clone().expect("set before the first call");
            let told = cache.get(&key).await;
            hears
                .borrow_mut()
                .push(told.map_or_else(|error| Answer::<V>::Error(error).to_string(), |_| "a value".into()));
            core::future::poll_fn(|context| gate.poll(context)).await;
            let ttl = if is_alone { alone_for(1000) } else { larder::Ttl::NotStored };
            Ok::<_, Boom>(larder::Loaded::new(V::new(key)).ttl(ttl))
        }
    });
    let builder = if is_alone { builder } else { builder.lock_timeout(ms(0), OnTimeout::LoadAlone) };
    let cache = builder.build().expect("valid");
    itself.replace(Some(cache.clone()));
    (cache, heard, itself)
}

/// C82: such a load gets an error, instead of loading by itself without end. (D66)
fn c82_from_inside_a_load_that_is_not_shared<R: Host>() {
    let mut sim = Sim::new();
    let open = Gate::default();
    open.open();
    let (cache, heard, itself) = asking::<R>(&sim, true, &open);
    let callers = [sim.get(&cache, 7), sim.get(&cache, 7), sim.get(&cache, 8), sim.get(&cache, 7)];
    assert_eq!(*heard.borrow(), ["Reentrant"; 4]);
    assert!(callers.iter().all(|caller| sim.saw(*caller).ends_with("Miss")));
    let keys = vec![7, 8];
    let many = sim.many(&cache, &keys);
    assert_eq!(sim.saw(many), "0: V7 Miss, V8 Miss");
    assert_eq!((heard.borrow().len(), cache.stats().errors), (6, 6));
    assert_clean(&cache.stats());
    itself.take();

    // The same for a caller that loads alone after its timeout.
    let (cache, heard, itself) = asking::<R>(&sim, false, &open);
    let gate = Gate::default();
    let at = cache.clone();
    let opens = gate.clone();
    let first = sim.call(async move {
        let load = || async move {
            core::future::poll_fn(|context| opens.poll(context)).await;
            Ok(V::new(1))
        };
        at.get_or_load(&7, load).await
    });
    let second = sim.get(&cache, 7);
    assert_eq!((sim.saw(second).as_str(), heard.borrow().as_slice()), ("0: V7 Miss", &["Reentrant".to_owned()][..]));
    gate.open();
    sim.run();
    assert_eq!(sim.saw(first), "0: V1");
    assert_clean(&cache.stats());
    itself.take();
}

/// C82: also from inside the load of a caller that has joined one whose answer was for another alone. (D66, D104)
fn c82_from_inside_a_load_after_a_private_answer<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    let (cache, heard, itself) = asking::<R>(&sim, true, &gate);
    let callers = [sim.get(&cache, 7), sim.get(&cache, 7), sim.get(&cache, 7)];
    assert_eq!(*heard.borrow(), ["Reentrant"]);
    gate.open();
    sim.run();
    assert!(callers.iter().all(|caller| sim.saw(*caller) == "0: V7 Miss"));
    assert_eq!(*heard.borrow(), ["Reentrant"; 3], "one for each load");
    assert_clean(&cache.stats());
    itself.take();
}

/// C82, for loads of many keys: any of them. (D62, D66)
fn c82_from_inside_a_load_of_many_that_is_not_shared<R: Host>() {
    let mut sim = Sim::new();
    let (heard, itself) = (Heard::default(), Rc::<RefCell<Option<Scripted<R>>>>::default());
    let (hears, asks) = (heard.clone(), itself.clone());
    let builder = Cache::builder(R::on(sim.clock())).loaded_many_fn(move |keys: Vec<u32>| {
        let (hears, asks) = (hears.clone(), asks.clone());
        async move {
            let cache = asks.borrow().clone().expect("set before the first call");
            for key in &keys {
                let told = cache.get(key).await;
                let told = told.map_or_else(|error| Answer::<V>::Error(error).to_string(), |_| "a value".into());
                hears.borrow_mut().push(told);
            }
            let answer = |key| (key, Ok(larder::Loaded::new(V::new(key)).ttl(alone_for(1000))));
            Ok::<_, Boom>(keys.into_iter().map(answer).collect::<Vec<_>>())
        }
    });
    let cache = builder.build().expect("valid");
    itself.replace(Some(cache.clone()));
    for n in 1..4 {
        let many = sim.many(&cache, &[7, 8]);
        assert_eq!(sim.saw(many), "0: V7 Miss, V8 Miss");
        assert_eq!(*heard.borrow(), vec!["Reentrant"; 2 * n]);
    }
    let single = sim.get(&cache, 7);
    assert_eq!((sim.saw(single).as_str(), heard.borrow().len()), ("0: V7 Miss", 7));
    assert_clean(&cache.stats());
    itself.take();
}

/// P6, D104: an older attempt answers after a newer one, whose answer was for its own caller alone: so is this one.
fn p6_an_older_attempt_that_answers_last<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| match call {
        0 => after(100).gives(0),
        call => after(10).gives(call as u32).ttl(alone_for(1000)),
    });
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(20)).ttl(ms(60_000)).capacity(10));
    let older = sim.get(&cache, 7);
    sim.to(20);
    let newer = sim.get(&cache, 7);
    sim.to(30);
    assert_eq!(sim.saw(newer), "30: V1 Miss");
    sim.to(100);
    assert_eq!((sim.saw(older), cache.len()), ("100: V0 Miss".into(), 0));
    let late = [sim.get(&cache, 7), sim.get(&cache, 7)];
    assert_eq!(loads.calls(), 4, "each loads alone");
    sim.to(110);
    assert_eq!(late.map(|i| sim.saw(i)), ["110: V2 Miss", "110: V3 Miss"]);
    assert_clean(&cache.stats());
}
