//! A lent load also belongs to the epoch in which it begins, although only its caller polls it. (D11, D16)

use std::future::poll_fn;

use larder::{Load, LoadError, LookupOptions, OnTimeout};
use larder_tests::*;

type Fetched = Result<larder::Loaded<V>, Boom>;

on_every_runtime! {
    c102_a_lent_load
    c102_nobody_has_come
    c102_over_the_lock_age
    c102_a_lender_is_parked
    c102_a_lender_is_dropped
    c102_a_lender_leaves_a_newer_epoch_that_nobody_waits_in
    c102_a_lender_is_told_of_an_older_load
    c102_a_lent_load_fails
    c102_a_lent_load_panics
    c102_a_lent_load_is_over_its_budget
    d93_a_lent_load_is_over_its_budget_after_a_burst
    c102_an_older_load_panics
    c102_another_write
    c102_an_insert
    c102_a_lent_load_goes_at_the_bound
    d66_a_lent_load_asks_for_its_own_key
    d66_beside_a_lent_load_that_is_not_polled
}

/// A waits from 0 on for this load, and B, which lends this load, from 20 on. The key is removed at 50; B's load begins
/// at 120.
fn lent<R: Host>(
    [older, lends]: [Script; 2],
    setup: impl FnOnce(Setup<R>) -> Setup<R>,
) -> (Sim, Loads, Scripted<R>, [usize; 2]) {
    let mut sim = Sim::new();
    let loads = sim.loads_by(move |_, call| if call == 0 { older.clone() } else { after(50).gives(3) });
    let lends = sim.loads(lends);
    let cache = sim.cache::<R>(&loads, setup);
    let a = sim.get(&cache, 7);
    sim.to(20);
    let (lender, brings) = (cache.clone(), lends.clone());
    let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load);
    let b = sim.call(async move { lender.lookup(&7).options(options).lend(|| brings.load(7)).await });
    sim.to(50);
    assert_eq!(cache.remove(&7), None);
    sim.to(120);
    assert_eq!((loads.begun(), lends.begun()), (vec![0], vec![120]));
    (sim, loads, cache, [a, b])
}

/// The results of all, and what is stored.
#[track_caller]
fn assert_saw<R: Host, const N: usize>(
    sim: &Sim,
    cache: &Scripted<R>,
    callers: [usize; N],
    saw: [&str; N],
    stored: Option<u32>,
) {
    assert_eq!(callers.map(|i| sim.saw(i)), saw);
    assert_eq!(cache.get_if_present(&7).as_deref(), stored.as_ref());
    assert_clean(&cache.stats());
}

/// C102: a caller after the write joins it, it is stored, and it serves the callers from before.
fn c102_a_lent_load<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([never(), after(30).gives(2)], |c| c);
    sim.to(130);
    let c = sim.get(&cache, 7);
    assert_eq!((loads.calls(), cache.stats().waiters), (1, 3), "C waits for B's load");
    sim.to(150);
    let saw = ["150: V2 Miss", "150: V2 Miss", "150: V2 LockHit"];
    assert_saw(&sim, &cache, [a, b, c], saw, Some(2));
    let stats = cache.stats();
    assert_eq!((stats.loads_begun, stats.loads_succeeded, stats.loads_dropped), (2, 1, 1));
}

/// The same if no caller comes between the write and its end, or if that caller has left.
fn c102_nobody_has_come<R: Host>() {
    for comes in [false, true] {
        let (mut sim, _loads, cache, [a, b]) = lent::<R>([never(), after(30).gives(2)], |c| c);
        if comes {
            let c = sim.get(&cache, 7);
            sim.to(130);
            sim.drop(c);
        }
        sim.to(150);
        assert_saw(&sim, &cache, [a, b], ["150: V2 Miss", "150: V2 Miss"], Some(2));
    }
}

/// D12, D16: a caller after the write takes over when it reaches the lock age, and so do others.
fn c102_over_the_lock_age<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([never(), never()], |c| c.lock_age(ms(200)));
    sim.to(130);
    let c = sim.get(&cache, 7);
    sim.to(320);
    // A belongs to the older epoch and takes over as well; by then C has waited for it to begin.
    assert_eq!(loads.begun()[1..], [320]);
    sim.to(370);
    let saw = ["370: V3 Miss", "370: V3 Miss", "370: V3 LockHit"];
    assert_saw(&sim, &cache, [a, b, c], saw, Some(3));
}

/// D16: while its caller is parked, no other caller polls it; when its caller is polled again, its answer still counts.
fn c102_a_lender_is_parked<R: Host>() {
    let (mut sim, _loads, cache, [a, b]) = lent::<R>([never(), after(30).gives(2)], |c| c);
    sim.park(b);
    let c = sim.get(&cache, 7);
    sim.to(500);
    assert_eq!(sim.saw(c), "waits");
    sim.unpark(b);
    sim.run();
    let saw = ["500: V2 Miss", "500: V2 Miss", "500: V2 LockHit"];
    assert_saw(&sim, &cache, [a, b, c], saw, Some(2));
}

/// D16: it is dropped with its caller, and in the newer epoch the longest waiter leads.
fn c102_a_lender_is_dropped<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([after(500).gives(1), after(30).gives(2)], |c| c);
    let (c, d) = (sim.get(&cache, 7), sim.get(&cache, 7));
    sim.to(130);
    sim.drop(b);
    sim.run();
    assert_eq!(loads.begun(), [0, 130]);
    sim.to(500);
    let saw = ["500: V1 Miss", "180: V3 Miss", "180: V3 LockHit"];
    assert_saw(&sim, &cache, [a, c, d], saw, Some(3));
    assert_eq!((cache.stats().loads_dropped, loads.calls()), (1, 2));
}

/// P2: nothing stays behind if no caller waits for it in the newer epoch.
fn c102_a_lender_leaves_a_newer_epoch_that_nobody_waits_in<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([after(500).gives(1), after(30).gives(2)], |c| c);
    sim.drop(b);
    let c = sim.get(&cache, 7);
    assert_eq!(loads.begun(), [0, 120], "there is nothing to join");
    sim.to(500);
    assert_saw(&sim, &cache, [a, c], ["500: V1 Miss", "170: V3 Miss"], Some(3));
}

/// D8: an answer of its own epoch ends B's wait, and the load that B has lent is dropped.
fn c102_a_lender_is_told_of_an_older_load<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([after(140).gives(1), after(30).gives(2)], |c| c);
    let c = sim.get(&cache, 7);
    sim.to(140);
    assert_eq!([a, b, c].map(|i| sim.saw(i)), ["140: V1 Miss", "140: V1 Miss", "waits"]);
    assert_eq!(loads.begun(), [0, 140]);
    sim.to(190);
    assert_saw(&sim, &cache, [c], ["190: V3 Miss"], Some(3));
}

/// P4, D9: its failure is that of the newer epoch; A waits for its own load, which is still in flight.
fn c102_a_lent_load_fails<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([after(500).gives(1), after(30).fails(2)], |c| c);
    let c = sim.get(&cache, 7);
    sim.to(500);
    assert_saw(&sim, &cache, [a, b, c], ["500: V1 Miss", "150: E2", "150: E2"], None);
    assert_eq!((cache.stats().loads_failed, loads.calls()), (1, 1));
}

/// P5: so is its panic.
fn c102_a_lent_load_panics<R: Host>() {
    let (mut sim, _loads, cache, [a, b]) = lent::<R>([after(500).gives(1), after(30).panics(2)], |c| c);
    let c = sim.get(&cache, 7);
    sim.to(500);
    assert_saw(&sim, &cache, [a, b, c], ["500: V1 Miss", "150: unwound 2", "150: Panicked"], None);
    assert_eq!(cache.stats().loads_panicked, 1);
}

/// D93: so is the end of its budget, whichever caller notices it first.
fn c102_a_lent_load_is_over_its_budget<R: Host>() {
    for parks in [false, true] {
        let (mut sim, loads, cache, [a, b]) = lent::<R>([never(), never()], |c| c.load_budget(ms(200)));
        let c = sim.get(&cache, 7);
        if parks {
            sim.park(c);
        }
        sim.to(320);
        sim.unpark(c);
        let saw = ["200: BudgetExceeded", "320: BudgetExceeded", "320: BudgetExceeded"];
        assert_saw(&sim, &cache, [a, b, c], saw, None);
        assert_eq!((cache.stats().loads_failed, loads.calls()), (2, 1));
    }
}

/// D93: the flight of the newer epoch, where nobody waits, is the last of a burst that gives back its place, wherever the
/// flight of the older one is by then. (C114)
fn d93_a_lent_load_is_over_its_budget_after_a_burst<R: Host>() {
    for left in 1..20 {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let cache = sim.cache::<R>(&loads, |c| c.shards(1).load_budget(ms(200)));
        let burst: Vec<_> = (100..164).map(|key| sim.get(&cache, key)).collect();
        let a = sim.get(&cache, 7);
        let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load);
        let lender = cache.clone();
        let b = sim.call(async move { lender.lookup(&7).options(options).lend(std::future::pending::<Fetched>).await });
        cache.remove(&7);
        sim.to(150);
        let rest: Vec<_> = (200..200 + left).map(|key| sim.get(&cache, key)).collect();
        burst.into_iter().for_each(|i| sim.drop(i));
        sim.to(300);
        assert_eq!([a, b].map(|i| sim.saw(i)), ["200: BudgetExceeded", "300: BudgetExceeded"], "{left}");
        rest.into_iter().for_each(|i| sim.drop(i));
        assert_clean(&cache.stats());
    }
}

/// D9, D11: if B polls a load of the older epoch and it panics, the newer epoch is not affected: C leads once B is
/// gone.
fn c102_an_older_load_panics<R: Host>() {
    let (mut sim, _loads, cache, [a, b]) = lent::<R>([after(130).panics(1), after(30).gives(2)], |c| c);
    let c = sim.get(&cache, 7);
    sim.park(a);
    sim.to(180);
    sim.drop(a);
    assert_saw(&sim, &cache, [b, c], ["130: unwound 1", "180: V3 Miss"], Some(3));
}

/// P8: a load that another write came after is not stored, and a later caller leads.
fn c102_another_write<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([never(), after(30).gives(2)], |c| c);
    let c = sim.get(&cache, 7);
    sim.to(140);
    cache.remove(&7);
    let d = sim.get(&cache, 7);
    assert_eq!(loads.begun(), [0, 140]);
    sim.to(190);
    let saw = ["150: V2 Miss", "150: V2 Miss", "150: V2 LockHit", "190: V3 Miss"];
    assert_saw(&sim, &cache, [a, b, c, d], saw, Some(3));
}

/// D39: an inserted value ends the wait of callers in the newer epoch only.
fn c102_an_insert<R: Host>() {
    let (mut sim, _loads, cache, [a, b]) = lent::<R>([never(), after(30).gives(2)], |c| c);
    let c = sim.get(&cache, 7);
    sim.to(140);
    cache.insert(7, V::new(9));
    sim.to(150);
    assert_saw(&sim, &cache, [a, b, c], ["150: V2 Miss", "150: V2 Miss", "140: V9 LockHit"], Some(9));
}

/// D10: it counts in the newer epoch, and makes room there when it is dropped.
fn c102_a_lent_load_goes_at_the_bound<R: Host>() {
    let (mut sim, loads, cache, [a, b]) = lent::<R>([never(), never()], |c| c.lock_age(ms(200)).attempts(1));
    sim.park(a);
    let c = sim.get(&cache, 7);
    sim.to(400);
    assert_eq!((loads.calls(), sim.saw(c)), (1, "waits".into()));
    sim.drop(b);
    sim.run();
    assert_eq!(loads.begun(), [0, 400]);
    sim.to(450);
    sim.drop(a);
    assert_saw(&sim, &cache, [c], ["450: V3 Miss"], Some(3));
}

/// A load that is never ready, and asks for its key in each poll; records the first result.
async fn asks<R: Host>(cache: Scripted<R>, saw: Rc<RefCell<Vec<String>>>) -> Result<larder::Loaded<V>, Boom> {
    poll_fn(|cx| {
        let seen = match Pin::new(&mut cache.get(&7)).poll(cx) {
            Poll::Ready(Err(LoadError::Reentrant)) => "Reentrant",
            Poll::Ready(_) => "ready",
            Poll::Pending => "waits",
        };
        saw.borrow_mut().push(seen.into());
        Poll::Pending
    })
    .await
}

/// D66: in the newer epoch, too, a call from inside it is recognized, in each poll.
fn d66_a_lent_load_asks_for_its_own_key<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    let (lender, saw) = (cache.clone(), Rc::<RefCell<Vec<String>>>::default());
    let inside = asks(cache.clone(), saw.clone());
    let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load);
    let b = sim.call(async move { lender.lookup(&7).options(options).lend(|| inside).await });
    cache.remove(&7);
    sim.to(100);
    sim.poll(b);
    assert!(saw.borrow().len() > 1 && saw.borrow().iter().all(|saw| saw == "Reentrant"), "{saw:?}");
    assert_eq!(loads.calls(), 1);
    [a, b].into_iter().for_each(|i| sim.drop(i));
    assert_clean(&cache.stats());
}

/// D66: but not a call of the lender's task between two of its polls.
fn d66_beside_a_lent_load_that_is_not_polled<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    let (lender, is_beside) = (cache.clone(), Rc::<Cell<bool>>::default());
    let begins = is_beside.clone();
    let b = sim.call(async move {
        let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Load);
        let mut lends = lender.lookup(&7).options(options).lend(core::future::pending::<Fetched>);
        let mut beside = lender.lookup(&7);
        poll_fn(|cx| {
            let _ = Pin::new(&mut lends).poll(cx);
            if begins.get() { Pin::new(&mut beside).poll(cx) } else { Poll::Pending }
        })
        .await
    });
    cache.remove(&7);
    sim.to(100);
    is_beside.set(true);
    sim.poll(b);
    sim.poll(b);
    assert_eq!((sim.saw(b).as_str(), loads.calls(), cache.stats().waiters), ("waits", 1, 3));
    [a, b].into_iter().for_each(|i| sim.drop(i));
    assert_clean(&cache.stats());
}
