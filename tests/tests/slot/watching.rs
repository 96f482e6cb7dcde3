//! Awaiting the next change.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use larder::Ttl;
use larder_tests::*;

use crate::{held, set};

on_every_runtime! {
    what_is_a_change
    several_at_once_are_one
    the_end_of_the_slot
    each_watcher_sees_for_itself
    dropped_watchers_leave_nothing
    a_wait_that_is_dropped_has_seen_nothing
    a_watchers_waker_panics
    a_watchers_waker_panics_while_a_panic_is_under_way
    a_watcher_that_uses_the_slot
    those_who_wait_for_the_fetch_come_first
    d107_a_sighting_is_over
    d107_a_task_is_over
}

/// D73: a change is a published value, a set one, or a removed one; not a failure, a renewal, a hit, or an expiry.
fn what_is_a_change<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([
        ready().fails(1),
        ready().gives(1),
        ready().panics(2),
        ready().unchanged(),
        ready().gives(3).ttl(Ttl::NotStored),
        ready().gives(4).ttl(Ttl::NotStored),
        ready().gives(5).ttl(Ttl::ExpiresAtOnce),
        ready().gives(6).ttl(ms(0)),
        ready().gives(7),
    ]);
    let slot = sim.slot::<R>(&loads, |s| s);
    let (_, seen) = sim.watch(&slot);
    let mut expected = 0;
    for (call, changes) in [0, 1, 0, 0, 1, 0, 1, 1, 1].into_iter().enumerate() {
        sim.force(&slot);
        expected += changes;
        assert_eq!(seen.changes(), expected, "fetch {call}");
    }
    let mut after = |act: &dyn Fn(), changes| {
        act();
        sim.run();
        expected += changes;
        assert_eq!(seen.changes(), expected);
    };
    after(&|| set(&slot, 8, ms(10)), 1);
    after(&|| set(&slot, 8, ms(10)), 1);
    after(&|| _ = slot.expire(), 0);
    after(&|| _ = slot.invalidate(), 1);
    after(&|| _ = slot.invalidate(), 0);
    after(&|| _ = slot.expire(), 0);
    after(&|| set(&slot, 9, Ttl::NotStored), 0);
    let generation = slot.set(V::new(9)).expect("it is kept");
    after(&|| (), 1);
    after(&|| assert!(slot.invalidate_if(generation)), 1);
    after(&|| assert!(!slot.invalidate_if(generation)), 0);
    assert!(!seen.is_over());
}

/// Changes without a waiting watcher are seen by the next wait, as one.
fn several_at_once_are_one<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(10)); // from before
    let mut watcher = slot.watch();
    assert!(wakers::poll_once(&mut watcher.changed()).is_pending());
    for n in 1..4 {
        set(&slot, n, ms(10));
    }
    assert!(wakers::now(watcher.changed()));
    assert!(wakers::poll_once(&mut watcher.changed()).is_pending());
    // A change during a wait is seen by that wait.
    let mut changed = watcher.changed();
    assert!(wakers::poll_once(&mut changed).is_pending());
    set(&slot, 4, ms(10));
    assert_eq!(wakers::poll_once(&mut changed), Poll::Ready(true));
}

/// The watcher sees the last change, and then that there will be none; waiting watchers are woken for it.
fn the_end_of_the_slot<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s);
    let (_, seen) = sim.watch(&slot);
    let mut late = slot.watch();
    set(&slot, 1, ms(10));
    let clone = slot.clone();
    drop(slot);
    sim.run();
    assert_eq!((seen.changes(), seen.is_over()), (1, false), "a clone is the slot");
    drop(clone);
    sim.run();
    assert_eq!((seen.changes(), seen.is_over()), (1, true));
    assert!(wakers::now(late.changed()));
    assert!(!wakers::now(late.changed()) && !wakers::now(late.changed()));
}

/// Each watcher sees each change; a later watcher sees later changes only.
fn each_watcher_sees_for_itself<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let watchers: Vec<_> = (0..3).map(|_| sim.watch(&slot).1).collect();
    sim.fetch(&slot);
    let later = sim.watch(&slot).1;
    sim.force(&slot);
    assert_eq!(watchers.iter().map(Sightings::changes).collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(later.changes(), 1);
}

/// A watcher, or a wait, that is dropped leaves no waker and no byte. (P2)
fn dropped_watchers_leave_nothing<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s);
    let (counter, waker) = wakers::Counting::new();
    memory::assert_no_growth(|| {
        for _ in 0..100 {
            let mut watcher = slot.watch();
            for _ in 0..3 {
                assert!(wakers::poll_with(&mut watcher.changed(), &waker).is_pending());
            }
            let mut forgotten = watcher.changed();
            assert!(wakers::poll_with(&mut forgotten, &waker).is_pending());
        }
    });
    set(&slot, 1, ms(10));
    assert_eq!(counter.wakes(), 0);
    drop(waker);
    assert_eq!(Arc::strong_count(&counter), 1, "no waker is left in the slot");
}

/// A change is seen only by a wait that ends. (P2)
fn a_wait_that_is_dropped_has_seen_nothing<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(never());
    let slot = sim.slot::<R>(&loads, |s| s);
    let mut watcher = slot.watch();
    let mut changed = watcher.changed();
    assert!(wakers::poll_once(&mut changed).is_pending());
    set(&slot, 1, ms(10));
    drop(changed);
    assert!(wakers::now(watcher.changed()));
}

/// D29: the panic unwinds through the call that made the change, which is complete; the others are woken. (P5)
fn a_watchers_waker_panics<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let order = wakers::Order::default();
    let mut watchers: Vec<_> = (0..4).map(|_| slot.watch()).collect();
    let acts: [(&dyn Fn(), Option<u32>); 4] = [
        (&|| set(&slot, 9, ms(100)), Some(9)),
        (&|| _ = slot.invalidate(), None),
        (&|| _ = wakers::now(slot.get()), Some(1)),
        (&|| _ = wakers::now(slot.refresh()), Some(1)),
    ];
    for (act, left) in acts {
        let mut waits: Vec<_> = watchers.iter_mut().map(|watcher| watcher.changed()).collect();
        for (n, wait) in waits.iter_mut().enumerate() {
            let waker = if n == 1 { wakers::panicking() } else { order.waker(n) };
            assert!(wakers::poll_with(wait, &waker).is_pending());
        }
        let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("it goes out");
        assert_eq!(panic.downcast_ref::<Bang>(), Some(&Bang(16)));
        assert_eq!((order.take(), held(&slot)), (vec![0, 2, 3], left));
        assert!(waits.iter_mut().all(|wait| wakers::poll_once(wait) == Poll::Ready(true)));
        assert_clean(&slot.stats());
    }
    let i = sim.fetch(&slot);
    assert_eq!(sim.saw(i), "0: V1 Hit");
}

/// A slot is dropped, or changes, while the stack unwinds: a waker that panics then does not abort the process. (P5)
fn a_watchers_waker_panics_while_a_panic_is_under_way<R: Host>() {
    struct Last<F: FnOnce()>(Option<F>);

    impl<F: FnOnce()> Drop for Last<F> {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(|last| last());
        }
    }

    for changes in [true, false] {
        let sim = Sim::new();
        let loads = sim.loads(never());
        let slot = sim.slot::<R>(&loads, |s| s);
        let (mut watcher, mut other) = (slot.watch(), slot.watch());
        let (mut wait, mut next) = (watcher.changed(), other.changed());
        let (counter, waker) = wakers::Counting::new();
        assert!(wakers::poll_with(&mut wait, &wakers::panicking()).is_pending());
        assert!(wakers::poll_with(&mut next, &waker).is_pending());
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _last = Last(Some(move || if changes { set(&slot, 1, ms(10)) } else { drop(slot) }));
            std::panic::panic_any(Bang(1));
        }));
        assert_eq!(panic.expect_err("the first").downcast_ref::<Bang>(), Some(&Bang(1)));
        assert_eq!(counter.wakes(), 1);
    }
}

/// P13: no lock is held over a watcher's waker: it may use the slot, and is woken when the change is complete.
fn a_watcher_that_uses_the_slot<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let (seen, own) = (Rc::new(RefCell::new(Vec::new())), slot.clone());
    let noted = seen.clone();
    let waker = wakers::on_the_spot(async move {
        let mut watcher = own.watch();
        for n in 0..3 {
            assert!(watcher.changed().await);
            noted.borrow_mut().push(held(&own));
            if n == 1 {
                own.set(V::new(5));
            }
        }
    });
    waker.wake();
    sim.fetch(&slot);
    slot.invalidate();
    assert_eq!(*seen.borrow(), [Some(1), None, Some(5)]);
    assert_eq!(held(&slot), Some(5));
}

/// D29: at a publication, waiting callers are woken before watchers.
fn those_who_wait_for_the_fetch_come_first<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let order = wakers::Order::default();
    let mut watcher = slot.watch();
    let mut wait = watcher.changed();
    assert!(wakers::poll_with(&mut wait, &order.waker(9)).is_pending());
    let mut calls = [slot.get(), slot.get(), slot.get()];
    for (n, call) in calls.iter_mut().enumerate() {
        assert!(wakers::poll_with(call, &order.waker(n)).is_pending());
    }
    gate.open_quietly();
    order.take();
    assert!(wakers::poll_with(&mut calls[0], &order.waker(0)).is_ready());
    assert_eq!(order.take(), [1, 2, 9]);
}

/// D107: a wait that has seen a change, or the end, has ended; later changes are for the next wait.
fn d107_a_sighting_is_over<R: Host>() {
    let slot = Sim::new().bare_slot::<R>(|s| s);
    let mut watcher = slot.watch();
    {
        let mut changed = watcher.changed();
        assert!(wakers::poll_once(&mut changed).is_pending());
        set(&slot, 1, Ttl::Inherit);
        assert_eq!(wakers::poll_once(&mut changed), Poll::Ready(true));
        set(&slot, 2, Ttl::Inherit);
        assert!(wakers::poll_once(&mut changed).is_pending(), "ready once more");
    }
    assert!(wakers::now(watcher.changed()), "the second change is yet to be seen");
    drop(slot);
    let mut last = watcher.changed();
    assert_eq!(wakers::poll_once(&mut last), Poll::Ready(false));
    assert!(wakers::poll_once(&mut last).is_pending(), "ready once more");
}

/// D107: the task that keeps a slot fresh ends with the slot.
fn d107_a_task_is_over<R: Host>() {
    let slot = Sim::new().bare_slot::<R>(|s| s);
    let mut task = Box::pin(slot.keep_fresh());
    assert!(wakers::poll_once(&mut task).is_pending());
    drop(slot);
    assert!(wakers::poll_once(&mut task).is_ready());
    let polled = catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut task)));
    assert!(matches!(polled, Ok(Poll::Pending)));
}
