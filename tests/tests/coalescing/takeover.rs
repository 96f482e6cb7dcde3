//! Which caller takes over from which load, and when.

use larder::{LookupOptions, OnTimeout};
use larder_tests::*;

on_every_runtime! {
    what_a_ticket_took_over_is_dropped_when_the_last_one_lands
    c23_the_beginner_takes_over_in_turn
    c23_the_beginner_takes_over_from_a_ticket
    a_clock_that_jumps_back_makes_nobody_take_over_early
    a_load_that_begins_after_a_jump_back_is_taken_over_in_time
    a_closure_that_is_used_up_takes_nothing_over
}

/// C23, D12: an overtaken caller watches the age of the newer load, although it slept without a deadline. (P6)
fn c23_the_beginner_takes_over_in_turn<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), never(), after(30).gives(3)]);
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    let first = sim.get(&cache, 7);
    sim.to(150);
    let second = sim.get(&cache, 7);
    sim.to(1000);
    assert_eq!(loads.begun(), [0, 150, 250]);
    assert_eq!((sim.saw(first), sim.saw(second)), ("280: V3 Miss".into(), "280: V3 Miss".into()));
    assert_clean(&cache.stats());
}

/// C23, D12, D57: the same if a ticket takes over that is not polled. (P6)
fn c23_the_beginner_takes_over_from_a_ticket<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(30).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(10)).stale_while_refresh(ms(1000)).lock_age(ms(100)));
    cache.insert(7, V::new(0));
    sim.to(20);
    let first = sim.get(&cache, 7);
    sim.to(150);
    let stale = sim.stale(&cache, 7);
    assert_eq!(sim.saw(stale), "150: V0 Stale(140) +ticket");
    let ticket = sim.ticket(stale);
    sim.to(1000);
    assert!(loads.begun().len() > 1 && sim.saw(first) != "waits", "{:?} {}", loads.begun(), sim.saw(first));
    drop(ticket);
    assert_clean(&cache.stats());
}

/// D4: a jump back lengthens waits and does nothing else. (P6, P11)
fn a_clock_that_jumps_back_makes_nobody_take_over_early<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    sim.to(50);
    let first = sim.get(&cache, 7);
    sim.to(140);
    let waits = sim.get(&cache, 7);
    sim.jump(5);
    let hurried = sim.ask(&cache, 7, LookupOptions::new().lock_timeout(ms(0), OnTimeout::Load));
    sim.poll(waits);
    assert_eq!(loads.begun(), [50, 5], "the newest is not 100 old, whatever the time was before");
    [first, waits, hurried].into_iter().for_each(|i| sim.drop(i));
    assert_clean(&cache.stats());
}

/// D4, D12: a caller that sleeps until the old load is over its age is told of a new one, which reaches its age
/// earlier.
fn a_load_that_begins_after_a_jump_back_is_taken_over_in_time<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(100)));
    sim.to(200);
    let first = sim.get(&cache, 7);
    sim.jump(50);
    let sleeps = sim.get(&cache, 7);
    let hurried = sim.ask(&cache, 7, LookupOptions::new().lock_timeout(ms(20), OnTimeout::Load));
    sim.drop(first);
    sim.to(169);
    assert_eq!(loads.begun(), [200, 70]);
    sim.to(170);
    assert_eq!(loads.begun(), [200, 70, 170]);
    [sleeps, hurried].into_iter().for_each(|i| sim.drop(i));
    assert_clean(&cache.stats());
}

/// D8, D57, C87: the beginner drives the load that a dropped ticket has begun; its answer drops the older load.
fn what_a_ticket_took_over_is_dropped_when_the_last_one_lands<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(10)).stale_while_refresh(ms(1000)).lock_age(ms(100)));
    cache.insert(7, V::new(0));
    sim.to(20);
    let first = sim.get(&cache, 7);
    sim.park(first);
    sim.to(150);
    let stale = sim.stale(&cache, 7);
    drop(sim.ticket(stale));
    sim.unpark(first);
    assert_eq!(sim.saw(first), "150: V2 Expired");
    let stats = cache.stats();
    assert_eq!((loads.live(), stats.loads_succeeded, stats.loads_dropped), (0, 1, 1));
    assert_clean(&stats);
}

/// D12: during the first poll of a call's own load another caller takes over, and no closure is left for one more load.
fn a_closure_that_is_used_up_takes_nothing_over<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(0)));
    let (own, other) = (cache.clone(), Rc::new(core::cell::RefCell::new(None)));
    let begun = other.clone();
    let i = sim.call(async move {
        let inner = own.clone();
        let load = async move {
            let mut takes_over = Box::pin(async move { inner.get(&7).await });
            assert!(wakers::poll_once(&mut takes_over).is_pending());
            *begun.borrow_mut() = Some(takes_over);
            core::future::pending::<Result<V, Boom>>().await
        };
        own.get_or_load(&7, || load).await
    });
    assert_eq!((sim.saw(i).as_str(), loads.calls(), cache.stats().loads_begun), ("waits", 1, 2));
    sim.drop(i);
    other.take();
    assert_clean(&cache.stats());
}
