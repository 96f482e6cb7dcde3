//! How the task that keeps a slot fresh ends, with others or by itself.

use super::*;

on_every_runtime! {
    it_ends_with_the_slot
    a_fetch_under_way_keeps_the_slot
    dropped_it_leaves_nothing
    dropped_at_every_poll
    a_panic_ends_it
    d107_a_task_that_keeps_it_fresh_goes_on
}

/// It ends once all clones of the slot are dropped, whatever it waits for.
fn it_ends_with_the_slot<R: Host>() {
    for ttl in [Ttl::Forever, Ttl::For(ms(60_000))] {
        let mut sim = Sim::new();
        let loads = sim.loads(ready().gives(1).ttl(ttl));
        let slot = sim.slot::<R>(&loads, |s| s);
        let (one, other) = (keep(&mut sim, &slot), keep(&mut sim, &slot));
        let clone = slot.clone();
        drop(slot);
        sim.run();
        assert_eq!([sim.saw(one), sim.saw(other)], ["waits", "waits"]);
        drop(clone);
        sim.run();
        assert_eq!([sim.saw(one), sim.saw(other)], ["0: done", "0: done"]);
        assert_eq!(sim.time.next_deadline(), None);
    }
    let mut sim = Sim::new();
    let loads = sim.loads(ready());
    let slot = sim.slot::<R>(&loads, |s| s);
    let late = slot.keep_fresh();
    drop(slot);
    let late = sim.call(late);
    assert_eq!((sim.saw(late), loads.calls()), ("0: done".into(), 0));
}

/// A fetch under way is finished first.
fn a_fetch_under_way_keeps_the_slot<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(100).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let (_, seen) = sim.watch(&slot);
    let task = keep(&mut sim, &slot);
    drop(slot);
    sim.to(99);
    assert_eq!((sim.saw(task), seen.is_over()), ("waits".into(), false));
    sim.to(100);
    assert_eq!((sim.saw(task), seen.is_over(), seen.changes()), ("100: done".into(), true, 1));
}

/// Dropped while it waits or fetches, it leaves nothing: no waker, no sleep, no failure. (P2)
fn dropped_it_leaves_nothing<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().gives(1), never()]);
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(1000)));
    let task = keep(&mut sim, &slot);
    sim.to(500);
    sim.drop(task);
    assert_eq!(sim.time.next_deadline(), None);
    let task = keep(&mut sim, &slot);
    sim.to(2000);
    assert_eq!(loads.live(), 1);
    sim.drop(task);
    assert_eq!((loads.live(), slot.failures(), sim.time.next_deadline()), (0, 0, None));
    assert_clean(&slot.stats());
}

/// P2: after whichever poll it is dropped, joined callers drive its fetch, and nothing of it is left.
fn dropped_at_every_poll<R: Host>() {
    for polls in 0..12 {
        let mut sim = Sim::new();
        let loads = sim.loads(steps(4, 10).gives(1).ttl(ms(2000)));
        let slot = sim.slot::<R>(&loads, |s| s);
        let task = sim.spawn(slot.keep_fresh());
        sim.park(task);
        for poll in 0..polls {
            sim.jump(10 * poll);
            sim.poll(task);
        }
        let joined = sim.force(&slot);
        sim.drop(task);
        sim.to(1000);
        assert!(sim.saw(joined).contains(": V1 "), "{polls} polls: {}", sim.saw(joined));
        assert_clean(&slot.stats());
        assert_eq!((loads.live(), sim.time.next_deadline()), (0, None));
    }
}

/// A fetch that panics ends the task, unless another caller polled it; the slot goes on.
fn a_panic_ends_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(10).panics(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    let task = keep(&mut sim, &slot);
    sim.to(10);
    assert_eq!((sim.saw(task), slot.failures()), ("10: unwound 1".into(), 1));
    let i = sim.fetch(&slot);
    assert_eq!(sim.saw(i), "10: V2 Miss");
    assert_clean(&slot.stats());

    let gate = Gate::default();
    let script = gate.script().panics(1);
    let loads = sim.loads_by(move |_, call| if call == 0 { script.clone() } else { ready().gives(2) });
    let slot = sim.slot::<R>(&loads, |s| s);
    let task = sim.spawn(slot.keep_fresh());
    sim.run();
    let other = sim.force(&slot);
    gate.open_quietly();
    sim.poll(other);
    assert_eq!(sim.saw(other), "10: unwound 1");
    sim.to(5010);
    assert_eq!((sim.saw(task), held(&slot)), ("waits".into(), Some(2)));
}

/// D107: a fetch panics through the task that keeps the slot fresh. Polled again, the task waits for the back-off, and
/// goes on.
fn d107_a_task_that_keeps_it_fresh_goes_on<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([ready().panics(1), ready().gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100_000)));
    let mut task = Box::pin(slot.keep_fresh());
    let mut poll = || catch_unwind(AssertUnwindSafe(|| wakers::poll_once(&mut task).is_pending())).ok();
    assert_eq!((poll(), poll()), (None, Some(true)));
    sim.to(5000);
    assert_eq!((poll(), loads.begun()), (Some(true), vec![0, 5000]));
    drop((slot, poll));
    assert!(wakers::poll_once(&mut task).is_ready());
}
