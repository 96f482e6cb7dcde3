//! The defects of the slot's origin, which this slot does not have.

use larder::{LookupOptions, Status, TimeLeft, Ttl};
use larder_tests::*;

use crate::{ends, handed, held, set};

on_every_runtime! {
    l1_waiters_of_a_failed_first_fetch_do_not_fetch_one_by_one
    l2_waiting_for_the_first_fetch_is_cancellable
    l3_a_cancelled_refresher_poisons_nobody
    l4_a_panic_is_a_failure_like_any
    l5_a_caller_can_tell_what_he_has_and_bound_it
    l6_a_first_fetch_that_asks_its_own_slot_does_not_hang
    l7_the_refresh_burdens_nobody_who_does_not_want_it
    l7_what_lives_for_ever_can_be_replaced
    l7_the_lifetime_counts_from_the_answer
    l7_the_delay_may_be_zero_and_grows_otherwise
}

/// L1: 20 callers of a first fetch that takes 20 and fails: one fetch and 20 ms, not 20 fetches and 400 ms. (P4)
fn l1_waiters_of_a_failed_first_fetch_do_not_fetch_one_by_one<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(20).fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let callers = sim.fetchers(&slot, 20);
    sim.to(1000);
    assert_eq!((ends(&sim, &callers), loads.calls()), (vec!["20: E1".into()], 1));
    // The same with a delay for the empty slot, if one is set.
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.retry_when_empty());
    let callers = sim.fetchers(&slot, 3);
    assert_eq!(ends(&sim, &callers), ["1000: E1", "1000: E1 cached"]);
    sim.to(5999);
    sim.fetch(&slot);
    assert_eq!(loads.begun(), [1000]);
    sim.to(6000);
    sim.fetch(&slot);
    assert_eq!(loads.begun(), [1000, 6000]);
}

/// L2: a caller that waits for the first fetch may be dropped at any time; nothing of it stays. (P2)
fn l2_waiting_for_the_first_fetch_is_cancellable<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(300).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    let first = sim.fetch(&slot);
    let waits = sim.fetch(&slot);
    sim.to(20);
    sim.drop(waits);
    assert_eq!((slot.stats().waiters, slot.stats().abandoned), (1, 1));
    sim.to(300);
    assert_eq!(sim.saw(first), "300: V1 Miss");
    assert_clean(&slot.stats());
}

/// L3: a caller that is dropped while it refreshes is no failure: the next caller refreshes at once. (P2, P4)
fn l3_a_cancelled_refresher_poisons_nobody<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(1)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let cancelled = sim.fetch(&slot);
    sim.drop(cancelled);
    let next = sim.fetch(&slot);
    assert_eq!((sim.saw(next), slot.failures()), ("0: V1 Expired".into(), 0));
}

/// L4: fail, fail, panic, fail, fail count to five, each later than the one before; a panic does not repeat at every
/// call. (P5)
fn l4_a_panic_is_a_failure_like_any<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| if call == 2 { ready().panics(3) } else { ready().fails(call as u32) });
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(1000)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    for second in 0..=15 {
        sim.to(second * 1000);
        sim.fetchers(&slot, 2);
    }
    assert_eq!((loads.begun(), slot.failures()), (vec![0, 1000, 3000, 7000, 15_000], 5));
    // A fetch that always panics is called at the same pace.
    let loads = sim.loads(ready().panics(1));
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(1000)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    let callers = sim.fetchers(&slot, 3);
    assert_eq!(ends(&sim, &callers), ["15000: V0 Stale(0) +Panicked", "15000: unwound 1"]);
    assert_eq!(loads.calls(), 1);
}

/// L5: callers get age, expiry, staleness and the error, and staleness is bounded by the slot or by the call.
fn l5_a_caller_can_tell_what_he_has_and_bound_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.stale_limit(ms(50)));
    set(&slot, 0, ms(100));
    sim.to(40);
    let found = slot.peek().expect("it is held");
    assert_eq!((found.status(), found.age(), found.time_left()), (Status::Hit, ms(40), TimeLeft::For(ms(60))));
    sim.to(120);
    let i = sim.fetch(&slot);
    let Answer::Outcome(outcome, _) = sim.answer(i) else { panic!("{}", sim.saw(i)) };
    assert_eq!((outcome.status(), outcome.age()), (Status::Stale(ms(20)), ms(120)));
    assert_eq!(outcome.error().and_then(|failure| failure.error()), Some(&Boom(1)));
    let fussy = LookupOptions::new().stale_while_refresh(ms(10)).stale_if_error(ms(10));
    let fussy = sim.fetch_with(&slot, fussy);
    assert_eq!(sim.saw(fussy), "120: E1 cached");
    sim.to(151);
    let late = sim.fetch(&slot);
    assert_eq!(sim.saw(late), "151: E1 cached", "beyond the slot's limit");
}

/// L6: a first fetch that asks its own slot gets a typed error; with a value it gets the old copy. (P3)
fn l6_a_first_fetch_that_asks_its_own_slot_does_not_hang<R: Host>() {
    let mut sim = Sim::new();
    let slot = sim.bare_slot::<R>(|s| s.ttl(ms(100)));
    let (own, inside) = (slot.clone(), slot.clone());
    let asks = sim.call(async move {
        own.get_or_fetch(|_| async move {
            match inside.get_or_fetch(|_| async { Ok(V::new(8)) }).await {
                Ok(value) => Ok(value),
                Err(error) => Err(Boom(if matches!(error, larder::LoadError::Reentrant) { 82 } else { 1 })),
            }
        })
        .await
    });
    assert_eq!(sim.saw(asks), "0: E82");
    assert_clean(&slot.stats());
}

/// L7: a caller can get the refresh as a ticket, so that no caller has to wait for it.
fn l7_the_refresh_burdens_nobody_who_does_not_want_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, ms(100));
    sim.to(100);
    let i = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(i), "100: V0 Stale(0) +ticket");
    let other = sim.fetch_stale(&slot);
    assert_eq!(sim.saw(other), "100: V0 Stale(0)");
    sim.refresh(i);
    sim.to(150);
    assert_eq!((held(&slot), loads.begun()), (Some(1), vec![100]));
    assert_clean(&slot.stats());
}

/// L7: a value that lives for ever can be set, dropped, expired and refreshed.
fn l7_what_lives_for_ever_can_be_replaced<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32));
    let slot = sim.slot::<R>(&loads, |s| s);
    sim.fetch(&slot);
    sim.force(&slot);
    assert_eq!(held(&slot), Some(1));
    assert!(slot.expire());
    sim.fetch(&slot);
    assert_eq!(held(&slot), Some(2));
    slot.set(V::new(9));
    assert_eq!(held(&slot), Some(9));
    assert_eq!(slot.invalidate().as_deref(), Some(&9));
    assert_eq!(held(&slot), None);
    sim.fetch(&slot);
    assert_eq!(handed(&loads), [None, Some(0), Some(1), None]);
}

/// L7: a lifetime counts from the answer, not from the call or the begin of the fetch. (P11)
fn l7_the_lifetime_counts_from_the_answer<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1).ttl(ms(100)));
    let slot = sim.slot::<R>(&loads, |s| s);
    let callers = sim.fetchers(&slot, 3);
    sim.to(50);
    assert_eq!(ends(&sim, &callers), ["50: V1 LockHit", "50: V1 Miss"]);
    sim.to(149);
    let hit = sim.fetch(&slot);
    assert_eq!(sim.saw(hit), "149: V1 Hit");
    sim.to(150);
    sim.fetch(&slot);
    assert_eq!(loads.begun(), [0, 150]);
}

/// L7: the delay may be zero; if it is not, it grows with each failure in a row, up to 5 minutes by default.
fn l7_the_delay_may_be_zero_and_grows_otherwise<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s.retry_after(ms(0)));
    set(&slot, 0, Ttl::ExpiresAtOnce);
    sim.fetchers(&slot, 3);
    assert_eq!((loads.calls(), slot.failures()), (3, 3));

    let loads = sim.loads(ready().fails(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 0, Ttl::ExpiresAtOnce);
    for t in 0..2000 {
        sim.to(t * 1000);
        sim.fetch(&slot);
    }
    let waited: Vec<u64> = loads.begun().windows(2).map(|two| (two[1] - two[0]) / 1000).collect();
    assert_eq!(waited, [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300]);
}
