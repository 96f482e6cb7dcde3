//! What must hold after each event, and at the end.

use super::*;

impl World {
    fn seated(&self) -> impl Iterator<Item = &Actor> {
        let members = self.calls.iter().flatten().flat_map(|call| &call.members);
        self.actors.iter().flatten().chain(members).filter(|actor| actor.is_seated())
    }

    /// The places and attempts where an actor waits, and where it has lent its load as well.
    fn places_of(&self, actor: &Actor) -> Vec<(u32, u32)> {
        let Waiting { seat, newer, .. } = &actor.waiting;
        let newer = newer.as_ref().filter(|_| actor.lent.is_some()).map(|newer| &newer.0);
        let place_of = |seat: &Seat<Bell>| self.shard.flights.find_place(seat).map(|place| (place, seat.began));
        [Some(seat), newer].into_iter().flatten().filter_map(place_of).collect()
    }

    /// The places of flights that are in use.
    fn places(&self) -> Vec<u32> {
        let units = self.units.borrow();
        let parts = units.iter().flat_map(|unit| &unit.places);
        let parts = parts.filter_map(|(_, seat, _)| self.shard.flights.find_place(seat));
        let seats = self.seated().flat_map(|actor| self.places_of(actor)).map(|(place, _)| place);
        let mut places: Vec<u32> = seats.chain(parts).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Checks that nothing is left behind.
    pub(super) fn check(&mut self) {
        let (seed, seats) = (self.seed, self.seated().count() as u64);
        assert_eq!(self.shard.flights.callers(), seats, "seed {seed}: seats");
        assert!(self.shard.failures.len() <= self.keys as usize, "seed {seed}: a key is known twice");
        for entry in self.shard.values.entries() {
            assert!(!self.is_private(entry.value), "seed {seed}: what is private is stored (D104)");
        }
        let places = self.places();
        assert_eq!(self.shard.flights.len(), places.len(), "seed {seed}: flights that nothing uses");
        let (mut running, mut sum) = (0, 0);
        for place in places {
            let slot = self.shard.flights.at(place);
            running += u64::from(slot.flight.running());
            sum += u64::from(slot.flight.seats());
            let has_parts = !slot.parts.is_empty();
            assert!(slot.flight.seats() > 0 || slot.flight.is_kept(), "seed {seed}: an empty flight stays");
            assert!(!slot.flight.is_over() || !has_parts, "seed {seed}: a part of a flight that is over");
            let units = self.units.borrow();
            for number in slot.parts.iter().map(|part| part.number).collect::<Vec<_>>() {
                assert!(
                    slot.flight.attempt(number).is_some_and(|it| it.is_live()),
                    "seed {seed}: a part without attempt"
                );
            }
            for part in slot.parts.iter() {
                let unit = units.iter().find(|unit| unit.batch.is(&part.batch)).expect("a load of many keys");
                assert!(!unit.is_over, "seed {seed}: a part outlives its load");
            }
        }
        assert_eq!(sum, seats, "seed {seed}: seats of all flights");
        // A load that is delivered to two flights counts in neither of them, but once, when the first ends.
        for unit in self.units.borrow().iter().filter(|unit| !unit.is_over) {
            let twins = unit.places.iter().filter_map(|(_, _, twin)| twin.as_ref());
            running += twins.filter(|twin| !twin.is_counted()).count() as u64 / 2;
        }
        let counts = self.shard.flights.counts;
        assert_eq!(counts.in_flight(), running, "seed {seed}: {counts:?}");
    }

    /// Checks that no ready load waits to be asked, once all that were woken have been polled (P3).
    pub(super) fn check_progress(&mut self) {
        let seed = self.seed;
        let calls = self.calls.iter().flatten().filter(|call| !call.is_parked).flat_map(|call| &call.members);
        let awake = self.actors.iter().flatten().filter(|actor| !actor.is_parked).chain(calls);
        let awake: Vec<_> = awake.filter(|actor| actor.is_seated()).collect();
        for actor in &awake {
            let place = self.shard.flights.place(&actor.waiting.seat);
            let lenders = self.seated().filter(|it| it.lent.is_some());
            let lent = lenders.flat_map(|it| self.places_of(it)).filter(|(at, _)| *at == place);
            let lent: Vec<u32> = lent.map(|(_, number)| number).collect();
            let slot = self.shard.flights.at(place);
            let who = (actor.key, actor.waiting.seat.began, actor.by);
            assert!(!slot.flight.is_over(), "seed {seed}: {who:?} is not told (P3)");
            assert!(!slot.flight.has_ended(actor.waiting.seat.began), "seed {seed}: {who:?} is not told (D9)");
            let live = slot.flight.live() as usize;
            assert!(live > 0, "seed {seed}: {who:?} does not lead (P3)");
            let is_served = !slot.flight.is_private() || slot.flight.awaits(actor.waiting.seat.began);
            let is_held_back = live >= self.rules.attempts as usize;
            assert!(is_served || is_held_back, "seed {seed}: {who:?} does not load for itself (D104)");
            let tasks: Vec<u32> = slot.loads.iter().map(|load| load.1).collect();
            let units = self.units.borrow();
            let of = |part: &Part<Plain>| units.iter().find(|unit| unit.batch.is(&part.batch)).expect("a load");
            let parts: Vec<u32> = slot.parts.iter().map(|part| of(part).task.expect("it rests")).collect();
            let lent = lent.into_iter().filter(|own| slot.flight.attempt(*own).is_some_and(|it| it.is_live()));
            let lent = lent.count();
            for task in tasks.iter().chain(&parts) {
                assert!(self.tasks[*task as usize].ready.is_none(), "seed {seed}: {who:?} missed a wake (P3)");
            }
            let is_unmade = live > tasks.len() + parts.len() + lent;
            assert!(!is_unmade || !self.rules.has_loader, "seed {seed}: {who:?} has not made a load");
        }
    }

    /// Ends all loads; each caller that is polled must end, and nothing may stay behind.
    pub(super) fn finish(&mut self) {
        let seed = self.seed;
        loop {
            self.run();
            self.check();
            self.check_progress();
            let waiting = self.tasks.iter().position(|task| !task.is_gone && task.ready.is_none());
            match waiting {
                Some(task) => self.make_ready(task),
                None => break,
            }
        }
        // No more callers come.
        self.depth = u32::MAX;
        for actor in core::mem::take(&mut self.actors).into_iter().flatten() {
            assert!(actor.is_parked, "seed {seed}: {} hangs (P3), until {:?}", actor.key, actor.until);
            self.note(Happened::Stayed);
            self.leave(actor);
        }
        for mut call in core::mem::take(&mut self.calls).into_iter().flatten() {
            assert!(call.is_parked, "seed {seed}: a call hangs (P3)");
            self.note(Happened::Stayed);
            self.leave_call(&mut call);
        }
        assert!(self.actors.iter().flatten().count() == 0 || self.hands_over);
        while let Some(actor) = self.actors.pop() {
            actor.into_iter().for_each(|actor| self.leave(actor));
        }
        let is_nobodys =
            |of: &u32| self.tasks[*of as usize].is_private && !self.told.iter().any(|it| it / MOST_KEYS == *of);
        let nobodys = (0..self.tasks.len() as u32).filter(is_nobodys).count();
        (0..nobodys).for_each(|_| self.note(Happened::Nobodys));
        self.check();
        let counts = self.shard.flights.counts;
        assert_eq!((self.shard.flights.len(), counts.in_flight()), (0, 0), "seed {seed}: P2, {counts:?}");
        assert!(self.tasks.iter().all(|task| task.is_gone), "seed {seed}: every load has ended or was dropped (P2)");
        // What was given up before it began has no caller.
        let is_left = |unit: &Unit| !unit.has_begun || unit.batch.awaited().is_none_or(|awaited| awaited == 0);
        let units = self.units.get_mut();
        assert!(units.iter().all(is_left), "seed {seed}: every key was given up as often as it was waited for");
        units.iter_mut().for_each(|unit| drop(unit.batch.withdraw(&mut unit.registration)));
        let is_known = |count: &Weak<Count>| count.strong_count() > 0;
        assert!(!self.wakers.iter().any(is_known), "seed {seed}: a caller that has left is still known (P2)");
    }

    /// Checks that a caller that came after a write sees nothing from before it.
    pub(super) fn hear(&mut self, actor: &Actor, outcome: &Outcome<u32, &'static str>) {
        let (seed, Actor { key, came, .. }, value) = (self.seed, actor, outcome.value);
        self.hear_private(value, outcome.led);
        let begun = self.begun(*key, value);
        assert!(begun.written >= came.written, "seed {seed}: a value from before a write (P8)");
        if !matches!(outcome.status, Status::Stale(_)) {
            assert!(begun.voided >= came.voided, "seed {seed}: a value from before it was made to expire (D96)");
        }
    }

    /// The same, if only the value of its own load is told.
    pub(super) fn hear_value(&mut self, actor: &Actor, value: u32) {
        self.hear_private(value, true);
        let (seed, begun) = (self.seed, self.begun(actor.key, value));
        assert!(begun.voided >= actor.came.voided, "seed {seed}: a value from before it came (P8, D96)");
    }

    /// Checks that a private answer is told once, to the caller that began its load.
    fn hear_private(&mut self, value: u32, has_led: bool) {
        if self.is_private(value) {
            assert!(has_led, "seed {}: {value} is another's (D104)", self.seed);
            assert!(self.told.insert(value), "seed {}: {value} is told twice (D104)", self.seed);
            self.note(Happened::ToldPrivately);
        }
    }

    fn is_private(&self, value: u32) -> bool {
        value < INSERTED && self.tasks[(value / MOST_KEYS) as usize].is_private
    }

    /// What had been written before the load of a value began.
    fn begun(&self, key: u32, value: u32) -> Writes {
        if value >= INSERTED {
            return self.inserted[(value - INSERTED) as usize];
        }
        assert_eq!(value % MOST_KEYS, key, "seed {}: P9", self.seed);
        self.tasks[(value / MOST_KEYS) as usize].begun[key as usize]
    }
}
