//! Panics stay local: one caller unwinds, the others get an error, the slot goes on. (P5)

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::{Clock, LazySlot, Loaded, LookupOptions, ManualClock, Previous, Ttl};
use larder_tests::*;

use crate::{
    ends, held,
    leaving::{FORMS, Stage},
    set,
};

on_every_runtime! {
    a_first_fetch_panics_in_every_poll
    a_refresh_panics_in_every_poll
    a_ticket_panics_in_every_poll
    the_closure_itself_panics
    a_waiters_waker_panics_at_a_publication
    a_waiters_waker_panics_as_the_value_is_set
    the_clone_of_a_value_panics
    the_drop_of_a_value_panics
    the_clock_panics
}

fn a_first_fetch_panics_in_every_poll<R: Host>() {
    a_fetch_panics_in_every_poll::<R>(false);
}

fn a_refresh_panics_in_every_poll<R: Host>() {
    a_fetch_panics_in_every_poll::<R>(true);
}

/// One caller unwinds; the others get an error, or the old value with it. It counts as one failure, which delays the
/// next fetch if there is a value.
fn a_fetch_panics_in_every_poll<R: Host>(refresh: bool) {
    for form in FORMS {
        for waiters in [0, 1, 2, 1000] {
            for poll in 1..=4 {
                let mut sim = Sim::new();
                let loads = sim.loads_in_turn([steps(poll, 10).panics(3), ready().gives(2)]);
                let stage = Stage::<R>::new(&mut sim, form, &loads, refresh);
                let mut callers = vec![stage.queue_up(&mut sim)];
                callers.extend((0..waiters).map(|_| stage.queue_up(&mut sim)));
                if poll == 1 {
                    // It ends before another caller can join.
                    callers.truncate(1);
                    sim.poll(callers[0]);
                    for i in 1..=waiters {
                        sim.drop(i);
                    }
                }
                sim.run();
                let end = 10 * (u64::from(poll) - 1);
                sim.to(end);
                let told = if refresh {
                    format!("{end}: V0 Stale({}) +Panicked", end + 1)
                } else {
                    format!("{end}: Panicked")
                };
                let unwound = callers.iter().filter(|i| sim.saw(**i) == format!("{end}: unwound 3")).count();
                let others = callers.iter().filter(|i| sim.saw(**i) == told).count();
                assert_eq!(
                    (unwound, others),
                    (1, callers.len() - 1),
                    "{form:?}, poll {poll}: {:?}",
                    ends(&sim, &callers)
                );
                assert_eq!((loads.calls(), loads.live(), stage.failures()), (1, 0, 1));
                assert_clean(&stage.stats());
                assert_eq!(stage.stats().loads_panicked, 1);
                if refresh {
                    sim.to(end + 4999);
                    stage.crowd(&mut sim, 1);
                    assert_eq!((loads.calls(), stage.held()), (1, Some(0)));
                    sim.to(end + 5000);
                }
                let next = stage.crowd(&mut sim, 1)[0];
                assert!(sim.saw(next).contains(": V2 "), "{}", sim.saw(next));
                assert_eq!(stage.failures(), 0);
            }
        }
    }
}

/// The caller that polls a ticket's refresh gets its panic, and the value stays.
fn a_ticket_panics_in_every_poll<R: Host>() {
    for poll in 1..=4 {
        for joined in [0, 1, 1000] {
            let mut sim = Sim::new();
            let loads = sim.loads(steps(poll, 10).panics(3));
            let slot = sim.slot::<R>(&loads, |s| s);
            set(&slot, 0, Ttl::ExpiresAtOnce);
            let i = sim.fetch_stale(&slot);
            let ticket = sim.ticket(i);
            let mut callers = vec![sim.spawn(ticket)];
            for _ in 0..joined {
                let slot = slot.clone();
                callers.push(sim.spawn(async move { slot.refresh().await }));
            }
            let end = 10 * (u64::from(poll) - 1);
            if poll == 1 {
                sim.poll(callers[0]);
                callers.drain(1..).for_each(|i| sim.drop(i));
            }
            sim.to(end);
            let unwound = callers.iter().filter(|i| sim.saw(**i) == format!("{end}: unwound 3")).count();
            assert_eq!(unwound, 1, "{:?}", ends(&sim, &callers));
            let stale = sim.fetch_stale(&slot);
            assert_eq!(sim.saw(stale), format!("{end}: V0 Stale({end}) +Panicked"));
            assert_eq!((slot.failures(), loads.live()), (1, 0));
            assert_clean(&slot.stats());
        }
    }
}

/// A closure that panics before there is a future counts like one that panics after.
fn the_closure_itself_panics<R: Host>() {
    let mut sim = Sim::new();
    let fetch =
        |_: Option<Previous<V>>| -> core::future::Ready<Result<Loaded<V>, Boom>> { std::panic::panic_any(Bang(4)) };
    let slot = LazySlot::builder(R::on(sim.clock())).fetch_fn(fetch).build().expect("valid");
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let first = sim.fetch(&slot);
    let (own, lent) = (sim.bare_slot::<R>(|s| s), sim.bare_slot::<R>(|s| s));
    let (one, other) = (own.clone(), lent.clone());
    let by_call = sim.call(async move { one.lookup_or_fetch(LookupOptions::new(), fetch).await });
    let by_loan = sim.call(async move { other.lookup_with(LookupOptions::new(), fetch).await });
    assert_eq!(ends(&sim, &[first, by_call, by_loan]), ["0: unwound 4"]);
    assert_eq!([slot.failures(), own.failures(), lent.failures()], [1; 3]);
    let next = sim.fetch(&slot);
    assert_eq!(sim.saw(next), "0: V0 Stale(0) +Panicked");
    for stats in [slot.stats(), own.stats(), lent.stats()] {
        assert_clean(&stats);
    }
}

/// D29: the value is published, the rest is woken, watchers too, and the first panic unwinds.
fn a_waiters_waker_panics_at_a_publication<R: Host>() {
    for refresh in [false, true] {
        let sim = Sim::new();
        let gate = Gate::default();
        let loads = sim.loads(gate.script().gives(1));
        let slot = sim.slot::<R>(&loads, |s| s);
        if refresh {
            set(&slot, 0, Ttl::ExpiresAtOnce);
        }
        let order = wakers::Order::default();
        let mut watcher = slot.watch();
        let mut changed = watcher.changed();
        assert!(wakers::poll_with(&mut changed, &order.waker(9)).is_pending());
        let mut waits: Vec<_> = (0..5).map(|_| slot.refresh()).collect();
        for (n, wait) in waits.iter_mut().enumerate() {
            let waker = if n == 1 { wakers::panicking() } else { order.waker(n) };
            assert!(wakers::poll_with(wait, &waker).is_pending());
        }
        gate.open_quietly();
        order.take();
        let panic = catch_unwind(AssertUnwindSafe(|| wakers::poll_with(&mut waits[0], &order.waker(0)).is_ready()));
        assert_eq!(panic.expect_err("it goes out").downcast_ref::<Bang>(), Some(&Bang(16)));
        assert_eq!((order.take(), held(&slot)), (vec![2, 3, 4, 9], Some(1)));
        for wait in &mut waits[1..] {
            assert!(matches!(wakers::poll_once(wait), Poll::Ready(Ok(found)) if **found.value() == 1));
        }
        drop(waits);
        assert_clean(&slot.stats());
    }
}

/// The same for a value that is set.
fn a_waiters_waker_panics_as_the_value_is_set<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s);
    let order = wakers::Order::default();
    let mut watcher = slot.watch();
    let mut changed = watcher.changed();
    assert!(wakers::poll_with(&mut changed, &wakers::panicking()).is_pending());
    let mut waits: Vec<_> = (0..4).map(|_| slot.get()).collect();
    for (n, wait) in waits.iter_mut().enumerate() {
        let waker = if n == 2 { wakers::panicking() } else { order.waker(n) };
        assert!(wakers::poll_with(wait, &waker).is_pending());
    }
    order.take();
    let panic = catch_unwind(AssertUnwindSafe(|| set(&slot, 9, ms(10))));
    assert!(panic.is_err_and(|panic| panic.is::<Bang>()), "one of the two; the other ends within");
    assert_eq!((order.take(), held(&slot)), (vec![0, 1, 3], Some(9)));
    assert!(waits.iter_mut().all(|wait| matches!(wakers::poll_once(wait), Poll::Ready(Ok(value)) if *value == 9)));
    assert_clean(&slot.stats());
}

struct Hostile(u32);

impl Clone for Hostile {
    fn clone(&self) -> Self {
        strike("clone");
        Self(self.0)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        strike_in_drop("drop");
    }
}

/// D28: at a hit the panic affects that caller only; at a publication, or when the fetch gets the value, it is the
/// fetch's panic.
fn the_clone_of_a_value_panics<R: Host>() {
    let sim = Sim::new();
    let fetch = |_| async { Ok::<_, Boom>(Loaded::new(Hostile(1))) };
    let slot = LazySlot::builder(R::on(sim.clock())).fetch_fn(fetch).build().expect("valid");
    let unwinds = |act: &dyn Fn()| {
        arm("clone", 0);
        let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("a clone is made");
        assert_eq!(panic.downcast_ref::<Bang>(), Some(&Bang(17)));
        assert_clean(&slot.stats());
    };
    unwinds(&|| drop(wakers::now(slot.get())));
    assert_eq!((slot.failures(), slot.peek().is_some()), (1, false), "at the publication");
    assert!(wakers::now(slot.get()).is_ok_and(|value| value.0 == 1));
    unwinds(&|| drop(wakers::now(slot.get())));
    unwinds(&|| drop(slot.peek()));
    assert_eq!(slot.failures(), 0, "at a hit");
    slot.expire();
    unwinds(&|| drop(wakers::now(slot.get())));
    assert_eq!(slot.failures(), 1, "as it is handed on");
    unwinds(&|| drop(wakers::now(slot.get())));
    assert_eq!(slot.failures(), 1, "as the old one is served");
    assert!(wakers::now(slot.get()).is_ok());
    sim.time.set(5000);
    assert!(wakers::now(slot.get()).is_ok_and(|value| value.0 == 1));
    // A caller that waits for a value that is set, and a caller that is the last of many.
    slot.invalidate();
    let pending = |_| core::future::pending::<Result<Loaded<Hostile>, Boom>>();
    let slot = LazySlot::builder(R::on(sim.clock())).fetch_fn(pending).build().expect("valid");
    let mut waits = [slot.get(), slot.get(), slot.get()];
    assert!(waits.iter_mut().all(|wait| wakers::poll_once(wait).is_pending()));
    slot.set(Hostile(9));
    arm("clone", 0);
    let ended = waits.each_mut().map(|wait| catch_unwind(AssertUnwindSafe(|| wakers::poll_once(wait))));
    assert!(ended[0].is_err());
    assert!(ended[1..].iter().all(|told| matches!(told, Ok(Poll::Ready(Ok(value))) if value.0 == 9)));
    drop(waits);
    assert_clean(&slot.stats());
}

/// D29, P13: the work is complete when a value that left panics in its drop.
fn the_drop_of_a_value_panics<R: Host>() {
    let sim = Sim::new();
    let number = Rc::new(Cell::new(0));
    let next = number.clone();
    let fetch = move |_| {
        next.set(next.get() + 1);
        let n = next.get();
        async move { Ok::<_, Boom>(Loaded::new(Hostile(n))) }
    };
    let slot = LazySlot::builder(R::on(sim.clock())).fetch_fn(fetch).build().expect("valid");
    let held = |slot: &LazySlot<_, _, R>| slot.peek().map(|found: larder::Outcome<Hostile, Boom>| found.value().0);
    slot.set(Hostile(70));
    let acts: [(&dyn Fn(), Option<u32>); 3] = [
        (&|| _ = slot.set(Hostile(71)), Some(71)),
        (&|| drop(slot.invalidate()), None),
        (&|| drop(wakers::now(slot.get())), Some(1)),
    ];
    for (act, left) in acts {
        let mut watcher = slot.watch();
        arm("drop", 0);
        let panic = catch_unwind(AssertUnwindSafe(act));
        assert!(panic.is_err_and(|panic| panic.is::<Bang>()));
        assert_eq!(held(&slot), left);
        assert!(wakers::now(watcher.changed()));
        assert_clean(&slot.stats());
    }
    slot.expire();
    assert!(wakers::now(slot.get()).is_ok_and(|value| value.0 == 2));
}

/// P11: a clock that panics at a publication is the fetch's panic; one that panics at a read by a caller is that
/// caller's.
fn the_clock_panics<R: Host>() {
    for (reads, failures) in [(1, 0), (2, 1)] {
        let sim = Sim::new();
        let loads = sim.loads(ready().gives(1));
        let left = Rc::new(Cell::new(0_u32));
        let last = left.clone();
        let clock = Tells(sim.clock(), move |clock: &ManualClock| {
            if last.replace(last.get().saturating_sub(1)) == 1 {
                std::panic::panic_any(Bang(17));
            }
            clock.now()
        });
        let slot = LazySlot::builder(R::with(clock)).fetch_fn(loads.fetcher()).ttl(ms(10)).build().expect("valid");
        left.set(reads);
        let panic = catch_unwind(AssertUnwindSafe(|| wakers::now(slot.get()).is_ok()));
        assert!(panic.is_err_and(|panic| panic.is::<Bang>()));
        assert_eq!(slot.failures(), failures);
        assert_clean(&slot.stats());
        assert!(wakers::now(slot.get()).is_ok());
    }
}
