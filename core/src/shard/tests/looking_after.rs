//! A claimed refresh goes on as long as calls that take a stale value ask for the key (D57, P3).

use super::*;

fn stale() -> Rules {
    Rules { stale_while_refresh: Some(nanos(500)), ..rules() }
}

/// A shard with a value that expired 10 ago, and the ticket for its refresh, which is not polled.
fn claimed(rules: Rules) -> (Rig, Caller) {
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let ticket = rig.arrive_stale(1).1.expect("a ticket");
    (rig, ticket)
}

fn ask(rig: &mut Rig) -> Found {
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    rig.arrive_with(1, call, Some(Start::Made))
}

fn passer_by(rig: &mut Rig) -> Caller {
    match ask(rig) {
        Found::LookAfter(outcome, caller) => {
            assert_eq!(outcome.value, 5);
            assert!(matches!(outcome.status, Status::Stale(_)));
            caller
        }
        _ => panic!("it wants a poll"),
    }
}

#[track_caller]
fn is_left_alone(rig: &mut Rig) {
    let seats = rig.census().1;
    let Found::Served(outcome) = ask(rig) else { panic!("it wants no poll") };
    assert_eq!((outcome.value, rig.census().1), (5, seats), "no caller takes a seat for nothing");
}

#[test]
fn a_refresh_that_was_never_polled_is_made_and_polled_once_by_a_passer_by() {
    let (mut rig, ticket) = claimed(stale());
    let mut caller = passer_by(&mut rig);
    assert_eq!((caller.step, rig.effects.number, caller.own()), (Step::MakeShared, 1, 0));
    assert!(rig.effects.waker.is_some(), "with a waker that is not its own");
    assert_eq!(rig.shard.flights.counts.begun, 1);
    assert_eq!(rig.pend(&mut caller), Step::Told);
    assert!(!rig.leave(caller));
    is_left_alone(&mut rig);
    assert_eq!(rig.census(), (1, 1, 1));
    drop(ticket);
}

#[test]
fn a_refresh_is_polled_again_by_a_passer_by_when_it_was_woken_and_once() {
    let (mut rig, ticket) = claimed(stale());
    let caller = passer_by(&mut rig);
    rig.look_after(caller);
    for _ in 0..3 {
        is_left_alone(&mut rig);
        rig.wake_load(&ticket);
        let caller = passer_by(&mut rig);
        assert_eq!((caller.step, caller.load), (Step::Poll, Some(1)));
        rig.look_after(caller);
        is_left_alone(&mut rig);
    }
}

#[test]
fn a_passer_by_leaves_no_waker_behind() {
    let (mut rig, ticket) = claimed(stale());
    let mut caller = passer_by(&mut rig);
    let count = Arc::clone(&caller.count);
    let wakers = Arc::strong_count(&count);
    rig.pend(&mut caller);
    rig.leave(caller);
    rig.effects = Effects::default();
    assert!(Arc::strong_count(&count) < wakers);
    assert_eq!(Arc::strong_count(&count), 1, "only this test holds it");
    rig.wake_load(&ticket);
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
}

/// The ticket's own waiter is woken as before, and polls it as before.
#[test]
fn a_ticket_that_is_polled_hears_of_the_wakes_of_its_load_though_others_pass_by() {
    let (mut rig, mut ticket) = claimed(stale());
    rig.poll(&mut ticket);
    let caller = passer_by(&mut rig);
    assert_eq!(caller.step, Step::Poll, "its lone waiter's waker says nothing of wakes");
    rig.look_after(caller);
    is_left_alone(&mut rig);
    rig.wake_load(&ticket);
    assert_eq!(ticket.woken(), 1);
    assert_eq!(rig.visit(&mut ticket), Step::Poll);
    rig.finish(&mut ticket, 1, 6);
    assert_eq!((rig.outcome(&mut ticket).value, rig.served(1).value), (6, 6));
}

/// D57: the caller gets the stale value although its poll ended the load.
#[test]
fn a_passer_by_whose_poll_ends_the_load_publishes_it_and_wakes_the_ticket() {
    let (mut rig, mut ticket) = claimed(stale());
    rig.poll(&mut ticket);
    let mut caller = passer_by(&mut rig);
    assert_eq!(rig.finish(&mut caller, 1, 6), Step::Told);
    assert!(caller.told.is_none(), "it has been served");
    rig.unlock();
    assert!(!rig.leave(caller));
    assert_eq!(ticket.woken(), 1);
    assert_eq!((rig.outcome(&mut ticket).value, rig.served(1).value), (6, 6));
    let counts = rig.shard.counts;
    assert_eq!((counts.stale, counts.joined, counts.expired), (2, 0, 0), "it was served stale, and is counted once");
    assert_eq!(rig.census(), (0, 0, 0));
}

/// D27: it is the refresh that fails.
#[test]
fn a_passer_by_whose_poll_fails_leaves_the_value_and_counts_no_error() {
    for cause in [Cause::Error(Arc::new("down")), Cause::Panicked] {
        let (mut rig, mut ticket) = claimed(Rules { backoff: BACKOFF, ..stale() });
        let mut caller = passer_by(&mut rig);
        assert_eq!(rig.finish_with_failure(&mut caller, 1, Failure::new(cause)), Step::Told);
        assert!(caller.told.is_none(), "it has been served");
        assert!(!rig.leave(caller));
        assert!(rig.error(&mut ticket).is_some());
        let (status, next) = rig.arrive_stale(1);
        assert!(matches!(status, Status::Stale(_)) && next.is_none(), "it is kept (D32)");
        assert_eq!((rig.shard.counts.errors, rig.shard.failures.len(), rig.census()), (0, 1, (0, 0, 0)));
    }
}

/// D58: the ticket is dropped while a passer-by polls its load: no other caller waits, so the load goes with the last.
#[test]
fn with_the_ticket_gone_the_load_leaves_with_the_passer_by() {
    let (mut rig, ticket) = claimed(stale());
    let mut caller = passer_by(&mut rig);
    assert!(!rig.leave(ticket));
    assert_eq!(rig.pend(&mut caller), Step::Told);
    assert!(rig.leave(caller));
    assert_eq!(rig.effects.rest().loads, [1]);
    assert_eq!((rig.census(), rig.shard.flights.counts.dropped), ((0, 0, 0), 1));
    assert!(rig.arrive_stale(1).1.is_some(), "its claim is free");
}

/// D57: while one caller polls it, no other one does, nor one from inside it.
#[test]
fn a_refresh_that_is_being_polled_is_left_alone() {
    let (mut rig, _ticket) = claimed(stale());
    let caller = passer_by(&mut rig);
    let all = rig.effects.waker.clone().expect("it is shared");
    is_left_alone(&mut rig);
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    let inside = Caller { waker: all, ..Caller::new(1, call, Some(Start::Made), rig.now) };
    assert!(matches!(rig.come(inside), Found::Served(_)), "served stale (D67)");
    rig.look_after(caller);
}

/// D57, D16: no other caller can poll a load that stays with its caller.
#[test]
fn a_lent_load_is_left_alone() {
    let mut rig = Rig::new(stale());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let mut owner = rig.lend(1);
    is_left_alone(&mut rig);
    rig.answer(&mut owner, 1, 6);
    assert_eq!(rig.served(1).value, 6);
}

/// D57: not for a fresh value, nor for a direct call.
#[test]
fn nobody_looks_after_a_reload_of_a_fresh_value_but_who_might_refresh_it() {
    let mut rig = Rig::new(stale());
    rig.insert(1, 5);
    let reload = Call { reload: true, ..rig.rules.call() };
    let mut waiting = rig.wait_with(1, reload);
    let second = rig.wait_with(1, reload);
    rig.wake_load(&waiting);
    assert_eq!((rig.served(1).value, rig.get_if_present(1)), (5, Some(5)));
    let Found::Served(_) = ask(&mut rig) else { panic!("it is fresh") };
    rig.answer(&mut waiting, 1, 6);
    rig.leave(second);
}

/// D57: a caller that takes old values without tickets also looks after the refresh.
#[test]
fn in_a_slot_the_others_look_after_the_refresh() {
    let rules = Rules { takes: Takes::Others, ..stale() };
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let mut refresher = rig.wait(1);
    assert_eq!(refresher.own(), 1);
    let Found::LookAfter(outcome, mut caller) = rig.arrive(1) else { panic!("it wants a poll") };
    assert_eq!((outcome.value, outcome.status), (5, Status::Stale(nanos(10))));
    rig.finish(&mut caller, 1, 6);
    let outcome = rig.outcome(&mut refresher);
    assert_eq!((outcome.value, outcome.status), (6, Status::Expired));
}

/// P3, over many calls: passers-by alone finish a refresh whose claimant is never polled.
#[test]
fn a_refresh_is_driven_to_its_end_by_passers_by() {
    let (mut rig, _ticket) = claimed(stale());
    for polls in 0..5 {
        let mut caller = passer_by(&mut rig);
        if polls == 4 {
            rig.finish(&mut caller, 1, Loaded::new(6).ttl(nanos(100)));
            break;
        }
        let waker = rig.effects.waker.clone().expect("it is shared");
        rig.look_after(caller);
        is_left_alone(&mut rig);
        waker.wake();
    }
    assert_eq!((rig.served(1).value, rig.shard.flights.counts.begun), (6, 1));
}

/// D66: from inside one of its loads, the other loads are not polled either.
#[test]
fn who_asks_from_inside_a_load_looks_after_none_of_the_key() {
    let rules = Rules { lock_age: Some(nanos(5)), attempts: 2, ..stale() };
    let (mut rig, mut first) = claimed(rules);
    rig.poll(&mut first);
    rig.now += 5;
    let mut second = rig.arrive_stale(1).1.expect("a ticket");
    rig.poll(&mut second);
    rig.wake_load(&first);
    rig.visit(&mut first);
    assert_eq!((first.step, first.number), (Step::Poll, 1));
    let all = rig.effects.waker.clone().expect("it is shared");
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    let inside = Caller { waker: all, ..Caller::new(1, call, Some(Start::Made), rig.now) };
    assert!(matches!(rig.come(inside), Found::Served(_)));
    let Found::LookAfter(_, caller) = ask(&mut rig) else { panic!("the second is due") };
    assert_eq!((caller.step, caller.number), (Step::Poll, 2));
}

/// P3: a caller that looked while a passer-by polled the load has seen the wake, and must not have looked in vain.
#[test]
fn a_wake_that_another_has_seen_while_a_passer_by_polled_the_load_is_not_lost() {
    let (mut rig, mut ticket) = claimed(stale());
    let mut caller = passer_by(&mut rig);
    assert_eq!(rig.poll(&mut ticket), Step::Wait);
    rig.wake_load(&ticket);
    assert_eq!(ticket.woken(), 1);
    assert_eq!(rig.poll(&mut ticket), Step::Wait, "it is out");
    rig.effects = Effects::default();
    assert_eq!(rig.pend(&mut caller), Step::Told);
    rig.unlock();
    rig.leave(caller);
    assert_eq!(ticket.woken(), 1);
    assert_eq!(rig.visit(&mut ticket), Step::Poll);
}
