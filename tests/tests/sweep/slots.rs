//! The calls of a lazy slot at random.

use larder::{LazySlot, LookupOptions, OnTimeout, Previous};
use larder_tests::*;

use crate::{
    dice::{Dice, Trouble},
    hostile::Value,
    medley::stands,
};

const STEPS: usize = 60;

/// Plays, and checks whether the slot has withstood it.
pub(crate) fn play<R: Host>(seed: u64, trouble: Trouble) {
    let mut sim = Sim::new();
    let dice = Rc::new(Dice::new(seed, &sim.time, trouble));
    let fetches = Rc::clone(&dice);
    let fetch = move |previous: Option<Previous<Value>>| {
        let dice = Rc::clone(&fetches);
        async move {
            drop(previous);
            if dice.wait().await == 0 { Err(Boom(0)) } else { Ok(dice.loaded(0)) }
        }
    };
    let is = |one_in| dice.below(one_in) == 0;
    let mut s = LazySlot::builder(R::on(sim.clock())).fetch_fn(fetch).ttl(dice.time(80)).retry_after(dice.time(20));
    if is(2) {
        s = s.refresh_ahead(dice.time(60));
        s = if is(2) { s.refresh_inline() } else { s };
    }
    if is(2) {
        s = s.jitter(1.0, seed);
    }
    if is(3) {
        s = s.stale_limit(dice.time(60));
    }
    if is(3) {
        s = s.lock_age(dice.time(50));
    }
    if is(3) {
        s = s.lock_timeout(dice.time(60), OnTimeout::Load);
    }
    if is(3) {
        s = s.retry_when_empty();
    }
    let slot = s.build().expect("valid");
    let mut callers = Vec::new();
    let (mut watcher, changes) = (slot.watch(), Rc::new(Cell::new(0)));
    let noted = Rc::clone(&changes);
    let watching = sim.call(async move {
        while watcher.changed().await {
            noted.set(noted.get() + 1);
        }
    });
    for _ in 0..STEPS {
        if is(2) {
            dice.arm();
        }
        match dice.below(10) {
            0..5 => callers.push(ask(&mut sim, &slot, &dice)),
            5 if !callers.is_empty() => {
                let i = callers[dice.below(callers.len() as u64) as usize];
                stands(|| sim.drop(i));
            }
            5 | 6 if dice.is_extreme() => {
                sim.clock().set(dice.moment());
            }
            5 | 6 => {
                let to = sim.time.ms() + dice.below(30);
                while !stands(|| sim.to(to)) {}
            }
            _ => {
                stands(|| act(&slot, &dice));
            }
        }
        while !stands(|| sim.run()) {}
        calm();
        assert_sums(&slot.stats());
    }
    if !dice.is_extreme() {
        let end = sim.time.ms() + 1000;
        sim.to(end);
    }
    sim.assert_nobody_is_forgotten(callers.iter().copied());
    for i in callers {
        let saw = sim.saw(i);
        assert!(saw != "waits" && !saw.contains("panic: "), "caller {i}: {saw}");
    }
    assert_clean(&slot.stats());
    let seen = changes.get();
    slot.set(Value::new(0));
    sim.run();
    assert_eq!((changes.get(), slot.failures()), (seen + 1, 0), "the watcher has slept through it");
    drop(slot);
    sim.run();
    assert_ne!(sim.saw(watching), "waits");
}

/// A caller that waits.
fn ask<R: Host>(sim: &mut Sim, slot: &LazySlot<Value, Boom, R>, dice: &Rc<Dice>) -> usize {
    let (slot, dice) = (slot.clone(), Rc::clone(dice));
    match dice.below(6) {
        0 | 1 => sim.spawn(async move { drop(slot.get().await) }),
        2 => sim.spawn(async move {
            let options = LookupOptions::new().lock_timeout(dice.time(30), OnTimeout::Stale);
            drop(slot.lookup(options).await);
        }),
        3 => sim.spawn(async move {
            if let Ok(told) = slot.get_stale().await {
                if let Some(ticket) = told.refresh {
                    ticket.await;
                }
            }
        }),
        4 => sim.spawn(async move { drop(slot.refresh().await) }),
        _ => sim.spawn(async move {
            let fetch = |previous| async {
                drop(previous);
                if dice.wait().await == 0 { Err(Boom(0)) } else { Ok(dice.loaded(0)) }
            };
            drop(slot.lookup_with(LookupOptions::new(), fetch).await);
        }),
    }
}

/// A call that does not wait.
fn act<R: Host>(slot: &LazySlot<Value, Boom, R>, dice: &Dice) {
    match dice.below(6) {
        0 => drop(slot.set_with(dice.loaded(0))),
        1 => drop(slot.invalidate()),
        2 => {
            let seen = slot.peek();
            if let Some(generation) = seen.and_then(|seen| seen.generation()) {
                slot.invalidate_if(generation);
            }
        }
        3 => drop(slot.expire()),
        4 => drop((slot.peek(), slot.last_failure())),
        _ => drop((slot.refresh_at(), slot.failures())),
    }
}
