//! Fetches that use their own slot.

use larder::{LazySlot, LoadError, LookupOptions, Ttl};
use larder_tests::*;

use crate::{held, set};

on_every_runtime! {
    c82_a_first_fetch_that_asks
    c82_with_others_who_wait
    c82_a_refresh_that_asks_has_the_copy
    c82_a_borrowing_fetch_that_asks
    c82_beyond_the_stale_limit
    a_refresh_that_asks_for_a_refresh
    a_fetch_that_asks_by_a_ticket
    a_fetch_that_writes
    c83_values_that_use_the_slot_when_dropped
    slots_that_ask_each_other
    a_fetch_may_keep_the_slot
}

/// What a call inside a fetch got.
fn told(result: Result<V, LoadError<Boom>>) -> Result<V, Boom> {
    match result {
        Ok(value) => Ok(V::new(*value + 10)),
        Err(LoadError::Reentrant) => Err(Boom(82)),
        Err(_) => Err(Boom(1)),
    }
}

type Ask<R> = fn(Slot<R>) -> Pin<Box<dyn Future<Output = Result<V, LoadError<Boom>>>>>;

/// Asks with its own fetch, which must not be called.
fn ask<R: Host>(slot: Slot<R>) -> Pin<Box<dyn Future<Output = Result<V, LoadError<Boom>>>>> {
    Box::pin(async move { slot.get_or_fetch(|_| async { Ok(V::new(99)) }).await })
}

/// A call whose fetch waits for the gate and then asks its own slot.
fn asking<R: Host>(sim: &mut Sim, slot: &Slot<R>, gate: &Gate, ask: Ask<R>) -> usize {
    let (own, inside, gate) = (slot.clone(), slot.clone(), gate.clone());
    sim.call(async move {
        let fetch = move |_| async move {
            core::future::poll_fn(|context| gate.poll(context)).await;
            told(ask(inside).await)
        };
        own.lookup_or_fetch(LookupOptions::new(), fetch).await
    })
}

/// D66: without a value it gets an error, and does not wait for itself. (P3)
fn c82_a_first_fetch_that_asks<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    gate.open();
    let slot = sim.bare_slot::<R>(|s| s);
    let i = asking(&mut sim, &slot, &gate, ask);
    assert_eq!(sim.saw(i), "0: E82");
    assert_eq!((slot.failures(), slot.stats().errors), (1, 2));
    assert_clean(&slot.stats());
}

/// D66: also if others wait for that fetch. (P3)
fn c82_with_others_who_wait<R: Host>() {
    for others in 1..4 {
        let mut sim = Sim::new();
        let gate = Gate::default();
        let slot = sim.bare_slot::<R>(|s| s);
        let mut callers = vec![asking(&mut sim, &slot, &gate, ask)];
        callers.extend((0..others).map(|_| asking(&mut sim, &slot, &gate, ask)));
        gate.open();
        sim.run();
        assert_eq!(crate::ends(&sim, &callers), ["0: E82"]);
        assert_clean(&slot.stats());
    }
}

/// D67: with a value it gets that.
fn c82_a_refresh_that_asks_has_the_copy<R: Host>() {
    for others in 0..3 {
        let mut sim = Sim::new();
        let gate = Gate::default();
        let slot = sim.bare_slot::<R>(|s| s.lock_age(ms(0)));
        set(&slot, 7, Ttl::ExpiresAtOnce);
        let i = asking(&mut sim, &slot, &gate, ask);
        let loads = sim.loads(never());
        (0..others).for_each(|_| _ = sim.fetch_by(&slot, &loads));
        gate.open();
        sim.run();
        assert_eq!(sim.saw(i), "0: V17 Expired", "though the fetch is over its age");
    }
}

/// D66: the same with a fetch that borrows from its call, in either role.
fn c82_a_borrowing_fetch_that_asks<R: Host>() {
    for value in [None, Some(7)] {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let slot = sim.slot::<R>(&loads, |s| s);
        value.into_iter().for_each(|n| set(&slot, n, Ttl::ExpiresAtOnce));
        let own = slot.clone();
        let i = sim.call(async move {
            let fetch = |_| async {
                let inner = own.lookup_with(LookupOptions::new(), |_| async { Ok(V::new(99)) }).await;
                told(inner.map(larder::Outcome::into_value))
            };
            own.lookup_with(LookupOptions::new(), fetch).await
        });
        assert_eq!(sim.saw(i), if value.is_some() { "0: V17 Expired" } else { "0: E82" });
        assert_clean(&slot.stats());
    }
}

/// D67: it gets the copy within the stale limit only.
fn c82_beyond_the_stale_limit<R: Host>() {
    let mut sim = Sim::new();
    let gate = Gate::default();
    gate.open();
    let slot = sim.bare_slot::<R>(|s| s.stale_limit(ms(5)));
    set(&slot, 7, Ttl::ExpiresAtOnce);
    sim.to(6);
    let i = asking(&mut sim, &slot, &gate, ask);
    assert_eq!(sim.saw(i), "6: E82");
}

/// D67: the same if it forces a refresh from inside, with a fresh value or not.
fn a_refresh_that_asks_for_a_refresh<R: Host>() {
    fn force<R: Host>(slot: Slot<R>) -> Pin<Box<dyn Future<Output = Result<V, LoadError<Boom>>>>> {
        Box::pin(async move {
            let outcome = slot.lookup_or_fetch(LookupOptions::new().reload(), |_| async { Ok(V::new(99)) }).await;
            outcome.map(larder::Outcome::into_value)
        })
    }
    for (value, saw) in
        [(None, "0: E82"), (Some(Ttl::ExpiresAtOnce), "0: V17 Miss"), (Some(Ttl::Forever), "0: V17 Miss")]
    {
        let mut sim = Sim::new();
        let slot = sim.bare_slot::<R>(|s| s);
        value.into_iter().for_each(|ttl| set(&slot, 7, ttl));
        let (own, inside) = (slot.clone(), slot.clone());
        let i = sim.call(async move {
            let fetch = move |_| async move { told(force(inside).await) };
            own.lookup_or_fetch(LookupOptions::new().reload(), fetch).await
        });
        assert_eq!(sim.saw(i), saw);
        assert_clean(&slot.stats());
    }
}

/// A call that takes the value at once gets it without a second refresh.
fn a_fetch_that_asks_by_a_ticket<R: Host>() {
    fn stale<R: Host>(slot: Slot<R>) -> Pin<Box<dyn Future<Output = Result<V, LoadError<Boom>>>>> {
        Box::pin(async move {
            let found = slot.stale_or_fetch(LookupOptions::new(), |_| async { Ok(V::new(99)) }).await?;
            assert!(found.refresh.is_none());
            Ok(found.outcome.into_value())
        })
    }
    for (value, saw) in [(None, "0: E82"), (Some(7), "0: V17 Expired")] {
        let mut sim = Sim::new();
        let gate = Gate::default();
        gate.open();
        let slot = sim.bare_slot::<R>(|s| s);
        value.into_iter().for_each(|n| set(&slot, n, Ttl::ExpiresAtOnce));
        let i = asking(&mut sim, &slot, &gate, stale);
        assert_eq!(sim.saw(i), saw);
        assert_clean(&slot.stats());
    }
}

/// C83: a fetch that sets, drops or expires the value it is fetching has the same effect as any other caller. (P8, P13)
fn a_fetch_that_writes<R: Host>() {
    let writes: [(fn(&Slot<R>), &str, Option<u32>); 3] = [
        (|slot| _ = slot.set(V::new(9)), "0: V9 Expired", Some(9)),
        (|slot| _ = slot.invalidate(), "0: V1 Expired", None),
        (|slot| _ = slot.expire(), "0: V1 Expired", Some(0)),
    ];
    for (write, saw, left) in writes {
        let mut sim = Sim::new();
        let slot = sim.bare_slot::<R>(|s| s);
        set(&slot, 0, Ttl::ExpiresAtOnce);
        let (own, inside) = (slot.clone(), slot.clone());
        let i = sim.call(async move {
            let fetch = move |_| async move {
                write(&inside);
                Ok(V::new(1))
            };
            own.lookup_or_fetch(LookupOptions::new(), fetch).await
        });
        assert_eq!((sim.saw(i).as_str(), held(&slot)), (saw, left));
        assert_clean(&slot.stats());
    }
}

/// C83: the drop of a value, or of a fetch, may use the slot. (P13)
fn c83_values_that_use_the_slot_when_dropped<R: Host>() {
    /// Does this when it is dropped, but not from within itself.
    #[derive(Clone)]
    struct Uses(Rc<RefCell<Option<Box<dyn Fn()>>>>);

    impl Drop for Uses {
        fn drop(&mut self) {
            let hook = self.0.take();
            if let Some(hook) = hook {
                hook();
                self.0.replace(Some(hook));
            }
        }
    }

    let sim = Sim::new();
    let slot = LazySlot::builder(R::on(sim.clock())).build().expect("valid");
    let uses = Uses(Rc::default());
    let (inside, drops) = (slot.clone(), Rc::new(Cell::new(0)));
    let (count, again) = (drops.clone(), uses.0.clone());
    uses.0.replace(Some(Box::new(move || {
        count.set(count.get() + 1);
        inside.set(Uses(again.clone()));
        assert!(inside.peek().is_some() && inside.failures() == 0 && inside.expire());
        assert!(wakers::now(inside.get_or_fetch(|_| async { Err::<Uses, _>(Boom(1)) })).is_ok());
        inside.invalidate();
    })));
    let expect = |act: &dyn Fn()| {
        let before = drops.get();
        act();
        assert!(drops.get() > before);
    };
    slot.set(uses.clone());
    expect(&|| _ = slot.set(uses.clone()));
    slot.set(uses.clone());
    expect(&|| drop(slot.invalidate()));
    let held = uses.clone();
    let mut waits = Box::pin(slot.get_or_fetch(move |_| async move {
        core::future::pending::<()>().await;
        Ok(held)
    }));
    assert!(wakers::poll_once(&mut waits).is_pending());
    expect(&|| _ = slot.set(uses.clone()));
    drop(waits);
    drop(uses.0.take());
    assert_clean(&slot.stats());
}

/// Slots may be nested.
fn slots_that_ask_each_other<R: Host>() {
    let mut sim = Sim::new();
    let slots: Vec<_> = (0..10).map(|_| sim.bare_slot::<R>(|s| s)).collect();
    fn ask_from<R: Host>(slots: Rc<Vec<Slot<R>>>, n: usize) -> Pin<Box<dyn Future<Output = Result<V, Boom>>>> {
        Box::pin(async move {
            let Some(slot) = slots.get(n) else { return Ok(V::new(0)) };
            let next = slots.clone();
            told(slot.get_or_fetch(move |_| ask_from(next, n + 1)).await)
        })
    }
    let all = Rc::new(slots);
    let asks = ask_from(all.clone(), 0);
    sim.call(async move { assert!(asks.await.is_ok_and(|value| *value == 100)) });
    assert_eq!(all.iter().filter_map(|slot| held(slot)).collect::<Vec<_>>(), [90, 80, 70, 60, 50, 40, 30, 20, 10, 0]);
}

/// A fetch that holds a handle of its slot leaves no cycle of handles once it has ended or has no waiters. (P2)
fn a_fetch_may_keep_the_slot<R: Host>() {
    for ends in [true, false] {
        let mut sim = Sim::new();
        let slot = sim.bare_slot::<R>(|s| s);
        let (own, inside) = (slot.clone(), slot.clone());
        let (_, seen) = sim.watch(&slot);
        let i = sim.call(async move {
            let fetch = move |_| async move {
                if !ends {
                    core::future::pending::<()>().await;
                }
                drop(inside);
                Ok(V::new(1))
            };
            own.lookup_or_fetch(LookupOptions::new(), fetch).await
        });
        sim.drop(i);
        drop(slot);
        sim.run();
        assert!(seen.is_over());
    }
}
