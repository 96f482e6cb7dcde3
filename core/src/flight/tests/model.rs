//! Random events beside a plain model of what should be, compared after each one.

use alloc::{collections::BTreeMap, vec::Vec};

use super::*;
use crate::store::policy::tests::shelf::Random;

/// One attempt as one would write it down.
struct Tried {
    begun: u64,
    is_owned: bool,
    is_started: bool,
    is_due: bool,
    load: Where,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Unmade,
    Rest,
    Out,
    Lent,
    LentOut,
    Batch,
    /// It failed, and its beginner is still to be told.
    Failed,
    Gone,
}

impl Tried {
    fn is_live(&self) -> bool {
        !matches!(self.load, Where::Failed | Where::Gone)
    }

    fn is_running(&self) -> bool {
        self.is_live() && self.is_started
    }
}

/// One flight, its model, and those who have a seat.
struct World {
    flight: Plain,
    callers: Vec<Caller>,
    tried: BTreeMap<u32, Tried>,
    newest: u32,
    is_attached: bool,
    is_over: bool,
    is_shared: bool,
    /// A load was woken since somebody looked.
    is_woken: bool,
    now: u64,
    ends: [u32; 4],
}

impl World {
    fn new() -> Self {
        Self {
            flight: Plain::new(),
            callers: Vec::new(),
            tried: BTreeMap::new(),
            newest: 0,
            is_attached: false,
            is_over: true,
            is_shared: false,
            is_woken: false,
            now: 0,
            ends: [0; 4],
        }
    }

    /// The first caller of a new life of the flight.
    fn open(&mut self, random: &mut Random) {
        self.flight.open(true);
        (self.is_attached, self.is_over, self.is_shared, self.is_woken) = (true, false, false, false);
        (self.newest, self.tried) = (0, BTreeMap::new());
        self.callers.push(Caller::new());
        self.begin(0, random);
    }

    fn begin(&mut self, index: usize, random: &mut Random) {
        let (start, load, is_started) = match random.below(5) {
            0 => (Start::Unmade, Where::Unmade, false),
            1 => (Start::Lent, Where::LentOut, true),
            2 => (Start::Batch, Where::Batch, true),
            _ => (Start::Made, Where::Out, true),
        };
        let caller = &mut self.callers[index];
        let own = caller.own;
        let replaces = self.tried.get(&self.newest);
        let replaces = replaces.is_some_and(|last| self.newest != own && last.is_owned && last.is_live());
        self.newest += 1;
        if let Some(mine) = self.tried.get_mut(&own) {
            mine.is_owned = false;
            if matches!(mine.load, Where::Lent | Where::LentOut | Where::Failed) {
                mine.load = Where::Gone;
            }
        }
        self.tried.insert(self.newest, Tried { begun: self.now, is_owned: true, is_started, is_due: false, load });
        assert_eq!(begin(&mut self.flight, caller, self.now, start), replaces);
        assert_eq!(caller.own, self.newest, "attempts are numbered without gaps");
    }

    fn look(&mut self, index: usize, is_first: bool) {
        let seats = self.callers.len();
        let caller = &mut self.callers[index];
        let is_new = seats > 1 && !self.is_shared;
        self.is_shared |= is_new;
        let sees_wake = is_first && self.is_shared && core::mem::take(&mut self.is_woken);
        if is_new || sees_wake || (is_first && !self.is_shared) {
            self.tried.values_mut().for_each(|tried| tried.is_due = true);
        }
        self.flight.wait(&mut caller.registration, &caller.waker, is_first, &mut None);
        assert_eq!(self.flight.waits.is_shared(), self.is_shared);
        let own = caller.own;
        let mut due = self.tried.iter_mut().filter_map(|(&number, tried)| {
            let (work, load) = match tried.load {
                Where::Unmade => (Work::Make(number), Where::Out),
                Where::Rest if tried.is_due => (Work::Poll(number), Where::Out),
                Where::Lent if number == own && (tried.is_due || is_first) => (Work::Lent(number), Where::LentOut),
                Where::Batch if tried.is_due => (Work::Batch(number), Where::Batch),
                _ => return None,
            };
            Some((work, load, tried))
        });
        let work = self.flight.check_out(own, is_first, true, caller.by());
        assert_eq!(
            work,
            due.next().map(|(work, load, tried)| {
                (tried.load, tried.is_due, tried.is_started) = (load, false, true);
                work
            })
        );
    }

    /// Hands back what is out in an attempt, or a load that is not needed any more.
    fn check_in(&mut self, number: u32) {
        let woken = self.is_shared && self.is_woken;
        let (mut is_wanted, mut again) = (false, false);
        if let Some(tried) = self.tried.get_mut(&number).filter(|_| !self.is_over) {
            is_wanted = matches!(tried.load, Where::Out | Where::LentOut);
            again = tried.load == Where::Out && tried.is_due;
            tried.load = match tried.load {
                Where::Out => Where::Rest,
                Where::LentOut => Where::Lent,
                load => load,
            };
        }
        assert_eq!(self.flight.check_in(number), CheckedIn { is_wanted, again, wakes_all: woken && !self.is_over });
    }

    fn wake(&mut self) {
        if let Some(waker) = self.flight.waits.waker() {
            waker.wake();
            self.is_woken = true;
        }
    }

    fn end(&mut self) -> u32 {
        let running = self.tried.values().filter(|tried| tried.is_running()).count() as u32;
        self.tried.values_mut().for_each(|tried| tried.load = Where::Gone);
        (self.is_over, self.is_attached, self.is_shared) = (true, false, false);
        running
    }

    fn settle(&mut self) {
        let running = self.end();
        self.flight.detach();
        assert_eq!(self.flight.settle().1, running);
    }

    fn answer(&mut self, number: u32) {
        let is_live = self.tried.get(&number).is_some_and(Tried::is_live);
        assert_eq!(self.flight.attempt(number).is_some_and(|attempt| attempt.is_live()), is_live);
        if is_live {
            self.flight.forget(number);
            self.tried.get_mut(&number).expect("it is live").load = Where::Gone;
            self.ends[0] += 1;
            self.settle();
        }
    }

    fn fail(&mut self, number: u32) {
        let mut expected = Failing::Late;
        if let Some(tried) = self.tried.get_mut(&number).filter(|tried| tried.is_live()) {
            tried.load = if tried.is_owned { Where::Failed } else { Where::Gone };
            expected = if tried.is_owned { Failing::Beginner } else { Failing::Nobody };
            if !self.tried.values().any(Tried::is_live) {
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
        let overdue = self.tried.iter().find(|(_, tried)| tried.is_live() && tried.begun < before);
        let overdue = overdue.map(|(number, _)| *number);
        assert_eq!(self.flight.overdue(|begun| begun < at(before)), overdue);
        if let Some(number) = overdue {
            self.ends[2] += 1;
            self.fail(number);
        }
    }

    fn leave(&mut self, index: usize) {
        let mut caller = self.callers.swap_remove(index);
        let was_live = self.tried.values().any(Tried::is_live);
        if !self.is_over {
            let _waker = self.flight.waits.withdraw(&mut caller.registration);
        }
        let is_over = self.is_over;
        let has_begun = |tried: &Tried| tried.is_started && tried.load == Where::Rest;
        let is_worth = self.callers.is_empty() && self.is_attached && self.tried.values().any(has_begun);
        assert_eq!(self.flight.worth_finishing(), is_worth);
        let (left, is_lent) = self.flight.leave(caller.own);
        if self.callers.is_empty() {
            assert_eq!((left, is_lent), (Left::Last, false));
            self.flight.detach();
            let running = if is_over { 0 } else { self.end() };
            assert_eq!(self.flight.close(), running);
            let _woken = self.flight.waits.take();
            self.ends[3] += 1;
            return;
        }
        let mut was_lent = false;
        if let Some(mine) = self.tried.get_mut(&caller.own).filter(|_| !is_over) {
            mine.is_owned = false;
            was_lent = matches!(mine.load, Where::Lent | Where::LentOut);
            if was_lent || mine.load == Where::Failed {
                mine.load = Where::Gone;
            }
        }
        let is_vacant = was_live && !self.tried.values().any(Tried::is_live);
        assert_eq!((left, is_lent), (if is_vacant { Left::Vacant } else { Left::Others }, was_lent));
    }

    fn step(&mut self, random: &mut Random) {
        self.now += random.below(3);
        if self.callers.is_empty() {
            return self.open(random);
        }
        let index = random.below(self.callers.len() as u64) as usize;
        let number = 1 + random.below(u64::from(self.newest)) as u32;
        match random.below(100) {
            0..15 if !self.is_over && self.callers.len() < 6 => self.callers.push(join(&mut self.flight)),
            15..25 if !self.is_over && self.flight.live() < 4 => self.begin(index, random),
            25..45 if !self.is_over => self.look(index, true),
            45..55 if !self.is_over => self.look(index, false),
            55..68 => self.check_in(number),
            68..72 => self.wake(),
            72..74 => self.answer(number),
            74..80 => self.fail(number),
            80..83 => self.fail_overdue(self.now.saturating_sub(random.below(20))),
            83 => {
                self.is_attached = false;
                self.flight.detach();
            }
            84.. => self.leave(index),
            _ => {}
        }
    }

    /// Compares everything that can be seen.
    fn check(&self) {
        let (flight, tried) = (&self.flight, &self.tried);
        assert_eq!((flight.seats() as usize, flight.is_attached()), (self.callers.len(), self.is_attached));
        assert_eq!(flight.live() as usize, tried.values().filter(|tried| tried.is_live()).count());
        assert_eq!(flight.running() as usize, tried.values().filter(|tried| tried.is_running()).count());
        if self.callers.is_empty() {
            assert_eq!(flight.attempts.len(), 0, "nothing stays behind");
            return;
        }
        assert_eq!((flight.is_over(), flight.newest()), (self.is_over, self.newest));
        let begun = tried.values().filter(|tried| tried.is_live()).map(|tried| at(tried.begun));
        assert_eq!(flight.oldest_begun(), begun.min());
        assert_eq!(Some(flight.newest_begun()), tried.values().last().map(|tried| at(tried.begun)));
        for (&number, tried) in tried {
            assert_eq!(flight.has_failed(number), tried.load == Where::Failed, "attempt {number}");
        }
        assert!(flight.attempts.len() <= 4 + self.callers.len(), "P12");
    }
}

/// P2, P4, P8, and the events as a whole.
#[test]
fn any_order_of_events_ends_as_a_plain_model_says() {
    let mut ends = [0; 4];
    for seed in 1..=6 {
        let (mut random, mut world) = (Random(seed), World::new());
        for _ in 0..10_000 {
            world.step(&mut random);
            world.check();
        }
        while !world.callers.is_empty() {
            world.leave(world.callers.len() / 2);
            world.check();
        }
        ends.iter_mut().zip(world.ends).for_each(|(sum, count)| *sum += count);
    }
    assert!(ends.iter().all(|count| *count > 100), "every way to end was taken: {ends:?}");
}
