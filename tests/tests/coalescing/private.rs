//! Answers that are only for the caller that began the load.

use larder::{Loaded, LookupOptions, Ttl};
use larder_tests::*;

on_every_runtime! {
    c106_not_for_others
    c106_no_two_share_a_value_in_any_way_to_ask
    who_says_so
    of_no_time_it_is_not_remembered
    one_that_may_be_shared_ends_all_waits
    what_was_stored_goes
    a_failure_is_shared_still
    a_panic_is_its_callers_alone
    it_is_kept_like_a_failure
    in_a_slot_it_is_not_stored
    c106_with_an_early_end
    d104_a_failure_of_another_takes_nobodys_own_answer
}

/// How long loads are not shared after a private answer.
const ALONE: u64 = 10_000;

pub(super) fn alone_for(t: u64) -> Ttl {
    Ttl::private(ms(t))
}

/// Each load takes 30 and returns the number of the call, for its own caller only.
pub(super) fn own(sim: &Sim) -> Loads {
    sim.loads_by(|_, call| after(30).gives(call as u32).ttl(alone_for(ALONE)))
}

/// The results of these callers, each of which has begun its own load.
#[track_caller]
pub(super) fn told(sim: &Sim, callers: &[usize]) -> Vec<u32> {
    let told = |caller: &usize| match sim.answer(*caller) {
        Answer::Outcome(outcome, _) => {
            assert_eq!((outcome.led(), outcome.status()), (true, larder::Status::Miss), "caller {caller}");
            **outcome.value()
        }
        other => panic!("caller {caller}: {other}"),
    };
    callers.iter().map(told).collect()
}

/// C106: 50 joined callers load separately, at most four at a time. For a while each new caller loads at once; after
/// that one load is shared again. No caller gets another's value, and nothing is stored. (D104)
fn c106_not_for_others<R: Host>() {
    let mut sim = Sim::new();
    let loads = own(&sim);
    let cache = sim.cache::<R>(&loads, |c| c);
    let first = sim.get(&cache, 7);
    let joined = sim.crowd(&cache, 7, 50);
    sim.to(29);
    assert_eq!(loads.calls(), 1);
    sim.to(30);
    assert_eq!(sim.saw(first), "30: V0 Miss");
    for t in (30..30 + 12 * 30).step_by(30) {
        sim.to(t);
        assert_eq!((loads.live(), loads.calls()), (4, 1 + 4 * (t as usize / 30)), "at {t}");
    }
    assert_eq!(loads.most(), 4);
    sim.to(440);
    let mut values = told(&sim, &joined);
    values.sort_unstable();
    assert!(values.into_iter().eq(1..=50), "each has its own");
    // The last two of them ended at 420.
    sim.to(420 + ALONE - 1);
    let calls = loads.calls();
    let late = sim.crowd(&cache, 7, 20);
    assert_eq!((loads.calls(), loads.live()), (calls + 20, 20), "no caller queues");
    sim.to(420 + ALONE);
    let first = sim.get(&cache, 7);
    let joined = sim.get(&cache, 7);
    assert_eq!(loads.calls(), calls + 21, "one load is shared");
    sim.to(420 + ALONE + 60);
    let values = told(&sim, &late);
    assert!(values.into_iter().eq(calls as u32..calls as u32 + 20));
    assert_eq!(told(&sim, &[first, joined]), [calls as u32 + 20, calls as u32 + 21]);
    assert_eq!((cache.len(), cache.stats().stored), (0, 0));
    assert_clean(&cache.stats());
}

/// C106, for callers that bring loads, lend them, or ask for the value alone or for a stale one. (D104)
fn c106_no_two_share_a_value_in_any_way_to_ask<R: Host>() {
    for attempts in [1, 2, 10] {
        let mut sim = Sim::new();
        let loads = own(&sim);
        let cache = sim.cache::<R>(&loads, |c| c.attempts(attempts));
        let mut callers = Vec::new();
        for _ in 0..3 {
            let (at, load) = (cache.clone(), loads.clone());
            callers.push(sim.call(async move { at.lookup(&7).by(|| larder::Load::load(&load, 7)).await }));
            let (at, load) = (cache.clone(), loads.clone());
            callers.push(sim.call(async move { at.lookup(&7).lend(|| larder::Load::load(&load, 7)).await }));
            callers.push(sim.stale(&cache, 7));
            callers.push(sim.ask(&cache, 7, LookupOptions::new().reload()));
            let at = cache.clone();
            callers.push(sim.call(async move { at.get(&7).await }));
        }
        sim.to(30 + 30 * 15);
        let mut values: Vec<_> = callers
            .iter()
            .map(|caller| match sim.answer(*caller) {
                Answer::Outcome(outcome, _) => **outcome.value(),
                Answer::Value(value) => **value,
                other => panic!("{other}"),
            })
            .collect();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..15));
        assert_eq!((loads.calls(), loads.most()), (15, attempts as usize));
        assert_clean(&cache.stats());
    }
}

/// D104, D52: set by the call that begins the load, by a closure, or by the cache.
fn who_says_so<R: Host>() {
    for by in 0..3 {
        let mut sim = Sim::new();
        let loads = sim.loads_by(|_, call| after(30).gives(call as u32));
        let cache = sim.cache::<R>(&loads, |c| match by {
            0 => c.expire_after(|_, _| alone_for(ALONE)),
            1 => c.ttl(alone_for(ALONE)),
            _ => c,
        });
        let options = LookupOptions::new().ttl(if by == 2 { alone_for(ALONE) } else { Ttl::Inherit });
        let callers = [sim.ask(&cache, 7, options), sim.ask(&cache, 7, options)];
        sim.to(60);
        assert_eq!(told(&sim, &callers), [0, 1]);
        let late = [sim.ask(&cache, 7, options), sim.ask(&cache, 7, options)];
        sim.to(90);
        assert_eq!(told(&sim, &late), [2, 3]);
        assert_clean(&cache.stats());
    }
}

/// D104: a joined caller loads by itself, and later callers share a load.
fn of_no_time_it_is_not_remembered<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| after(30).gives(call as u32).ttl(alone_for(if call == 0 { 0 } else { 5 })));
    let cache = sim.cache::<R>(&loads, |c| c.attempts(1));
    let first = sim.get(&cache, 7);
    sim.to(30);
    assert_eq!((told(&sim, &[first]), cache.weight()), (vec![0], 0));
    let callers = sim.crowd(&cache, 7, 2);
    assert_eq!(loads.calls(), 2);
    sim.to(90);
    assert_eq!(told(&sim, &callers), [1, 2]);
    assert_clean(&cache.stats());
}

/// D104: of the callers that load by themselves, one gets a value that may be shared.
fn one_that_may_be_shared_ends_all_waits<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(30).gives(1).ttl(alone_for(ALONE)), after(30).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.attempts(1).ttl(ms(1000)));
    let callers = sim.crowd(&cache, 7, 4);
    sim.to(60);
    let saw: Vec<_> = callers.iter().map(|caller| sim.saw(*caller)).collect();
    assert_eq!(saw, ["30: V1 Miss", "60: V2 Miss", "60: V2 LockHit", "60: V2 LockHit"]);
    let late = sim.get(&cache, 7);
    assert_eq!((sim.saw(late).as_str(), loads.calls()), ("60: V2 Hit", 2));
    sim.to(1060);
    let after = sim.crowd(&cache, 7, 2);
    assert_eq!(loads.calls(), 3, "that its loads are not shared is forgotten");
    after.into_iter().for_each(|caller| sim.drop(caller));
    assert_clean(&cache.stats());
}

/// D104: as with any answer that is not stored, fresh or stale; the listener is told of it.
fn what_was_stored_goes<R: Host>() {
    for ticket in [false, true] {
        let mut sim = Sim::new();
        let loads = own(&sim);
        let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(100)).stale_while_refresh(ms(500)).stale_if_error(ms(500)));
        cache.insert(7, V::new(9));
        if ticket {
            sim.to(150);
            let stale = sim.stale(&cache, 7);
            assert_eq!(sim.saw(stale), "150: V9 Stale(50) +ticket");
            let refresh = sim.refresh(stale);
            sim.to(180);
            assert_eq!(sim.saw(refresh), "180: done");
        } else {
            let refresh = sim.ask(&cache, 7, LookupOptions::new().reload());
            sim.to(30);
            assert_eq!(sim.saw(refresh), "30: V0 Miss");
        }
        assert_eq!((cache.peek(&7).is_none(), cache.weight()), (true, 1));
        let stats = cache.stats();
        assert_eq!((stats.removed, stats.expired_out), if ticket { (0, 1) } else { (1, 0) });
        let late = [sim.stale(&cache, 7), sim.stale(&cache, 7)];
        sim.to(300);
        assert_eq!(told(&sim, &late), [1, 2], "nothing stale is served");
        assert_clean(&cache.stats());
    }
}

/// P4, D9: all waiting callers get the failure of the last load in flight; of any other load only its own caller.
fn a_failure_is_shared_still<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(30).ttl(alone_for(ALONE)), after(30).fails(1)]);
    let cache = sim.cache::<R>(&loads, |c| c.attempts(1).error_ttl(ms(100)));
    let callers = sim.crowd(&cache, 7, 4);
    sim.to(60);
    let saw: Vec<_> = callers.iter().map(|caller| sim.saw(*caller)).collect();
    assert_eq!(saw, ["30: V0 Miss", "60: E1", "60: E1", "60: E1"]);
    let late = sim.get(&cache, 7);
    assert_eq!((sim.saw(late).as_str(), loads.calls()), ("60: E1 cached", 2));
    assert_clean(&cache.stats());
}

/// P5: the caller that polls it unwinds, the caller that it belongs to fails, and the others go on.
fn a_panic_is_its_callers_alone<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| match call {
        1 => after(20).panics(5),
        _ => after(30).gives(call as u32).ttl(alone_for(ALONE)),
    });
    let cache = sim.cache::<R>(&loads, |c| c.attempts(2));
    let callers = sim.crowd(&cache, 7, 5);
    sim.to(200);
    let ends: Vec<_> = callers.iter().map(|caller| sim.saw(*caller)).collect();
    let count = |what: &str| ends.iter().filter(|end| end.ends_with(what)).count();
    assert_eq!(count("unwound 5"), 1, "{ends:?}");
    // (These may be two different callers.)
    assert!(count("Miss") >= 3 && count("Miss") + count("Panicked") == 4, "{ends:?}");
    assert_eq!(cache.stats().loads_panicked, 1);
    callers.into_iter().for_each(|caller| sim.drop(caller));
    assert_clean(&cache.stats());
}

/// D30, P12: the mark has a weight of 1, may have to make room, is not a value, and is removed by a write to its key.
fn it_is_kept_like_a_failure<R: Host>() {
    let writes: [fn(&Scripted<R>); 5] = [
        |cache| _ = cache.insert(7, V::new(1)),
        |cache| drop(cache.remove(&7)),
        |cache| cache.clear(),
        |cache| _ = cache.insert_with(7, Loaded::new(V::new(1)).ttl(ms(0))),
        |cache| _ = cache.insert_with(7, Loaded::new(V::new(1)).ttl(alone_for(ALONE))),
    ];
    for write in writes {
        let mut sim = Sim::new();
        let loads = own(&sim);
        let cache = sim.cache::<R>(&loads, |c| c.capacity(80).shards(1));
        let first = sim.get(&cache, 7);
        sim.to(30);
        assert_eq!((told(&sim, &[first]), cache.len(), cache.weight()), (vec![0], 0, 1));
        assert!(!cache.contains(&7) && cache.peek(&7).is_none() && cache.get_if_present(&7).is_none());
        write(&cache);
        cache.remove(&7);
        let calls = loads.calls();
        let shared = sim.crowd(&cache, 7, 3);
        assert_eq!((loads.calls(), cache.len()), (calls + 1, 0), "one load is shared");
        shared.into_iter().for_each(|caller| sim.drop(caller));
        assert_clean(&cache.stats());
    }
    for capacity in [0, 1, 16] {
        let mut sim = Sim::new();
        let loads = own(&sim);
        let cache = sim.cache::<R>(&loads, |c| c.capacity(capacity).shards(1));
        for key in 0..20 {
            sim.get(&cache, key);
        }
        sim.to(30);
        let most = (capacity / 8).max(1).min(capacity);
        assert_eq!(cache.weight(), most, "no more than an eighth of the capacity");
        let joined = sim.crowd(&cache, 0, 3);
        sim.to(120);
        let mut values = told(&sim, &joined);
        values.sort_unstable();
        assert_eq!(values, [20, 21, 22], "also where it could not be kept");
        assert_clean(&cache.stats());
    }
}

/// D104: a slot has no such values: all waiting callers get the value, and it is not kept.
fn in_a_slot_it_is_not_stored<R: Host>() {
    let mut sim = Sim::new();
    let loads = own(&sim);
    let slot = sim.slot::<R>(&loads, |s| s);
    let callers = sim.fetchers(&slot, 3);
    sim.to(30);
    let saw: Vec<_> = callers.iter().map(|caller| sim.saw(*caller)).collect();
    assert_eq!(saw, ["30: V0 Miss", "30: V0 LockHit", "30: V0 LockHit"]);
    assert!(slot.peek().is_none());
    let late = sim.fetchers(&slot, 2);
    assert_eq!(loads.calls(), 2, "a fetch is shared");
    late.into_iter().for_each(|caller| sim.drop(caller));
}

/// C106: with a lock age and a lock timeout: a caller that waits for its turn gives up in time, and no caller takes
/// over.
fn c106_with_an_early_end<R: Host>() {
    let mut sim = Sim::new();
    let loads = own(&sim);
    let cache = sim.cache::<R>(&loads, |c| c.attempts(2).lock_age(ms(5)).lock_timeout(ms(70), larder::OnTimeout::Fail));
    let first = sim.ask(&cache, 7, LookupOptions::new().no_lock_timeout());
    sim.to(1);
    let callers = sim.crowd(&cache, 7, 6);
    sim.to(200);
    let saw: Vec<_> = [first].iter().chain(&callers).map(|caller| sim.saw(*caller)).collect();
    // One has taken over at 5 and got its own answer; of the others, two load at a time, from 30 and 35 on.
    assert_eq!(saw[..2], ["30: V0 Miss", "35: V1 Miss"]);
    assert_eq!(saw[2..4], ["60: V2 Miss", "65: V3 Miss"]);
    assert!(saw[4..].iter().all(|end| end == "71: LockTimeout"), "{saw:?}");
    assert_clean(&cache.stats());
}

/// D104: an answer for its own caller alone waits for that caller, though another one, which has driven its load, then
/// fails with its own.
fn d104_a_failure_of_another_takes_nobodys_own_answer<R: Host>() {
    for ends in ["fails", "panics"] {
        let mut sim = Sim::new();
        let gate = Gate::default();
        let opens = gate.clone();
        let loads = sim.loads_by(move |_, call| match call {
            0 => opens.script().gives(0).ttl(alone_for(ALONE)),
            _ if ends == "fails" => ready().fails(1),
            _ => ready().panics(1),
        });
        let cache = sim.cache::<R>(&loads, |c| c);
        let began = sim.get(&cache, 7);
        let joined = sim.get(&cache, 7);
        sim.park(began);
        gate.open();
        sim.run();
        assert_eq!(loads.calls(), 2);
        sim.unpark(began);
        sim.run();
        assert_eq!(sim.saw(began), "0: V0 Miss", "{ends}");
        assert!(!sim.saw(joined).contains("V0"), "{}", sim.saw(joined));
        assert_clean(&cache.stats());
    }
}
