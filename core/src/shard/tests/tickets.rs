//! Refreshes that are handed out.

use super::*;

fn stale() -> Rules {
    Rules { stale_while_refresh: Some(nanos(500)), ..rules() }
}

/// A shard with a value that has expired 10 ago.
fn rig(rules: Rules) -> Rig {
    let mut rig = Rig::new(rules);
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    rig
}

fn ask(rig: &mut Rig, start: Option<Start>, is_by_loader: bool) -> Found {
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    let caller = Caller::new(1, call, start, rig.now);
    rig.come(Caller { is_by_loader, ..caller })
}

/// D14: an unpolled ticket costs no load.
#[test]
fn a_ticket_by_the_loader_is_made_when_it_is_polled() {
    let mut rig = rig(stale());
    let Found::Ticket(outcome, mut ticket) = ask(&mut rig, Some(Start::Made), true) else { panic!("a ticket") };
    assert_eq!((outcome.value, outcome.status, outcome.led), (5, Status::Stale(nanos(10)), false));
    assert_eq!((ticket.step, ticket.own()), (Step::Ticket, 1));
    assert_eq!((rig.census(), rig.shard.flights.counts.begun), ((1, 1, 0), 0));
    assert_eq!(rig.visit(&mut ticket), Step::MakeShared);
    assert_eq!((rig.effects.number, rig.census().2, rig.shard.flights.counts.begun), (1, 1, 1));
    assert!(rig.effects.waker.is_none(), "it waits alone");
    rig.finish(&mut ticket, 1, 6);
    let outcome = rig.outcome(&mut ticket);
    assert_eq!((outcome.value, outcome.status, outcome.led), (6, Status::Expired, true));
    assert_eq!((rig.served(1).value, rig.census()), (6, (0, 0, 0)));
    let counts = rig.shard.counts;
    assert_eq!((counts.stale, counts.expired, counts.hits), (1, 0, 1), "a refresh is no lookup");
}

/// D14, D58: dropped unpolled, nothing was begun.
#[test]
fn a_ticket_that_is_dropped_unpolled_was_no_load() {
    let mut rig = rig(stale());
    let ticket = rig.arrive_stale(1).1.expect("a ticket");
    assert!(rig.leave(ticket));
    assert_eq!((rig.census(), rig.shard.flights.counts.begun, rig.shard.flights.counts.dropped), ((0, 0, 0), 0, 0));
}

/// D57: the caller's own load is made at once, and goes with the ticket.
#[test]
fn a_ticket_by_the_callers_own_load_is_made_at_once() {
    let mut rig = rig(Rules { has_loader: false, ..stale() });
    let Found::Ticket(outcome, mut ticket) = ask(&mut rig, Some(Start::Made), false) else { panic!("a ticket") };
    assert_eq!((outcome.value, ticket.step, rig.effects.number), (5, Step::MakeTicket, 1));
    assert_eq!((rig.census(), rig.shard.flights.counts.begun), ((1, 1, 1), 1));
    (ticket.load, ticket.number) = (Some(1), 1);
    assert_eq!(rig.pend(&mut ticket), Step::Wait);
    let mut joined = rig.seat_with(1, rig.rules.call(), None);
    assert_eq!((joined.own(), joined.step), (0, Step::Poll), "it is in the flight, for any caller");
    rig.rest(&mut joined);
    assert!(!rig.leave(ticket));
    rig.answer(&mut joined, 1, 6);
    assert_eq!(rig.outcome(&mut joined).status, Status::LockHit);
}

/// D57, P3: a caller that needs a fresh value makes the load that the ticket stands for.
#[test]
fn who_joins_a_ticket_that_is_not_polled_makes_its_load() {
    let mut rig = rig(stale());
    let mut ticket = rig.arrive_stale(1).1.expect("a ticket");
    let mut joined = rig.seat(1);
    assert_eq!((joined.own(), joined.step, rig.effects.number), (0, Step::MakeShared, 1));
    assert!(rig.effects.waker.is_some(), "with the waker of all");
    rig.finish(&mut joined, 1, 6);
    assert_eq!((rig.outcome(&mut joined).status, rig.outcome(&mut ticket).value), (Status::LockHit, 6));
}

/// D21, D57: a ticket has no patience that could end.
#[test]
fn a_ticket_waits_however_long_it_takes() {
    let mut rig = rig(Rules { lock_timeout: Some((nanos(5), OnTimeout::Fail)), ..stale() });
    let mut ticket = rig.arrive_stale(1).1.expect("a ticket");
    rig.now += 50;
    assert_eq!((rig.poll(&mut ticket), rig.effects.until), (Step::Wait, Instant::NEVER));
}

/// D55, D57: ahead of its end a value is a hit, and its refresh a ticket.
#[test]
fn a_ticket_for_a_fresh_value_leaves_it_until_the_refresh_is_there() {
    let early = Early::new().by_share(0.5);
    let mut rig = Rig::new(Rules { early, ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(100)));
    rig.now += 50;
    let (status, ticket) = rig.arrive_stale(1);
    let mut ticket = ticket.expect("a ticket");
    assert_eq!((status, rig.served(1).value), (Status::Hit, 5));
    rig.visit(&mut ticket);
    rig.finish(&mut ticket, 1, Loaded::new(6).ttl(nanos(100)));
    assert_eq!(rig.served(1).value, 6);
}

/// D57, D11: a ticket over the lock age is taken over, and its beginner hears of it.
#[test]
fn a_ticket_that_takes_over_wakes_whose_refresh_it_replaces() {
    for is_by_loader in [true, false] {
        let mut rig = rig(Rules { lock_age: Some(nanos(5)), ..stale() });
        let mut first = rig.arrive_stale(1).1.expect("a ticket");
        rig.poll(&mut first);
        rig.now += 5;
        let Found::Ticket(_, second) = ask(&mut rig, Some(Start::Made), is_by_loader) else { panic!("a ticket") };
        assert_eq!((second.own(), rig.shard.flights.counts.takeovers), (2, 1));
        assert!(rig.wakes_somebody());
        rig.unlock();
        assert_eq!(first.woken(), 1);
    }
}

/// D57: if a lent load has left a vacant flight, a ticket leads, and that is no takeover.
#[test]
fn a_ticket_leads_where_no_load_is_in_flight() {
    let mut rig = rig(stale());
    let owner = rig.lend(1);
    let mut other = rig.wait(1);
    rig.leave(owner);
    let mut ticket = rig.arrive_stale(1).1.expect("a ticket");
    assert_eq!((ticket.own(), rig.shard.flights.counts.takeovers), (2, 0));
    assert_eq!(rig.visit(&mut other), Step::MakeShared, "the first caller that comes");
    rig.finish(&mut other, 2, 6);
    assert_eq!((rig.outcome(&mut other).led, rig.outcome(&mut ticket).led), (false, true));
}

/// D35: a stale value within its limit does not let a plain call go without waiting.
#[test]
fn a_fresh_value_has_no_ticket() {
    let mut rig = Rig::new(stale());
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    let (status, ticket) = rig.arrive_stale(1);
    assert!(status == Status::Hit && ticket.is_none());
    assert_eq!(rig.census(), (0, 0, 0));
}

/// P3: a waiting caller comes while the load of a ticket is made without a lock; the ticket may never be polled.
#[test]
fn who_came_while_the_load_of_a_ticket_was_made_is_woken_to_poll_it() {
    let mut rig = Rig::new(Rules { stale_while_refresh: Some(nanos(500)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let call = Call { takes: Takes::Ticket, ..rig.rules.call() };
    let caller = Caller { is_by_loader: false, ..Caller::new(1, call, Some(Start::Made), rig.now) };
    let Found::Ticket(_, ticket) = rig.come(caller) else { panic!("a ticket") };
    assert_eq!(ticket.step, Step::MakeTicket);
    let mut joined = rig.seat(1);
    assert_eq!(joined.step, Step::Wait, "it is out");
    rig.effects = Effects::default();
    rig.shard.put_to_rest(&ticket.waiting.seat, 1, Some(7), &mut rig.effects);
    rig.unlock();
    assert_eq!(joined.woken(), 1);
    assert_eq!((rig.visit(&mut joined), joined.load), (Step::Poll, Some(7)));
}

/// P3: a ticket that is never polled holds up no caller, even one that could not begin a load of its own.
#[test]
fn who_waits_makes_the_load_of_a_ticket_that_has_taken_over() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), stale_while_refresh: Some(nanos(500)), ..rules() });
    rig.insert(1, Loaded::new(5).ttl(nanos(10)));
    rig.now += 20;
    let first = rig.wait(1);
    let mut joined = rig.seat_with(1, rig.rules.call(), None);
    rig.visit_with(&mut joined, None);
    rig.rest(&mut joined);
    rig.leave(first);
    rig.now += 5;
    let _ = joined.woken();
    let ticket = rig.arrive_stale(1).1.expect("a ticket");
    assert_eq!(ticket.own(), 2);
    rig.unlock();
    assert_eq!(joined.woken(), 1);
    rig.visit_with(&mut joined, None);
    while joined.step == Step::Poll {
        rig.pend(&mut joined);
    }
    assert_eq!((joined.step, joined.number), (Step::MakeShared, 2));
}
