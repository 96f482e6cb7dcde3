//! A caller from before a write begins a load after it: the load is part of the newer epoch, too (D11).

mod counting;

use super::*;

/// A load that two epochs of a key wait for.
pub(super) struct Anew {
    pub(super) batch: Together,
    pub(super) newer: Seat<Bell>,
    pub(super) older: Seat<Bell>,
    pub(super) twin: Twin,
}

impl Rig {
    /// The load that a caller has begun is delivered to both epochs, the newer first; it is not ready.
    pub(super) fn make_anew(&mut self, caller: &mut Caller) {
        let newer = caller.waiting.newer.take().expect("a newer epoch");
        let (older, (newer, twin)) = (caller.waiting.seat.at_attempt(caller.number), *newer);
        let (batch, effects) = (Together::new(), &mut self.effects);
        self.shard.register(&mut caller.waiting, &caller.waker, effects);
        self.shard.become_part(&newer, (batch.clone(), Some(twin.clone())), None, effects);
        self.shard.become_part(&older, (batch.clone(), Some(twin.clone())), Some(&caller.waker), effects);
        caller.load = None;
        if batch.close() {
            // All have ended before it came to this.
            for seat in [&newer, &older] {
                self.shard.abandon(seat, &mut self.effects);
                self.shard.count_dropped(&twin);
            }
        }
        caller.anew = Some(Anew { batch, newer, older, twin });
        self.look(caller, false);
    }

    /// Delivers in the older epoch, or in the newer.
    pub(super) fn deliver_in(&mut self, seat: &Seat<Bell>, twin: &Twin, news: Result<u32, &'static str>) {
        let news = news.map(|value| News::new(Loaded::new(value), Judgement::default())).map_err(failure);
        let at = At { now: at(self.now), rules: &self.rules };
        let delivered = self.shard.deliver(seat, (Some(twin), None), &mut Some(news), at, &mut self.effects);
        assert!(delivered != Delivered::NeedsRoom);
    }

    pub(super) fn deliver_anew(&mut self, caller: &Caller, news: Result<u32, &'static str>) {
        let Anew { batch, newer, older, twin } = caller.anew.as_ref().expect("a load of two epochs");
        self.effects = Effects::default();
        self.deliver_in(newer, twin, news);
        self.deliver_in(older, twin, news);
        self.effects.wake(batch.everybody());
    }

    pub(super) fn answer_anew(&mut self, caller: &Caller, value: u32) {
        self.deliver_anew(caller, Ok(value));
    }
}

/// Two callers of key 1, and `count` more after a write; only the older load has reached its age.
fn with_a_younger_load(rules: Rules, count: usize) -> (Rig, Caller, Caller, Vec<Caller>) {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules });
    let (first, second) = (rig.wait(1), rig.wait(1));
    rig.now += 3;
    rig.remove(1);
    let after = (0..count).map(|_| rig.wait(1)).collect();
    rig.now += 2;
    (rig, first, second, after)
}

/// The same, and the second caller has begun a load in both epochs.
fn begun_in_both(rules: Rules, count: usize) -> (Rig, Caller, Caller, Vec<Caller>) {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules });
    let (first, mut second) = (rig.wait(1), rig.wait(1));
    rig.remove(1);
    let after = (0..count).map(|_| rig.wait(1)).collect();
    rig.now += 5;
    assert_eq!((begins(&mut rig, &mut second), second.own()), (Step::MakeAnew, 2));
    (rig, first, second, after)
}

/// Goes on with a poll up to the load that is to be made.
fn begins(rig: &mut Rig, caller: &mut Caller) -> Step {
    rig.visit(caller);
    while caller.step == Step::Poll {
        rig.pend(caller);
    }
    caller.step
}

fn flight_of(rig: &Rig) -> Option<u32> {
    rig.shard.flights.find_placed(hash(1), |k| *k == 1)
}

/// How many attempts may still answer in the newest epoch.
fn live(rig: &mut Rig) -> u32 {
    let place = flight_of(rig).expect("a flight");
    rig.shard.flights.at(place).flight.live()
}

#[test]
fn who_takes_over_after_a_write_joins_a_younger_load() {
    let (mut rig, mut first, mut second, mut after) = with_a_younger_load(rules(), 1);
    assert_eq!(rig.poll(&mut second), Step::Wait);
    let newer = flight_of(&rig);
    assert_eq!((second.own(), Some(rig.shard.flights.place(&second.waiting.seat))), (0, newer));
    assert_eq!((rig.census(), rig.shard.flights.counts.begun), ((2, 3, 2), 2), "nothing is begun");
    rig.answer(&mut after[0], 1, 6);
    let outcome = rig.outcome(&mut second);
    assert_eq!((outcome.value, outcome.status, outcome.led), (6, Status::LockHit, false));
    rig.answer(&mut first, 1, 5);
    assert_eq!((rig.outcome(&mut first).value, rig.outcome(&mut after[0]).value), (5, 6));
    assert_eq!((rig.served(1).value, rig.census()), (6, (0, 0, 0)));
}

/// P3: the caller asks a load that was woken, of which the earlier callers are polled no more.
#[test]
fn who_joins_a_younger_load_polls_it_if_it_was_woken() {
    let (mut rig, _first, mut second, after) = with_a_younger_load(rules(), 2);
    rig.wake_load(&after[0]);
    rig.visit(&mut second);
    let mut polled = 0;
    while second.step == Step::Poll {
        polled += 1;
        rig.pend(&mut second);
    }
    assert_eq!((second.step, second.own(), polled), (Step::Wait, 0, 2), "that of either epoch");
}

#[test]
fn who_takes_over_after_a_write_begins_where_that_load_is_over_the_age_too() {
    let (mut rig, mut first, mut second, mut after) = begun_in_both(rules(), 1);
    rig.unlock();
    assert_eq!(after[0].woken(), 1, "it looks at another age from now on");
    assert_eq!((rig.live(&second), live(&mut rig), rig.shard.flights.counts.takeovers), (2, 2, 1));
    let place = flight_of(&rig).expect("a flight");
    assert_eq!(rig.shard.flights.at(place).flight.newest_begun(), at(rig.now));
    assert_eq!(rig.census(), (2, 3, 3), "one load is begun, not two");
    assert_eq!(rig.rest(&mut second), Step::Wait);
    rig.answer_anew(&second, 7);
    for (caller, led) in [(&mut first, true), (&mut second, true), (&mut after[0], true)] {
        let outcome = rig.outcome(caller);
        assert_eq!((outcome.value, outcome.led), (7, led));
    }
    let counts = rig.shard.flights.counts;
    assert_eq!((counts.succeeded, counts.dropped, rig.census()), (1, 2, (0, 0, 0)));
    assert_eq!(rig.served(1).value, 7, "it was begun after the write");
}

/// D10: each epoch has a bound of its own; at that of the newer one, the caller joins.
#[test]
fn who_takes_over_at_the_bound_of_the_newer_epoch_joins() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), attempts: 1, ..rules() });
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    rig.remove(1);
    let _after = rig.wait(1);
    rig.now += 5;
    assert_eq!(rig.poll(&mut second), Step::Wait);
    assert_eq!((second.own(), live(&mut rig), rig.census()), (0, 1, (2, 3, 2)));
    assert_eq!(Some(rig.shard.flights.place(&second.waiting.seat)), flight_of(&rig));
}

/// The bound of the older epoch does not limit what begins after the write.
#[test]
fn who_takes_over_at_the_bound_of_the_older_epoch_begins() {
    let (mut rig, _first, mut second, _) = begun_in_both(Rules { attempts: 1, ..rules() }, 0);
    assert_eq!((rig.live(&second), live(&mut rig)), (2, 1));
    rig.rest(&mut second);
    let joined = rig.wait(1);
    assert_eq!((joined.own(), joined.step), (0, Step::Wait), "a caller after the write waits for it");
    assert_eq!(rig.census(), (2, 3, 2));
}

/// D21: a caller that has waited too long loads even beside a young load.
#[test]
fn who_has_waited_too_long_begins_beside_a_younger_load() {
    let mut rig = Rig::new(Rules { lock_timeout: Some((nanos(5), OnTimeout::Load)), ..rules() });
    let (_first, mut second) = (rig.wait(1), rig.wait(1));
    rig.remove(1);
    rig.now += 5;
    let mut after = rig.wait(1);
    assert_eq!((begins(&mut rig, &mut second), second.own()), (Step::MakeAnew, 2));
    assert_eq!((rig.live(&second), live(&mut rig), rig.shard.counts.timeouts), (2, 2, 1));
    assert_eq!(rig.rest(&mut second), Step::Wait, "and then it waits on");
    rig.answer_anew(&second, 7);
    let outcome = rig.outcome(&mut after);
    assert_eq!((outcome.value, outcome.attempt), (7, Some(2)));
    assert_eq!((rig.outcome(&mut second).value, rig.served(1).value), (7, 7));
}

/// D10, D21.
#[test]
fn who_has_waited_too_long_is_refused_at_the_bound_of_the_newer_epoch() {
    let mut rig = Rig::new(Rules { lock_timeout: Some((nanos(5), OnTimeout::Load)), attempts: 1, ..rules() });
    let (first, mut second) = (rig.wait(1), rig.wait(1));
    rig.remove(1);
    rig.now += 1;
    let after = rig.wait(1);
    rig.now += 4;
    assert_eq!(rig.poll(&mut second), Step::Told);
    assert!(matches!(rig.hear(&mut second), Err(LoadError::LockTimeout)));
    assert_eq!((rig.shard.counts.timeouts, rig.shard.counts.errors, rig.census()), (1, 1, (2, 2, 2)));
    rig.check_sums(&[&first, &after]);
}

/// D16: the lent load has left, and no load is in flight after the write.
#[test]
fn an_heir_begins_in_a_newer_epoch_that_nobody_waits_in_yet() {
    let mut rig = Rig::new(rules());
    let (owner, mut second) = (rig.lend(1), rig.wait(1));
    rig.remove(1);
    rig.leave(owner);
    assert_eq!((rig.visit(&mut second), second.own(), flight_of(&rig).is_some()), (Step::MakeAnew, 2, true));
    assert_eq!(rig.census(), (2, 1, 1));
    assert_eq!(rig.rest(&mut second), Step::Wait);
    let mut joined = rig.wait(1);
    assert_eq!((joined.own(), rig.shard.flights.counts.begun), (0, 2), "it begins nothing");
    rig.answer_anew(&second, 6);
    assert_eq!((rig.outcome(&mut second).value, rig.outcome(&mut joined).value), (6, 6));
    assert_eq!((rig.served(1).value, rig.census()), (6, (0, 0, 0)));
}

#[test]
fn an_heir_joins_what_was_begun_after_the_write() {
    let mut rig = Rig::new(rules());
    let (owner, mut second) = (rig.lend(1), rig.wait(1));
    rig.remove(1);
    let mut after = rig.wait(1);
    rig.leave(owner);
    assert_eq!(rig.poll(&mut second), Step::Wait);
    assert_eq!((second.own(), rig.census()), (0, (1, 2, 1)), "its own flight has ended with it");
    rig.answer(&mut after, 1, 6);
    assert_eq!((rig.outcome(&mut second).value, rig.outcome(&mut after).value), (6, 6));
}

/// In the newer epoch, no load is in flight any more either.
#[test]
fn an_heir_begins_for_those_as_well_whose_own_load_has_left() {
    let mut rig = Rig::new(rules());
    let (owner, mut second) = (rig.lend(1), rig.wait(1));
    rig.remove(1);
    let (other, mut after) = (rig.lend(1), rig.wait(1));
    rig.leave(owner);
    rig.leave(other);
    assert_eq!((rig.visit(&mut second), second.own(), live(&mut rig)), (Step::MakeAnew, 2, 1));
    assert_eq!(rig.rest(&mut second), Step::Wait);
    assert_eq!(rig.poll(&mut after), Step::Wait, "it waits for that");
    rig.answer_anew(&second, 6);
    assert_eq!((rig.outcome(&mut second).value, rig.outcome(&mut after).value), (6, 6));
    assert_eq!(rig.census(), (0, 0, 0));
}

/// D16: a lent load is part of both epochs, too, and goes with its caller.
#[test]
fn who_lends_its_load_begins_in_both_epochs() {
    for is_told in [true, false] {
        let (mut rig, _first, mut second, _) = with_a_younger_load(rules(), 0);
        rig.visit_with(&mut second, Some(Start::Lent));
        while second.step == Step::Poll {
            rig.pend(&mut second);
        }
        assert_eq!((second.step, second.own(), live(&mut rig)), (Step::Lent, 2, 1));
        assert_eq!(rig.census(), (2, 2, 2), "it waits in its own");
        assert_eq!(rig.rest(&mut second), Step::Wait);
        let mut joined = rig.wait(1);
        assert_eq!((joined.own(), rig.census()), (0, (2, 3, 2)));
        if is_told {
            rig.visit_with(&mut second, None);
            rig.finish(&mut second, 2, 6);
            assert_eq!((rig.outcome(&mut second).value, rig.outcome(&mut joined).value), (6, 6));
            assert_eq!(rig.served(1).value, 6);
        } else {
            rig.leave(second);
            assert!(rig.wakes_somebody());
            assert_eq!((rig.visit(&mut joined), live(&mut rig)), (Step::Make, 1));
            assert_eq!(rig.shard.flights.counts.dropped, 1, "once");
        }
    }
}

/// P12: nothing stays if no other caller waits in the newer epoch.
#[test]
fn a_newer_epoch_that_only_a_lent_load_keeps_ends_with_it() {
    let (mut rig, _first, mut second, _) = with_a_younger_load(rules(), 0);
    rig.visit_with(&mut second, Some(Start::Lent));
    rig.rest(&mut second);
    let joined = rig.wait(1);
    assert!(!rig.leave(joined), "the load keeps it");
    assert_eq!(rig.census(), (2, 2, 2));
    assert!(rig.leave(second));
    assert_eq!((flight_of(&rig), rig.census()), (None, (1, 1, 1)));
}
