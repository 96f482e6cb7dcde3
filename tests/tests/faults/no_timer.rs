//! Without a timer, the next caller that is polled notices a deadline.

use larder::{Cache, LoadError, LookupOptions, OnTimeout, parts::NoTimer};
use larder_tests::*;

on_every_runtime! {
    c23_the_next_one_polled_takes_over
    a_late_takeover_has_its_whole_budget
    a_stale_value_is_as_old_as_it_is_when_it_is_served
    c29_a_timeout_is_noticed_at_the_next_poll
    c93_a_budget_is_noticed_at_the_next_poll
    c93_who_began_it_is_told_by_who_noticed
}

type Untimed<R> = Cache<u32, V, Boom, <R as Host>::With<NoTimer<larder::ManualClock>>>;

fn untimed<R: Host>(sim: &Sim, loads: &Loads, age: u64, budget: u64) -> Untimed<R> {
    let builder = Cache::builder(R::with(NoTimer::new(sim.clock()))).loader(loads.clone());
    builder.lock_age(ms(age)).load_budget(ms(budget)).stale_if_error(ms(1000)).build().expect("valid")
}

/// C23 without a timer: the first waiter that is polled after the lock age takes over. (P3, P6)
fn c23_the_next_one_polled_takes_over<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), ready().gives(2)]);
    let cache = untimed::<R>(&sim, &loads, 100, 1_000_000);
    let callers = [0, 1, 2].map(|_| {
        let cache = cache.clone();
        sim.call(async move { cache.lookup(&7).await })
    });
    sim.to(150);
    assert_eq!((loads.calls(), sim.time.next_deadline()), (1, None));
    sim.poll(callers[2]);
    assert_eq!(sim.saw(callers[2]), "150: V2 Miss");
    sim.run();
    assert_eq!(sim.saw(callers[0]), "150: V2 Miss");
    assert_eq!(sim.saw(callers[1]), "150: V2 LockHit");
    assert_clean(&cache.stats());
}

/// An attempt that takes over long after the lock age begins then, and has its whole budget. (P6, P11)
fn a_late_takeover_has_its_whole_budget<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads_in_turn([never(), after(90).gives(2)]);
    let cache = untimed::<R>(&sim, &loads, 50, 100);
    let callers = [0, 1].map(|_| {
        let cache = cache.clone();
        sim.call(async move { cache.lookup(&7).await })
    });
    sim.to(95);
    sim.poll(callers[1]);
    assert_eq!(loads.begun(), [0, 95]);
    sim.to(160);
    sim.poll(callers[1]);
    assert_eq!(sim.saw(callers[1]), "waits", "the budget counts from 95, not from 50");
    sim.to(185);
    sim.poll(callers[1]);
    assert_eq!(sim.saw(callers[1]), "185: V2 Miss");
}

/// A caller that notices its timeout late gets a value of the age it has by then, or none if that is too old. (P7, P11)
fn a_stale_value_is_as_old_as_it_is_when_it_is_served<R: Host>() {
    for (polled, expected) in [(160, "160: V0 Stale(140)"), (200, "200: LockTimeout")] {
        let mut sim = Sim::new();
        let loads = sim.loads(never());
        let cache = untimed::<R>(&sim, &loads, 1_000_000, 1_000_000);
        cache.insert_with(7, larder::Loaded::new(V::new(0)).ttl(ms(20)));
        sim.to(50);
        let (own, options) = (cache.clone(), LookupOptions::new().stale_while_refresh(ms(150)));
        let options = options.lock_timeout(ms(100), OnTimeout::Stale);
        let i = sim.call(async move { own.lookup(&7).options(options).await });
        sim.to(polled);
        sim.poll(i);
        assert_eq!(sim.saw(i), expected);
    }
}

/// C29 without a timer: a wait whose time has passed ends when its caller is polled, not before. (P7)
fn c29_a_timeout_is_noticed_at_the_next_poll<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = untimed::<R>(&sim, &loads, 1_000_000, 1_000_000);
    let callers = [0, 1].map(|_| {
        let cache = cache.clone();
        let options = LookupOptions::new().lock_timeout(ms(100), OnTimeout::Fail);
        sim.call(async move { cache.lookup(&7).options(options).await })
    });
    sim.to(99);
    sim.poll(callers[0]);
    sim.to(200);
    assert_eq!(callers.map(|i| sim.saw(i)), ["waits", "waits"]);
    sim.poll(callers[1]);
    assert_eq!(sim.saw(callers[1]), "200: LockTimeout");
    sim.poll(callers[0]);
    assert_eq!(sim.saw(callers[0]), "200: LockTimeout");
    assert_clean(&cache.stats());
}

/// C93 without a timer: a load over its budget is dropped at the next poll, and all callers are told. (P4)
fn c93_a_budget_is_noticed_at_the_next_poll<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = untimed::<R>(&sim, &loads, 1_000_000, 100);
    let callers = [0, 1].map(|_| {
        let cache = cache.clone();
        sim.call(async move { cache.get(&7).await })
    });
    sim.to(300);
    assert_eq!(loads.live(), 1);
    sim.poll(callers[1]);
    sim.run();
    assert_eq!(callers.map(|i| sim.saw(i)), ["300: BudgetExceeded", "300: BudgetExceeded"]);
    assert_eq!(loads.live(), 0);
    assert_clean(&cache.stats());
    let told: fn(&LoadError<Boom>) -> bool = |error| error.failure().is_some_and(larder::Failure::is_budget_exceeded);
    assert!(matches!(sim.answer(callers[0]), Answer::Error(error) if told(error)));
}

/// C93 without a timer: a caller that notices that an attempt is over its budget wakes the one that began it. (P4)
fn c93_who_began_it_is_told_by_who_noticed<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(never());
    let cache = untimed::<R>(&sim, &loads, 50, 100);
    let [a, b] = [0, 60].map(|t| {
        sim.to(t);
        let cache = cache.clone();
        sim.call(async move { cache.get(&7).await })
    });
    assert_eq!(loads.begun(), [0, 60]);
    sim.to(110);
    sim.poll(b);
    sim.run();
    assert_eq!((sim.saw(a), sim.saw(b)), ("110: BudgetExceeded".into(), "waits".into()));
    assert_eq!(loads.live(), 1);
}
