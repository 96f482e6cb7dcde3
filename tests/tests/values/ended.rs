//! A refresh returns how it ended.

use larder::Refresh;
use larder_tests::*;

on_every_runtime! {
    with_a_value_or_an_error
    with_the_error_where_failures_are_softened
    with_what_somebody_else_brought
    with_a_panic_of_the_one_that_was_polled_elsewhere
    dropped_it_is_the_next_callers
    as_a_slot_refreshes
}

type Ticket<R> = Refresh<u32, V, Boom, R, larder::Standard>;

/// A cache with a value of key 7 that is stale at 150, and its refresh.
fn stale<R: Host>(sim: &mut Sim, loads: &Loads, setup: impl FnOnce(Setup<R>) -> Setup<R>) -> (Scripted<R>, Ticket<R>) {
    let cache = sim.cache::<R>(loads, |c| setup(c.ttl(ms(100)).stale_while_refresh(ms(1000))));
    cache.insert(7, V::new(0));
    sim.to(150);
    let ticket = ticket(&cache).expect("the first has it");
    (cache, ticket)
}

fn ticket<R: Host>(cache: &Scripted<R>) -> Option<Ticket<R>> {
    wakers::now(cache.get_stale(&7)).expect("it is stale").refresh
}

/// Like a lookup that began the load: with its value, stored by then, or with its error, which leaves the old value.
fn with_a_value_or_an_error<R: Host>() {
    for (script, saw, holds) in [(after(20).gives(1), "170: V1 Expired", 1), (after(20).fails(1), "170: E1", 0)] {
        let mut sim = Sim::new();
        let loads = sim.loads(script);
        let (cache, ticket) = stale::<R>(&mut sim, &loads, |c| c);
        let ended = sim.call(ticket.outcome());
        sim.to(170);
        assert_eq!(sim.saw(ended), saw);
        assert_eq!(cache.peek(&7).map(|found| **found.value()), Some(holds));
        assert_eq!(cache.stats().lookups(), 1, "a refresh is no lookup (D85)");
        assert_clean(&cache.stats());
    }
}

/// D33: lookups get the old value instead; the holder of the ticket has got that before.
fn with_the_error_where_failures_are_softened<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(20).fails(1));
    let (cache, ticket) = stale::<R>(&mut sim, &loads, |c| c.stale_if_error(ms(1000)));
    let ended = sim.call(ticket.outcome());
    let joins = sim.get(&cache, 7);
    sim.to(170);
    assert_eq!([ended, joins].map(|i| sim.saw(i)), ["170: E1", "170: V0 Stale(70) +E1"]);
    assert_clean(&cache.stats());
}

/// D39, D57: an insert ends it with its value; if others drive it to its end, it still gets the result.
fn with_what_somebody_else_brought<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(ready().gives(1));
    let (cache, unpolled) = stale::<R>(&mut sim, &loads, |c| c);
    assert!(ticket(&cache).is_none(), "it polls the refresh that is claimed");
    let ended = sim.call(unpolled.outcome());
    assert_eq!(sim.saw(ended), "150: V1 Expired");
    sim.to(300);
    let second = ticket(&cache).expect("stale again");
    cache.insert(7, V::new(9));
    let ended = sim.call(second.outcome());
    assert_eq!(sim.saw(ended), "300: V9 Expired");
    assert_eq!(loads.calls(), 1);
    assert_clean(&cache.stats());
}

/// P5, D26: the caller that polled the load unwinds, and the ticket gets an error.
fn with_a_panic_of_the_one_that_was_polled_elsewhere<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(20).panics(3));
    let (cache, ticket) = stale::<R>(&mut sim, &loads, |c| c);
    let joins = sim.get(&cache, 7);
    let ended = sim.call(ticket.outcome());
    sim.to(170);
    let mut saw = [joins, ended].map(|i| sim.saw(i));
    saw.sort();
    assert_eq!(saw, ["170: Panicked", "170: unwound 3"]);
    assert_clean(&cache.stats());
}

/// D58: at any point.
fn dropped_it_is_the_next_callers<R: Host>() {
    for polls in 0..2 {
        let mut sim = Sim::new();
        let loads = sim.loads(after(20).gives(1));
        let (cache, first) = stale::<R>(&mut sim, &loads, |c| c);
        let mut outcome = first.outcome();
        (0..polls).for_each(|_| assert!(wakers::poll_once(&mut outcome).is_pending()));
        drop(outcome);
        assert_eq!((loads.live(), loads.calls()), (0, polls));
        let ended = sim.call(ticket(&cache).expect("no other call has it").outcome());
        sim.to(170);
        assert_eq!(sim.saw(ended), "170: V1 Expired");
        assert_clean(&cache.stats());
    }
}

/// D72: the slot keeps its value, and retries after a delay.
fn as_a_slot_refreshes<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([after(20).fails(1), after(20).gives(2)]);
    let slot = sim.slot::<R>(&loads, |s| s.ttl(ms(100)).retry_after(ms(10)));
    slot.set(V::new(0));
    for (at, saw) in [(150, "170: E1"), (180, "200: V2 Expired")] {
        sim.to(at);
        let ticket = wakers::now(slot.get_stale()).expect("it is stale").refresh.expect("no other call has it");
        let ended = sim.call(ticket.outcome());
        sim.to(at + 20);
        assert_eq!(sim.saw(ended), saw);
    }
}
