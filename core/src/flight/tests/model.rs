//! Random events, compared after each with a plain model of what should be.

mod beginning;
mod plain;

use alloc::vec::Vec;

use self::plain::{Mind, Model, Tried, Where};
use super::*;
use crate::store::policy::tests::shelf::Random;

/// A caller that has a seat.
struct Seated {
    caller: Caller,
    mind: Mind,
    /// It polls once, and does not wait.
    is_visitor: bool,
}

/// The number of kinds of ends and the like.
const ENDS: usize = 10;

fn tried_is_live(model: &Model, number: u32) -> bool {
    model.tried.get(&number).is_some_and(Tried::is_live)
}

/// The address of a caller's waker, by which a call from inside a load is recognized.
fn address_of(caller: &Caller) -> usize {
    caller.waker.data().addr()
}

/// One flight, its model, and the callers that have a seat.
struct World {
    flight: Plain,
    model: Model,
    callers: Vec<Seated>,
    /// How many callers there were when the newest attempt began.
    most: usize,
    now: u64,
    /// Callers of older epochs that have begun loads here.
    others: Vec<Caller>,
    ends: [u32; ENDS],
}

impl World {
    fn new() -> Self {
        Self {
            flight: Plain::new(),
            model: Model::new(),
            callers: Vec::new(),
            most: 0,
            now: 0,
            others: Vec::new(),
            ends: [0; ENDS],
        }
    }

    fn sit_down(&mut self, is_visitor: bool) {
        self.callers.push(Seated { caller: Caller::new(), mind: Mind::default(), is_visitor });
    }

    fn look(&mut self, index: usize, is_first: bool, random: &mut Random) {
        let seats = self.callers.len();
        let Seated { caller, mind, is_visitor: false } = &mut self.callers[index] else { return };
        let noted = self.model.look(mind, seats, is_first);
        assert_eq!(self.flight.wait(&mut caller.registration, &caller.waker, is_first, &mut None), noted);
        assert_eq!(self.flight.waits.is_shared(), self.model.is_shared());
        if is_first {
            caller.after = 0;
        } else if random.below(4) == 0 {
            // A deadline has come: loads that were not polled are polled before it counts.
            self.flight.all_due(caller.after);
            self.model.all_due(caller.after);
        }
        let led = if random.below(2) == 0 { caller.own } else { 0 };
        self.hand_out(index, led, is_first);
    }

    /// True if there is a load to poll.
    fn hand_out(&mut self, index: usize, led: u32, is_first: bool) -> bool {
        let caller = &mut self.callers[index].caller;
        let (own, mut after, by) = (caller.own, caller.after, address_of(caller));
        let expected = self.model.check_out(own, led, is_first, &mut after, by);
        let caller_by = caller.by();
        assert_eq!(self.flight.check_out(own, led, is_first, &mut caller.after, true, caller_by), expected);
        assert_eq!(caller.after, after, "D18: what is passed over is yet to be asked");
        expected.is_some()
    }

    /// A caller that does not wait polls what wants a poll.
    fn pass_by(&mut self) {
        let wants_a_poll = self.model.pass_by();
        assert_eq!(self.flight.wants_a_poll(&mut None), wants_a_poll);
        if wants_a_poll {
            self.flight.join();
            self.sit_down(true);
            assert!(self.hand_out(self.callers.len() - 1, 0, true), "it has what wants a poll");
            self.ends[5] += 1;
        }
    }

    /// Returns the load that is out in an attempt, or one that is not needed any more.
    fn check_in(&mut self, index: usize, number: u32) {
        let (is_wanted, again, wakes_all) = self.model.check_in(number);
        let caller = &mut self.callers[index].caller;
        assert_eq!(check_in(&mut self.flight, caller, number), CheckedIn { is_wanted, again, wakes_all });
    }

    fn wake(&mut self) {
        assert_eq!(self.flight.waits.is_shared(), self.model.is_shared());
        if let Some(waker) = self.flight.waits.waker() {
            waker.wake();
            self.model.wakes = self.model.wakes.map(|wakes| wakes + 1);
        }
    }

    /// The load of a call that has claimed and not made it is made by others, or becomes a part of a load of many keys.
    fn put_off(&mut self, index: usize, number: u32, random: &mut Random) {
        let caller = &self.callers[index].caller;
        let tried = self.model.tried.get_mut(&number).filter(|tried| tried.load == Where::Out);
        let is_out = tried.is_some();
        match random.below(3) {
            0 => {
                assert_eq!(self.flight.unmake(number), is_out);
                tried.into_iter().for_each(|tried| (tried.load, tried.is_started) = (Where::Unmade, false));
            }
            1 => {
                assert_eq!(self.flight.put_to_rest(number), is_out);
                let rest = |tried: &mut Tried| {
                    (tried.load, tried.is_started, tried.is_due) = (Where::Rest, false, true);
                };
                tried.into_iter().for_each(rest);
            }
            _ => {
                assert_eq!(self.flight.become_part(number, caller.by()), is_out);
                let by = address_of(caller);
                tried.into_iter().for_each(|tried| (tried.load, tried.by) = (Where::Batch, by));
            }
        }
    }

    fn settle(&mut self) {
        let running = self.model.end();
        self.flight.detach();
        assert_eq!(self.flight.settle().1, running);
        if self.callers.is_empty() {
            assert_eq!(self.flight.close(), 0);
        }
    }

    fn answer(&mut self, number: u32) {
        let is_live = self.flight.attempt(number).is_some_and(|attempt| attempt.is_live());
        assert_eq!(is_live, tried_is_live(&self.model, number));
        let is_alone = self.flight.is_alone_with(number);
        let is_only = self.callers.len() == 1 && self.model.live() == 1 && tried_is_live(&self.model, number);
        assert!(!is_alone || (is_only && !self.model.is_over && !self.model.is_shared()));
        assert!(is_alone || !is_only || self.model.newest > 1 || self.model.is_shared(), "it knows no other attempt");
        if is_alone {
            self.model.end();
            self.flight.detach();
            let waker = self.flight.end_alone();
            assert!(waker.is_none_or(|waker| waker.will_wake(&self.callers[0].caller.waker)));
            self.callers.clear();
            self.ends[8] += 1;
            return;
        }
        if let Some(tried) = self.model.tried.get_mut(&number).filter(|tried| tried.is_live()) {
            self.flight.forget(number);
            tried.load = Where::Gone;
            self.ends[0] += 1;
            self.settle();
        }
    }

    fn fail(&mut self, number: u32) {
        let mut expected = Failing::Late;
        if let Some(tried) = self.model.tried.get_mut(&number).filter(|tried| tried.is_live()) {
            tried.load = if tried.is_owned { Where::Failed } else { Where::Gone };
            expected = if tried.is_owned { Failing::Beginner } else { Failing::Nobody };
            if self.model.live() == 0 {
                expected = Failing::Last;
            }
            self.ends[1] += 1;
        }
        assert_eq!(self.flight.fail(number), expected);
        if expected == Failing::Last {
            self.settle();
        }
    }

    fn fail_overdue(&mut self, before: u64) {
        let overdue = self.model.tried.iter().find(|(_, tried)| tried.is_live() && tried.begun < before);
        let overdue = overdue.map(|(number, _)| *number);
        assert_eq!(self.flight.overdue(|begun| begun < at(before)), overdue);
        if let Some(number) = overdue {
            self.ends[2] += 1;
            self.fail(number);
        }
    }

    fn leave(&mut self, index: usize, random: &mut Random) {
        let has_begun = |tried: &Tried| tried.is_started && tried.load == Where::Rest;
        let is_worth = self.callers.len() == 1 && self.model.is_attached && self.model.tried.values().any(has_begun);
        assert_eq!(self.flight.worth_finishing(), is_worth);
        if is_worth && random.below(4) == 0 {
            // It hands its seat over.
            let own = core::mem::take(&mut self.callers[index].caller.own);
            assert_eq!(self.flight.release(own), self.model.release(own));
            return;
        }
        let Seated { mut caller, .. } = self.callers.swap_remove(index);
        if !self.model.is_over {
            let _waker = self.flight.waits.withdraw(&mut caller.registration);
        }
        let left = self.flight.leave(caller.own);
        if self.callers.is_empty() {
            assert_eq!(left, Left::Last);
            return self.end_or_keep();
        }
        let was_lent = !self.model.is_over && self.model.release(caller.own);
        assert_eq!(left, if was_lent { Left::Lent } else { Left::Others });
    }

    /// No caller waits any more: only parts of loads of many keys go on.
    fn end_or_keep(&mut self) {
        let model = &mut self.model;
        assert_eq!(self.flight.is_kept(), model.tried.values().any(Tried::is_kept));
        if self.flight.is_kept() {
            let running = model.running();
            for tried in model.tried.values_mut() {
                tried.is_owned = false;
                if !tried.is_kept() {
                    tried.load = Where::Gone;
                }
            }
            assert_eq!(self.flight.keep_parts(), running - model.running());
            return;
        }
        let running = if model.is_over { 0 } else { model.end() };
        self.flight.detach();
        assert_eq!(self.flight.close(), running);
        let _woken = self.flight.waits.take();
        self.ends[3] += 1;
    }

    /// A part of a load of many keys is dropped.
    fn drop_part(&mut self, number: u32) {
        let Some(tried) = self.model.tried.get_mut(&number).filter(|tried| tried.load == Where::Batch) else { return };
        tried.load = Where::Gone;
        self.flight.forget(number);
        self.ends[6] += 1;
        if self.callers.is_empty() {
            self.end_or_keep();
        }
    }

    fn step(&mut self, random: &mut Random) {
        self.now += random.below(3);
        let is_over = self.model.is_over;
        if self.callers.is_empty() && is_over {
            return self.open(random);
        }
        let (is_empty, index) = (self.callers.is_empty(), random.below(self.callers.len().max(1) as u64) as usize);
        let number = 1 + random.below(u64::from(self.model.newest)) as u32;
        match random.below(110) {
            0..15 if !is_over && self.callers.len() < 6 => self.join(),
            72..74 => self.answer(number),
            74..80 => self.fail(number),
            80..83 => self.fail_overdue(self.now.saturating_sub(random.below(20))),
            83 => {
                self.model.is_attached = false;
                self.flight.detach();
            }
            84 if !is_over => self.drop_part(number),
            105..108 if !is_over => self.lent_elsewhere(number, random.below(4) == 0),
            103..105 if !is_over && self.flight.live() < 4 => self.begin_for_others(random),
            85..90 if !is_over && self.callers.len() < 6 => self.pass_by(),
            68..72 => self.wake(),
            _ if is_empty => {}
            15..25 if !is_over && self.flight.live() < 4 => self.begin(index, random),
            25..45 if !is_over => self.look(index, true, random),
            45..55 if !is_over => self.look(index, false, random),
            55..68 => self.check_in(index, number),
            90..93 => self.put_off(index, number, random),
            93.. => self.leave(index, random),
            _ => {}
        }
    }

    /// Compares everything that is visible.
    fn check(&self) {
        let (flight, model, tried) = (&self.flight, &self.model, &self.model.tried);
        assert_eq!((flight.seats() as usize, flight.is_attached()), (self.callers.len(), model.is_attached));
        assert_eq!((flight.live() as usize, flight.running()), (model.live(), model.running()));
        let remembered = flight.attempts.iter().count();
        if self.callers.is_empty() && model.is_over {
            assert_eq!(remembered, 0, "nothing stays behind");
            return;
        }
        assert_eq!((flight.is_over(), flight.newest()), (model.is_over, model.newest));
        let begun = tried.values().filter(|tried| tried.is_live()).map(|tried| at(tried.begun));
        assert_eq!(flight.oldest_begun(), begun.min());
        assert_eq!(Some(flight.newest_begun()), tried.values().last().map(|tried| at(tried.begun)));
        for (&number, tried) in tried {
            assert_eq!(flight.has_ended(number), tried.load == Where::Failed, "attempt {number}");
        }
        for Seated { caller, .. } in &self.callers {
            assert_eq!(flight.is_inside(&caller.by()), model.is_inside(address_of(caller)), "D66");
        }
        assert!(remembered <= 4 + self.most, "P12: the others are forgotten when the next one begins");
    }
}

/// P2, P4, P8, and the events as a whole.
#[test]
fn any_order_of_events_ends_as_a_plain_model_says() {
    let mut ends = [0; ENDS];
    for seed in 1..=40 {
        let (mut random, mut world) = (Random(seed), World::new());
        for _ in 0..10_000 {
            world.step(&mut random);
            world.check();
        }
        while !world.callers.is_empty() {
            world.leave(world.callers.len() / 2, &mut random);
            world.check();
        }
        ends.iter_mut().zip(world.ends).for_each(|(sum, count)| *sum += count);
    }
    assert!(ends.iter().all(|count| *count > 100), "everything has happened: {ends:?}");
}
