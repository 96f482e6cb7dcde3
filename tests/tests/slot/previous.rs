//! The previous value that a fetch gets: the value that is held when it begins.

use larder::{LookupOptions, OnTimeout, Ttl};
use larder_tests::*;

use crate::{handed, held, set};

on_every_runtime! {
    by_the_slots_own_fetch
    by_a_calls_fetch
    by_a_borrowing_fetch
    by_a_ticket
    beyond_the_stale_limit
    at_the_first_poll_or_by_the_call_that_brings_it
    what_is_told_of_it
    by_who_fetches_alone
}

/// None first, then what was fetched, set or expired by hand, and none after `invalidate`.
fn by_the_slots_own_fetch<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32).ttl(Ttl::ExpiresAtOnce));
    let slot = sim.slot::<R>(&loads, |s| s);
    sim.fetchers(&slot, 2);
    set(&slot, 9, ms(1000));
    sim.force(&slot);
    set(&slot, 8, ms(1000));
    slot.expire();
    sim.fetch(&slot);
    slot.invalidate();
    sim.fetch(&slot);
    assert_eq!(handed(&loads), [None, Some(0), Some(9), Some(8), None]);
}

/// The same for fetches that calls bring.
fn by_a_calls_fetch<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32).ttl(Ttl::ExpiresAtOnce));
    let slot = sim.bare_slot::<R>(|s| s);
    sim.fetch_by(&slot, &loads);
    sim.fetch_by(&slot, &loads);
    set(&slot, 9, Ttl::ExpiresAtOnce);
    sim.fetch_by(&slot, &loads);
    slot.invalidate();
    sim.fetch_by(&slot, &loads);
    assert_eq!(handed(&loads), [None, Some(0), Some(9), None]);
}

/// The same for fetches that borrow, on any slot.
fn by_a_borrowing_fetch<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32).ttl(Ttl::ExpiresAtOnce));
    let slot = sim.slot::<R>(&loads, |s| s);
    sim.fetch_lent(&slot, &loads);
    sim.fetch(&slot);
    sim.fetch_lent(&slot, &loads);
    slot.invalidate();
    sim.fetch_lent(&slot, &loads);
    assert_eq!(handed(&loads), [None, Some(0), Some(1), None]);
}

/// The same for the refresh in a ticket, with either kind of fetch.
fn by_a_ticket<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_by(|_, call| ready().gives(call as u32).ttl(Ttl::ExpiresAtOnce));
    let (slot, bare) = (sim.slot::<R>(&loads, |s| s), sim.bare_slot::<R>(|s| s));
    set(&slot, 7, Ttl::ExpiresAtOnce);
    let i = sim.fetch_stale(&slot);
    sim.refresh(i);
    set(&bare, 8, Ttl::ExpiresAtOnce);
    let i = sim.fetch_stale_by(&bare, &loads);
    sim.refresh(i);
    assert_eq!(handed(&loads), [Some(7), Some(8)]);
}

/// The same for a value of any age.
fn beyond_the_stale_limit<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let (slot, bare) = (sim.slot::<R>(&loads, |s| s.stale_limit(ms(0))), sim.bare_slot::<R>(|s| s.stale_limit(ms(0))));
    set(&slot, 7, ms(1));
    set(&bare, 8, ms(1));
    sim.to(1 << 40);
    sim.fetch(&slot);
    sim.fetch_by(&bare, &loads);
    bare.expire();
    sim.to(1 << 41);
    sim.fetch_lent(&bare, &loads);
    assert_eq!(handed(&loads), [Some(7), Some(8), Some(1)]);
}

/// D75, D14: it is the value that is held when the fetch begins, with its first poll; a claim that waits is not yet a
/// fetch. A fetch that a call brings begins with the claim, because its closure may borrow something that does not
/// outlive the call.
fn at_the_first_poll_or_by_the_call_that_brings_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let (slot, bare) = (sim.slot::<R>(&loads, |s| s), sim.bare_slot::<R>(|s| s));
    set(&slot, 7, Ttl::ExpiresAtOnce);
    set(&bare, 8, Ttl::ExpiresAtOnce);
    let (one, other) = (sim.fetch_stale(&slot), sim.fetch_stale_by(&bare, &loads));
    assert_eq!((loads.calls(), handed(&loads)), (1, vec![Some(8)]), "the closure of the call was called");
    let tickets = [sim.ticket(one), sim.ticket(other)];
    slot.invalidate();
    bare.invalidate();
    for ticket in tickets {
        sim.call(ticket);
    }
    assert_eq!(handed(&loads), [Some(8), None]);
    assert!(slot.peek().is_none() && bare.peek().is_none(), "what was claimed before is not kept");
}

/// Its generation, its publication time and its expiry are included.
fn what_is_told_of_it<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let slot = sim.slot::<R>(&loads, |s| s);
    sim.to(5);
    let generation = slot.set_with(larder::Loaded::new(V::new(7)).ttl(ms(10)));
    sim.to(20);
    sim.fetch(&slot);
    let previous = loads.handed().pop().flatten().expect("it is held");
    assert_eq!(Some(previous.generation()), generation);
    assert_eq!((previous.published(), previous.deadline()), (sim.time.instant(5), sim.time.instant(15)));
    assert_eq!(**previous.value(), 7);
}

/// A caller that fetches alone after its timeout gets it as well, with any kind of fetch.
fn by_who_fetches_alone<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(1)]);
    let slot = sim.slot::<R>(&loads, |s| s);
    set(&slot, 7, ms(1000));
    let hurried = LookupOptions::new().reload().lock_timeout(ms(10), OnTimeout::LoadAlone);
    let first = sim.force(&slot);
    let (alone, lent) = (slot.clone(), (slot.clone(), loads.clone()));
    let alone = sim.call(async move { alone.lookup(hurried).await });
    let lent = sim.call(async move { lent.0.lookup_with(hurried, |old| lent.1.fetch(old)).await });
    sim.to(10);
    assert_eq!([first, alone, lent].map(|i| sim.saw(i)), ["waits", "10: V1 Miss", "10: V1 Miss"]);
    assert_eq!(handed(&loads), [Some(7); 3]);
    assert_eq!(held(&slot), Some(7), "what is fetched alone is not kept");
}
