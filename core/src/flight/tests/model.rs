//! Random operations beside a plain model of what should be, compared after each one.

mod check;
mod plain;

use alloc::{collections::BTreeMap, vec::Vec};

use self::plain::{Plain, Tried, Where};
use super::*;
use crate::store::policy::tests::shelf::Random;

const KEYS: u64 = 5;

/// The machine, the model, and the seats that callers have.
#[derive(Default)]
struct World {
    sky: Option<Sky>,
    flights: BTreeMap<u32, Plain>,
    seats: Vec<Seat>,
    loads: u32,
    now: u64,
    counts: Counts,
}

/// What the model expects of [`LoadCounts`](super::super::flights::LoadCounts).
#[derive(Debug, Default, PartialEq)]
struct Counts {
    begun: u64,
    succeeded: u64,
    failed: u64,
    panicked: u64,
    dropped: u64,
}

impl World {
    fn sky(&mut self) -> &mut Sky {
        self.sky.get_or_insert_with(Sky::new)
    }

    fn start(&mut self, random: &mut Random) -> (Start<u32>, Tried) {
        self.loads += 1;
        let (start, load, started) = match random.below(4) {
            0 => (Start::Fresh, Where::Fresh, false),
            1 => (Start::Lent, Where::Lent, true),
            _ => (Start::Ready(self.loads), Where::Idle(self.loads), false),
        };
        self.counts.begun += u64::from(started);
        (start, Tried { begun: self.now, started, shared: false, load, failure: None, owned: true })
    }

    /// A caller comes: he joins the flight of his key, or claims one.
    fn come(&mut self, random: &mut Random) {
        let key = random.below(KEYS) as u32;
        let attached =
            self.flights.iter().find(|(_, plain)| plain.key == key && plain.attached).map(|(place, _)| *place);
        assert_eq!(find(self.sky(), key), attached);
        let seat = match attached {
            Some(place) => self.sky().join(place),
            None => {
                let (start, tried) = self.start(random);
                let now = at(self.now);
                let seat = self.sky().claim(hash(key), key, now, Terms::default(), start);
                let plain = Plain { key, attached: true, attempts: vec![tried], verdict: None };
                assert!(self.flights.insert(seat.place(), plain).is_none(), "a place has one flight");
                seat
            }
        };
        self.seats.push(seat);
    }

    fn begin(&mut self, index: usize, random: &mut Random) {
        let (start, tried) = self.start(random);
        let now = at(self.now);
        let mut seat = self.seats.swap_remove(index);
        let plain = self.flights.get_mut(&seat.place()).expect("a flight");
        if let Some(former) = seat.began() {
            let former = &mut plain.attempts[former as usize - 1];
            (former.owned, former.failure) = (false, None);
        }
        plain.attempts.push(tried);
        let number = plain.attempts.len() as u32;
        self.sky().begin(&mut seat, now, Terms::default(), start);
        assert_eq!(seat.began(), Some(number), "attempts are numbered without gaps");
        self.seats.push(seat);
    }

    fn check_out(&mut self, index: usize, random: &mut Random) {
        let (after, shared) = (random.below(3) as u32, random.below(2) == 0);
        let seat = &self.seats[index];
        let (began, plain) = (seat.began(), self.flights.get_mut(&seat.place()).expect("a flight"));
        let due = plain.attempts.iter_mut().enumerate().skip(after as usize).find(|(at, tried)| match tried.load {
            Where::Fresh | Where::Idle(_) => true,
            Where::Lent => began == Some(*at as u32 + 1),
            _ => false,
        });
        let job = self.sky.as_mut().expect("a sky").check_out(seat, after, shared, || 9);
        assert_eq!(job.as_ref().map(|job| job.number), due.as_ref().map(|(at, _)| *at as u32 + 1));
        let Some((job, (_, tried))) = job.zip(due) else { return };
        assert_eq!(job.shared, shared);
        self.counts.begun += u64::from(!core::mem::replace(&mut tried.started, true));
        tried.load = match (job.work, tried.load) {
            (Work::Begin, Where::Fresh) => Where::Out(None),
            (Work::Poll(load), Where::Idle(rested)) if load == rested => Where::Out(Some(load)),
            (Work::Own, Where::Lent) => Where::OwnOut,
            (_, rested) => panic!("not the work for {rested:?}"),
        };
        if matches!(tried.load, Where::Out(_)) {
            tried.shared = shared;
        }
    }

    /// Hands back what is out in attempt `number`, or a load that is not needed any more.
    fn check_in(&mut self, index: usize, number: u32, random: &mut Random) {
        let shared = random.below(2) == 0;
        let seat = &self.seats[index];
        let tried = &mut self.flights.get_mut(&seat.place()).expect("a flight").attempts[number as usize - 1];
        let sky = self.sky.as_mut().expect("a sky");
        self.loads += 1;
        match tried.load {
            Where::OwnOut => {
                assert_eq!(sky.own_pending(seat, number), Some(9));
                tried.load = Where::Lent;
            }
            Where::Out(load) => {
                let load = load.unwrap_or(self.loads);
                match sky.check_in(seat, number, load, shared) {
                    CheckIn::Again(again) if shared && !tried.shared && again == load => {
                        (tried.shared, tried.load) = (true, Where::Out(Some(load)));
                    }
                    CheckIn::Kept if !shared || tried.shared => tried.load = Where::Idle(load),
                    _ => panic!("attempt {number} is in flight"),
                }
            }
            Where::Gone => {
                assert_eq!(sky.own_pending(seat, number), None);
                let over = sky.check_in(seat, number, self.loads, shared);
                assert!(matches!(over, CheckIn::Over(load) if load == self.loads));
            }
            Where::Fresh | Where::Idle(_) | Where::Lent => assert_eq!(sky.own_pending(seat, number), None),
        }
    }

    fn succeed(&mut self, index: usize, number: u32) {
        let seat = &self.seats[index];
        let plain = self.flights.get_mut(&seat.place()).expect("a flight");
        let tried = &mut plain.attempts[number as usize - 1];
        let sky = self.sky.as_mut().expect("a sky");
        assert_eq!(sky.may_answer(seat, number).map(|(_, begun)| begun), tried.live().then_some(at(tried.begun)));
        if !matches!(tried.load, Where::Out(_) | Where::OwnOut) {
            return;
        }
        tried.load = Where::Gone;
        let key = plain.attached.then_some(plain.key);
        let value = plain.key * 100 + number;
        let (loads, running) = plain.end(Some(Ok(value)));
        let ended = sky.succeed(seat, number);
        sky.seated(seat).tell(Ok(answer(value)));
        assert_eq!((ended.key, ended.loads, ended.hash), (key, loads, hash(plain.key)));
        self.counts.succeeded += 1;
        self.counts.dropped += running;
    }

    fn fail(&mut self, index: usize, number: u32, panics: bool) {
        let seat = &self.seats[index];
        let plain = self.flights.get_mut(&seat.place()).expect("a flight");
        let tried = &mut plain.attempts[number as usize - 1];
        if !matches!(tried.load, Where::Out(_) | Where::OwnOut) {
            return;
        }
        tried.load = Where::Gone;
        let (cause, name) =
            if panics { (Cause::Panicked, "panicked") } else { (Cause::Error(Arc::new("failed")), "failed") };
        tried.failure = tried.owned.then_some(name);
        let counter = if panics { &mut self.counts.panicked } else { &mut self.counts.failed };
        *counter += 1;
        let ended = self.sky.as_mut().expect("a sky").fail(seat, number, &Failure::new(cause));
        assert_eq!(ended.is_some(), plain.live() == 0, "only the last one ends the flight");
        if let Some(ended) = ended {
            assert_eq!((ended.key, ended.loads), (plain.attached.then_some(plain.key), vec![]));
            plain.end(Some(Err(name)));
        }
    }

    fn overdue(&mut self, index: usize, before: u64) {
        let seat = &self.seats[index];
        let plain = self.flights.get_mut(&seat.place()).expect("a flight");
        let live_before = plain.live();
        let mut rested = Vec::new();
        for tried in plain.attempts.iter_mut().filter(|tried| tried.live() && tried.begun < before) {
            self.counts.failed += u64::from(tried.running());
            rested.extend(tried.end());
            tried.failure = tried.owned.then_some("overdue");
        }
        let (ended, loads) = self.sky.as_mut().expect("a sky").overdue(seat, |begun| begun < at(before));
        assert_eq!(loads, rested);
        assert_eq!(ended.is_some(), live_before > 0 && plain.live() == 0);
        if let Some((ended, failure)) = ended {
            assert!(failure.is_budget_exceeded());
            assert_eq!((ended.key, ended.loads), (plain.attached.then_some(plain.key), vec![]));
            plain.end(Some(Err("overdue")));
        }
    }

    /// A value is inserted: the flight of its key is over.
    fn insert(&mut self, key: u32) {
        let Some(place) = find(self.sky(), key) else { return };
        let plain = self.flights.get_mut(&place).expect("a flight");
        let (loads, running) = plain.end(Some(Ok(key)));
        let ended = self.sky().end(place);
        self.sky().flight(place).tell(Ok(answer(key)));
        assert_eq!((ended.key, ended.loads), (Some(key), loads));
        self.counts.dropped += running;
    }

    fn detach(&mut self, key: u32) {
        if let Some(place) = find(self.sky(), key) {
            assert!(self.sky().detach(place));
            self.flights.get_mut(&place).expect("a flight").attached = false;
        }
    }

    fn detach_all(&mut self) {
        self.sky().detach_all();
        self.flights.values_mut().for_each(|plain| plain.attached = false);
    }

    fn leave(&mut self, index: usize) {
        let seat = self.seats.swap_remove(index);
        let (place, began) = (seat.place(), seat.began());
        let others = self.seats.iter().filter(|other| other.place() == place).count();
        let plain = self.flights.get_mut(&place).expect("a flight");
        let rests = plain.attempts.iter().any(|tried| tried.started && matches!(tried.load, Where::Idle(_)));
        let sky = self.sky.as_mut().expect("a sky");
        assert_eq!(sky.worth_finishing(&seat), others == 0 && plain.attached && rests);
        match sky.leave(seat) {
            Leaving::Last(mut flight) => {
                assert_eq!(others, 0);
                let (resting, running) = plain.end(None);
                let loads: Vec<u32> = flight.attempts().filter_map(|attempt| attempt.end().0).collect();
                assert_eq!(loads, resting);
                self.counts.dropped += running;
                self.flights.remove(&place);
            }
            Leaving::Nothing => {
                assert_eq!((others, plain.end(None)), (0, (Vec::new(), 0)));
                self.flights.remove(&place);
            }
            Leaving::Others { vacant, .. } => {
                assert!(others > 0);
                let mut left_empty = false;
                if let Some(mine) = began.map(|number| &mut plain.attempts[number as usize - 1]) {
                    (mine.owned, mine.failure) = (false, None);
                    if matches!(mine.load, Where::Lent | Where::OwnOut) {
                        mine.end();
                        self.counts.dropped += 1;
                        left_empty = plain.live() == 0;
                    }
                }
                assert_eq!(vacant, left_empty);
            }
        }
    }

    fn step(&mut self, random: &mut Random, crowded: bool) {
        self.now += random.below(3);
        let choice = random.below(if crowded { 100 } else { 130 });
        if self.seats.is_empty() || (choice < 20 && self.seats.len() < 16) {
            return self.come(random);
        }
        let index = random.below(self.seats.len() as u64) as usize;
        let (place, began) = (self.seats[index].place(), self.seats[index].began());
        let plain = &self.flights[&place];
        let number = 1 + random.below(plain.attempts.len() as u64) as u32;
        // His own load is polled by its owner alone.
        let own = matches!(plain.attempts[number as usize - 1].load, Where::Lent | Where::OwnOut);
        let may_hand_in = !own || began == Some(number);
        let may_begin = plain.verdict.is_none()
            && plain.live() < 4
            && began.is_none_or(|mine| !matches!(plain.attempts[mine as usize - 1].load, Where::Lent | Where::OwnOut));
        match choice {
            20..30 if may_begin => self.begin(index, random),
            30..55 => self.check_out(index, random),
            55..75 if may_hand_in => self.check_in(index, number, random),
            75..79 if may_hand_in => self.succeed(index, number),
            79..85 if may_hand_in => self.fail(index, number, choice < 82),
            85..87 => self.overdue(index, self.now.saturating_sub(random.below(60))),
            87 => self.insert(random.below(KEYS) as u32),
            88..90 => self.detach(random.below(KEYS) as u32),
            90 if random.below(5) == 0 => self.detach_all(),
            91.. => self.leave(index),
            _ => {}
        }
    }
}

/// P2, P4, P8, D85, and the table of events as a whole.
#[test]
fn any_order_of_events_ends_as_a_plain_model_says() {
    let mut totals = Counts::default();
    for seed in 1..=6 {
        let (mut random, mut world) = (Random(seed), World::default());
        for step in 0..10_000 {
            // Times with many callers, and times when the last one leaves now and then.
            world.step(&mut random, step % 1000 < 700);
            world.sky();
            world.check();
        }
        while !world.seats.is_empty() {
            world.leave(world.seats.len() / 2);
            world.check();
        }
        totals.succeeded += world.counts.succeeded;
        totals.failed += world.counts.failed;
        totals.panicked += world.counts.panicked;
        totals.dropped += world.counts.dropped;
    }
    let all = [totals.succeeded, totals.failed, totals.panicked, totals.dropped];
    assert!(all.iter().all(|count| *count > 100), "every way to end was taken: {totals:?}");
}
