//! A load has a time budget.

use larder::Status;
use larder_tests::*;

on_every_runtime! {
    c93_load_budget
    c93_an_answer_in_the_same_instant
    c93_inside_stale_if_error
    c93_each_attempt_has_its_own
    c93_cached_like_any_failure
}

/// C93: a load that exceeds its budget is dropped, and all waiting callers get that error; a later caller loads again.
/// (P4)
fn c93_load_budget<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.load_budget(ms(100)));
    let a = sim.get(&cache, 7);
    sim.to(50);
    let b = sim.get(&cache, 7);
    sim.to(99);
    assert_eq!((sim.saw(a).as_str(), loads.live()), ("waits", 1));
    sim.to(100);
    assert_eq!(sim.saw(a), "100: BudgetExceeded");
    assert_eq!(sim.saw(b), "100: BudgetExceeded");
    assert_eq!(loads.live(), 0);
    assert_clean(&cache.stats());
    sim.to(101);
    let next = sim.get(&cache, 7);
    assert_eq!(sim.saw(next), "101: V2 Miss");
    assert_eq!(loads.begun(), [0, 101]);
    assert_clean(&cache.stats());
}

/// C93: a load that is ready at exactly its budget succeeds. (P4, P10)
fn c93_an_answer_in_the_same_instant<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(100).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.load_budget(ms(100)));
    let callers = sim.crowd(&cache, 7, 3);
    sim.to(100);
    for (i, status) in callers.into_iter().zip(["Miss", "LockHit", "LockHit"]) {
        assert_eq!(sim.saw(i), format!("100: V1 {status}"));
    }
    assert_clean(&cache.stats());
}

/// C93: if a value is within stale-if-error, it is served instead, with the error beside it. (P4)
fn c93_inside_stale_if_error<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = sim.cache::<R>(&loads, |c| c.ttl(ms(50)).load_budget(ms(100)).stale_if_error(ms(500)));
    cache.insert(7, V::new(0));
    sim.to(60);
    let callers = sim.crowd(&cache, 7, 2);
    sim.to(160);
    for i in callers {
        assert_eq!(sim.saw(i), "160: V0 Stale(110) +BudgetExceeded");
    }
    assert_eq!(cache.peek(&7).map(|outcome| outcome.status()), Some(Status::Stale(ms(110))));
    assert_clean(&cache.stats());
}

/// C93: the budget counts from each attempt's own claim; when one attempt exceeds it, the others go on. (P4, P6)
fn c93_each_attempt_has_its_own<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(90).gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.load_budget(ms(100)).lock_age(ms(50)));
    let a = sim.get(&cache, 7);
    sim.to(60);
    let b = sim.get(&cache, 7);
    sim.to(150);
    assert_eq!(sim.saw(a), "100: BudgetExceeded");
    assert_eq!(sim.saw(b), "150: V2 Miss");
    assert_eq!(loads.calls(), 2);
    assert_clean(&cache.stats());
}

/// C93: with an error TTL it is kept like any failure. (P4)
fn c93_cached_like_any_failure<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(2)]);
    let cache = sim.cache::<R>(&loads, |c| c.load_budget(ms(100)).error_ttl(ms(1000)));
    sim.get(&cache, 7);
    sim.to(1099);
    let told = sim.get(&cache, 7);
    assert_eq!(sim.saw(told), "1099: BudgetExceeded cached");
    sim.to(1100);
    let next = sim.get(&cache, 7);
    assert_eq!(sim.saw(next), "1100: V2 Miss");
    assert_clean(&cache.stats());
}
