//! Loads whose last caller has left, finished by a spawner.

use larder::{Cache, LookupOptions, OnTimeout};
use larder_tests::*;

type Finishing = Cache<u32, V, Boom, Spawning>;

/// A cache that hands abandoned loads to `spawner`.
fn finishing(spawner: &Spawning, loads: &Loads) -> Finishing {
    let builder = Cache::builder(spawner.clone()).loader(loads.clone()).ttl(ms(100)).error_ttl(ms(1000));
    builder.stale_if_error(ms(60)).finish_abandoned().build().expect("valid")
}

fn ask(sim: &mut Sim, cache: &Finishing, options: LookupOptions) -> usize {
    let cache = cache.clone();
    sim.call(async move { cache.lookup(&7).options(options).await })
}

/// The only caller of a load gives up at 50; returns what was spawned for the load, polled as a caller.
fn give_up(sim: &mut Sim, spawner: &Spawning, cache: &Finishing) -> usize {
    let impatient = ask(sim, cache, LookupOptions::new());
    sim.to(50);
    assert_eq!(spawner.take().len(), 0);
    sim.drop(impatient);
    let mut tasks = spawner.take();
    assert_eq!(tasks.len(), 1);
    sim.call(tasks.remove(0))
}

/// C96: a spawned task finishes the load; meanwhile another caller joins it. (P2)
#[test]
fn c96_abandoned_and_finished() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(150).gives(1));
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        let task = give_up(&mut sim, &spawner, &cache);
        assert_eq!(loads.live(), 1);
        sim.to(100);
        let joined = ask(&mut sim, &cache, LookupOptions::new());
        sim.to(150);
        assert_eq!(sim.saw(joined), "150: V1 LockHit");
        assert_eq!(sim.saw(task), "150: done");
        assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(1));
        assert_eq!((loads.calls(), loads.live()), (1, 0));
        assert_clean(&cache.stats());
    });
}

/// C96: no caller joins, and the load is stored all the same. (P2)
#[test]
fn c96_finished_for_nobody() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(150).gives(1));
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        let task = give_up(&mut sim, &spawner, &cache);
        sim.to(150);
        assert_eq!(sim.saw(task), "150: done");
        assert!(cache.contains(&7));
        assert_clean(&cache.stats());
    });
}

/// C96: the spawner drops the task: the load is dropped with it, and not handed over again. (P2)
#[test]
fn c96_dropped_by_the_spawner() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(150).gives(1));
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        let task = give_up(&mut sim, &spawner, &cache);
        sim.drop(task);
        assert_eq!((loads.live(), spawner.take().len()), (0, 0));
        assert!(!cache.contains(&7));
        assert_clean(&cache.stats());
    });
}

/// C96: without the option, the load is dropped with its only caller. (P2)
#[test]
fn c96_without_the_option() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(150).gives(1));
        let spawner = Spawning::new(sim.clock());
        let cache = Cache::builder(spawner.clone()).loader(loads.clone()).build().expect("valid");
        let impatient = ask(&mut sim, &cache, LookupOptions::new());
        sim.to(50);
        sim.drop(impatient);
        assert_eq!((loads.live(), spawner.take().len()), (0, 0));
        assert_clean(&cache.stats());
    });
}

/// C96: an abandoned load that fails is cached as a failure; if it panics, only its task unwinds. (P4, P5)
#[test]
fn c96_an_abandoned_load_that_does_not_succeed() {
    run(|| {
        for (script, end, cached) in [
            (after(150).fails(1), "150: done", "150: E1 cached"),
            (after(150).panics(3), "150: unwound 3", "150: Panicked cached"),
        ] {
            let mut sim = Sim::new();
            let loads = sim.loads(script);
            let spawner = Spawning::new(sim.clock());
            let cache = finishing(&spawner, &loads);
            let task = give_up(&mut sim, &spawner, &cache);
            sim.to(150);
            assert_eq!(sim.saw(task), end);
            let next = ask(&mut sim, &cache, LookupOptions::new());
            assert_eq!(sim.saw(next), cached);
            assert_eq!(loads.calls(), 1);
            assert_clean(&cache.stats());
        }
    });
}

/// C96: `insert` and `remove` void an abandoned load like any other. (P8)
#[test]
fn c96_a_write_during_an_abandoned_load() {
    run(|| {
        for insert in [true, false] {
            let mut sim = Sim::new();
            let loads = sim.loads(after(150).gives(1));
            let spawner = Spawning::new(sim.clock());
            let cache = finishing(&spawner, &loads);
            let task = give_up(&mut sim, &spawner, &cache);
            if insert {
                cache.insert_with(7, larder::Loaded::new(V::new(9)).ttl(ms(10_000)));
            } else {
                cache.remove(&7);
            }
            sim.to(150);
            assert!(sim.saw(task).ends_with("done"), "{}", sim.saw(task));
            assert_eq!(cache.get_if_present(&7).map(|v| *v), insert.then_some(9));
            assert_clean(&cache.stats());
        }
    });
}

/// C97: only the hurried caller gets the stale value in time; the spawner finishes its load. (P2, P7)
#[test]
fn c97_the_hurried_one_alone_with_a_spawner() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(30).gives(1));
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        cache.insert(7, V::new(0));
        sim.to(130);
        sim.time.zero();
        let hurried = LookupOptions::new().lock_timeout(ms(10), OnTimeout::Stale).stale_while_refresh(ms(60));
        let b = ask(&mut sim, &cache, hurried);
        sim.to(10);
        assert_eq!(sim.saw(b), "10: V0 Stale(40)");
        let mut tasks = spawner.take();
        assert_eq!((tasks.len(), loads.live()), (1, 1));
        let task = sim.call(tasks.remove(0));
        sim.to(30);
        assert_eq!(sim.saw(task), "30: done");
        assert_eq!(cache.get_if_present(&7).map(|v| *v), Some(1));
        assert_eq!(loads.calls(), 1);
        assert_clean(&cache.stats());
    });
}

/// C96, D99: the lock timeout of the caller that left does not apply to the task that finishes its load. (P2, P7)
#[test]
fn c96_finished_beyond_the_callers_timeout() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads(after(150).gives(1));
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        let impatient = ask(&mut sim, &cache, LookupOptions::new().lock_timeout(ms(100), OnTimeout::Fail));
        sim.to(50);
        sim.drop(impatient);
        let task = spawner.take().remove(0);
        let task = sim.call(task);
        sim.to(150);
        assert_eq!((sim.saw(task), loads.calls()), ("150: done".into(), 1));
        assert_eq!(cache.get_if_present(&7).as_deref(), Some(&1));
        assert_clean(&cache.stats());
    });
}

/// D94: a load that borrows is dropped with its caller, and no caller waits for it: when the load that was handed over
/// fails, both have ended. (P2, P3)
#[test]
fn what_a_caller_keeps_is_not_handed_over() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(300).fails(1), ready().gives(2)]);
        let own = sim.loads(never());
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        let first = ask(&mut sim, &cache, LookupOptions::new());
        let second = {
            let (cache, own) = (cache.clone(), own.clone());
            let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load);
            sim.call(async move { cache.lookup(&7).options(options).lend(|| own.fetch(None)).await })
        };
        sim.to(120);
        assert_eq!((loads.live(), own.live(), cache.stats().loads_in_flight), (1, 1, 2));
        sim.drop(first);
        sim.drop(second);
        let task = sim.call(spawner.take().remove(0));
        let stats = cache.stats();
        assert_eq!((loads.live(), own.live(), stats.loads_in_flight, stats.loads_dropped), (1, 0, 1, 1));
        sim.to(300);
        assert_eq!(sim.saw(task), "300: done");
        assert_clean(&cache.stats());
        sim.to(1300);
        let later = ask(&mut sim, &cache, LookupOptions::new());
        assert_eq!(sim.saw(later), "1300: V2 Miss");
    });
}

/// D9, D94: the spawned task is a waiter that has begun nothing: if one attempt fails, it drives the others. (P2)
#[test]
fn all_attempts_are_finished() {
    run(|| {
        let mut sim = Sim::new();
        let loads = sim.loads_in_turn([after(300).fails(1), after(400).gives(2)]);
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        let first = ask(&mut sim, &cache, LookupOptions::new());
        let second = ask(&mut sim, &cache, LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load));
        sim.to(120);
        sim.drop(second);
        sim.drop(first);
        let task = sim.call(spawner.take().remove(0));
        sim.to(300);
        assert_eq!((sim.saw(task), loads.live()), ("waits".into(), 1));
        sim.to(500);
        assert_eq!((sim.saw(task), cache.get_if_present(&7).map(|v| *v)), ("500: done".into(), Some(2)));
        assert_clean(&cache.stats());
    });
}

/// D94: the spawned task begins no load. Once no load is in flight that it could finish, it ends. (P2)
#[test]
fn the_task_ends_with_the_last_load() {
    run(|| {
        let mut sim = Sim::new();
        let (loads, own) = (sim.loads(after(300).fails(1)), sim.loads(never()));
        let spawner = Spawning::new(sim.clock());
        let cache = finishing(&spawner, &loads);
        let task = give_up(&mut sim, &spawner, &cache);
        sim.to(200);
        let joined = {
            let (cache, own) = (cache.clone(), own.clone());
            let options = LookupOptions::new().lock_timeout(ms(50), OnTimeout::Load);
            sim.call(async move { cache.lookup(&7).options(options).lend(|| own.fetch(None)).await })
        };
        sim.to(310);
        assert_eq!((sim.saw(task), loads.live(), own.live()), ("waits".into(), 0, 1));
        sim.drop(joined);
        sim.run();
        assert_eq!((sim.saw(task), own.live()), ("310: done".into(), 0));
        assert_clean(&cache.stats());
    });
}

/// C96, D57: a ticket is dropped while a served caller polls its refresh: that caller hands it over.
#[test]
fn c96_left_behind_by_who_looks_after_it() {
    run(|| {
        let mut sim = Sim::new();
        let spawner = Spawning::new(sim.clock());
        let (held, time) = (Rc::new(RefCell::new(None::<Ticket>)), sim.time.clone());
        let ticket = Rc::clone(&held);
        let load = move |_: u32| {
            let (ticket, time) = (Rc::clone(&ticket), time.clone());
            async move {
                drop(ticket.take());
                sleep(&time, 50).await;
                Ok(V::new(1))
            }
        };
        let builder = Cache::builder(spawner.clone()).load_fn(load).ttl(ms(100)).stale_while_refresh(ms(1000));
        let cache: Finishing = builder.finish_abandoned().build().expect("valid");
        cache.insert(7, V::new(0));
        sim.to(150);
        let stale = |sim: &mut Sim| {
            let cache = cache.clone();
            sim.call(async move { cache.get_stale(&7).await })
        };
        let first = stale(&mut sim);
        held.replace(Some(sim.ticket(first)));
        let served = stale(&mut sim);
        assert_eq!(sim.saw(served), "150: V0 Stale(50)");
        let mut tasks = spawner.take();
        assert_eq!((tasks.len(), held.borrow().is_none()), (1, true));
        let task = sim.call(tasks.remove(0));
        sim.to(200);
        assert_eq!((sim.saw(task), cache.get_if_present(&7).as_deref()), ("200: done".into(), Some(&1)));
        assert_clean(&cache.stats());
    });
}

/// D94, D25: the same if its last caller is a part of a call for many keys, and loads for itself.
#[test]
fn d94_left_behind_by_a_call_for_many() {
    run(|| {
        let sim = Sim::new();
        let batches = sim.batches(after(50));
        let spawner: Spawning = Spawning::new(sim.clock());
        let builder = Cache::builder(spawner.clone()).many_loader(batches.clone());
        let builder = builder.lock_timeout(ms(10), OnTimeout::LoadAlone);
        let cache = builder.finish_abandoned().build().expect("valid");
        let mut first = cache.get(&7);
        assert!(wakers::poll_once(&mut first).is_pending());
        let mut many = cache.get_many(&[7]);
        assert!(wakers::poll_once(&mut many).is_pending());
        drop(first);
        sim.time.set(10);
        assert!(wakers::poll_once(&mut many).is_pending());
        assert_eq!((batches.begun().len(), batches.live(), spawner.take().len()), (2, 2, 1));
        drop(many);
        assert_clean(&cache.stats());
    });
}
