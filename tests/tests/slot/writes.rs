//! Values that are set, dropped or expired by hand while a fetch is under way.

use larder::Ttl;
use larder_tests::*;

use crate::{ends, handed, held, set};

on_every_runtime! {
    set_during_a_refresh
    invalidate_during_a_refresh
    invalidate_if_during_a_fetch
    expire_during_a_fetch
    expire_keeps_the_value
    set_tells_its_generation
    generations_are_not_used_again
    a_hundred_callers_refused_at_once
    writes_during_each_form_of_fetch
    weights_count_for_nothing
}

/// D39: waiting callers get the set value at once, the fetch is dropped, and its answer is not used. (P8)
fn set_during_a_refresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(100).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let (leads, forced) = (sim.fetch(&slot), sim.force(&slot));
    sim.to(30);
    set(&slot, 9, ms(1000));
    sim.run();
    assert_eq!([sim.saw(leads), sim.saw(forced)], ["30: V9 Expired", "30: V9 LockHit"]);
    assert_eq!(loads.live(), 0);
    sim.to(200);
    let hit = sim.fetch(&slot);
    assert_eq!((sim.saw(hit), loads.calls()), ("200: V9 Hit".into(), 1));
    assert_clean(&slot.stats());
}

/// D40: earlier callers get the fetched value; later callers fetch anew, without a previous value; the old copy is not
/// served in between. (P8)
fn invalidate_during_a_refresh<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(100).gives(1), after(20).gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(10));
    sim.to(10);
    let before = [sim.fetch(&slot), sim.force(&slot)];
    sim.to(30);
    assert!(slot.invalidate().is_none(), "it was stale");
    let after = [sim.fetch(&slot), sim.fetch(&slot)];
    assert_eq!(after.map(|i| sim.saw(i)), ["waits", "waits"]);
    sim.to(110);
    assert_eq!(after.map(|i| sim.saw(i)), ["50: V2 Miss", "50: V2 LockHit"]);
    assert_eq!(before.map(|i| sim.saw(i)), ["110: V1 Expired", "110: V1 LockHit"]);
    assert_eq!((held(&slot), handed(&loads)), (Some(2), vec![Some(0), None]));
    assert_clean(&slot.stats());
}

/// D98: `invalidate_if` of the held value is a write; of another value it is not.
fn invalidate_if_during_a_fetch<R: Host>() {
    for held_one in [true, false] {
        let mut sim = Sim::new();
        let loads = sim.loads(after(20).gives(1));
        let slot = sim.slot::<R>(&loads, |s| s);
        let old = slot.set(V::new(0)).expect("it is kept");
        let now = slot.set(V::new(0)).expect("it is kept");
        assert_ne!(old, now, "equal values are told apart");
        let forced = sim.force(&slot);
        assert_eq!(slot.invalidate_if(if held_one { now } else { old }), held_one);
        sim.to(20);
        assert_eq!(sim.saw(forced), "20: V1 Miss");
        assert_eq!(held(&slot), (!held_one).then_some(1));
        assert_clean(&slot.stats());
    }
}

/// D96: a fetch under way may have read the expired value: its answer goes to waiting callers, and is not kept.
fn expire_during_a_fetch<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(20).gives(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(1000));
    let forced = sim.force(&slot);
    sim.to(10);
    assert!(slot.expire());
    sim.to(20);
    assert_eq!((sim.saw(forced), held(&slot)), ("20: V1 Miss".into(), Some(0)));
    let next = sim.fetch(&slot);
    assert_eq!((sim.saw(next), handed(&loads)), ("20: V2 Expired".into(), vec![Some(0), Some(0)]));
    assert_clean(&slot.stats());
}

/// It ends freshness and nothing else; the limits count from then.
fn expire_keeps_the_value<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(10).fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.stale_limit(ms(50)));
    assert!(!slot.expire());
    let generation = slot.set(V::new(0));
    sim.to(100);
    assert!(slot.expire() && !slot.expire());
    sim.to(150);
    let stale = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(stale), "150: V0 Stale(50) +ticket");
    drop(sim.ticket(stale));
    sim.to(151);
    let beyond = sim.fetch(&slot);
    assert_eq!(sim.saw(beyond), "waits");
    assert_eq!(slot.peek().map(|found| found.generation()), Some(generation));
}

/// `set` returns the generation that the next outcome shows.
fn set_tells_its_generation<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s);
    let waits = sim.fetch(&slot);
    let generation = slot.set(V::new(1));
    sim.run();
    let hit = sim.fetch(&slot);
    for i in [waits, hit] {
        let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("{}", sim.saw(i)) };
        assert!(generation.is_some() && outcome.generation() == generation);
    }
}

/// D98: no generation is used twice, neither after `invalidate` nor for a value that was published instead.
fn generations_are_not_used_again<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let mut seen = Vec::new();
    for n in 0..30 {
        match n % 3 {
            0 => _ = slot.set(V::new(n)),
            1 => _ = sim.force(&slot),
            _ => {
                slot.invalidate();
                sim.fetch(&slot);
            }
        }
        seen.push(slot.peek().and_then(|found| found.generation()).expect("it is kept"));
    }
    seen.dedup();
    let all: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(all.len(), 30);
}

/// C54 for the slot: a hundred callers are refused with one token: one of them drops it, there is one fetch, and no
/// caller drops the new token. (P8)
fn a_hundred_callers_refused_at_once<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(20).gives(8));
    let slot = sim.slot::<R>(&loads, |s| s);
    let refused = slot.set(V::new(7)).expect("it is kept");
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let slot = slot.clone();
            sim.call(async move {
                slot.invalidate_if(refused);
                slot.lookup(larder::LookupOptions::new()).await
            })
        })
        .collect();
    sim.to(20);
    assert_eq!(ends(&sim, &callers), ["20: V8 LockHit", "20: V8 Miss"]);
    assert!(!slot.invalidate_if(refused));
    assert_eq!((loads.calls(), held(&slot)), (1, Some(8)));
    assert_clean(&slot.stats());
}

/// P8 for the fetches that calls bring: owned, borrowed and in tickets.
fn writes_during_each_form_of_fetch<R: Host>() {
    type Form<R> = fn(&mut Sim, &Slot<R>, &Loads) -> usize;
    let owned: Form<R> = |sim, slot, loads| sim.fetch_by(slot, loads);
    let lent: Form<R> = |sim, slot, loads| sim.fetch_lent(slot, loads);
    let ticket: Form<R> = |sim, slot, loads| {
        let i = sim.fetch_stale_by(slot, loads);
        sim.refresh(i)
    };
    for form in [owned, lent, ticket] {
        for write in 0..3 {
            let mut sim = Sim::new();
            let loads = sim.loads(after(20).gives(1));
            let slot = sim.bare_slot::<R>(|s| s);
            set(&slot, 0, Ttl::ExpiresAtOnce);
            let i = form(&mut sim, &slot, &loads);
            sim.to(10);
            match write {
                0 => set(&slot, 9, ms(1000)),
                1 => _ = slot.invalidate(),
                _ => _ = slot.expire(),
            }
            sim.to(20);
            assert!(sim.saw(i).starts_with(if write == 0 { "10: " } else { "20: " }), "{}", sim.saw(i));
            assert_eq!(held(&slot), [Some(9), None, Some(0)][write]);
            assert_eq!(loads.live(), 0);
            assert_clean(&slot.stats());
        }
    }
}

/// A slot has room for its value and its failure, whatever weight the value is given, and whichever way it comes.
fn weights_count_for_nothing<R: Host>() {
    type Way<R> = fn(&mut Sim, &Slot<R>, &Slot<R>, &Loads);
    let ways: [Way<R>; 4] = [
        |sim, slot, _, _| _ = sim.fetch(slot),
        |sim, _, bare, loads| _ = sim.fetch_by(bare, loads),
        |sim, slot, _, loads| _ = sim.fetch_lent(slot, loads),
        |_, slot, _, _| _ = slot.set_with(larder::Loaded::new(V::new(1)).weight(u64::MAX)),
    ];
    for (n, way) in ways.into_iter().enumerate() {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(1).weight(u64::MAX));
        let (slot, bare) = (sim.slot::<R>(&loads, |s| s), sim.bare_slot::<R>(|s| s));
        way(&mut sim, &slot, &bare, &loads);
        let fails = sim.loads(ready().fails(1));
        slot.expire();
        bare.expire();
        sim.fetch_lent(&slot, &fails);
        sim.fetch_lent(&bare, &fails);
        let (failures, left) = if n == 1 { (bare.failures(), held(&bare)) } else { (slot.failures(), held(&slot)) };
        assert_eq!((failures, left), (1, Some(1)), "way {n}");
    }
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), ready().unchanged(), ready().fails(1)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    for _ in 0..3 {
        sim.fetch_with(&slot, larder::LookupOptions::new().weight(u64::MAX).reload());
    }
    assert_eq!((slot.failures(), held(&slot)), (1, Some(1)));
    // The same with a boxed fetch.
    let fetch = |_| async { Ok::<_, Boom>(larder::Loaded::new(1).weight(u64::MAX)) };
    let slot = larder::LazySlot::builder(R::on(sim.clock())).fetch_fn(fetch).build().expect("valid");
    assert!(wakers::now(slot.get()).is_ok() && slot.expire());
    let fails = slot.lookup_with(larder::LookupOptions::new(), |_| async { Err::<u32, _>(Boom(1)) });
    assert!(wakers::now(fails).is_ok_and(|found| *found.value() == 1 && found.error().is_some()));
    assert!(slot.peek().is_some());
}
