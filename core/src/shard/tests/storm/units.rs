//! Loads of many keys: how they are gathered and driven, and their answers.

use super::*;

impl World {
    pub(super) fn unit_of(&self, batch: &Together) -> usize {
        self.units.borrow().iter().position(|unit| unit.batch.is(batch)).expect("a load of many keys")
    }

    pub(super) fn unit(&mut self, unit: usize) -> &mut Unit {
        &mut self.units.get_mut()[unit]
    }

    /// Begins the load of these keys, which may panic.
    pub(super) fn begin_unit(&mut self, unit: usize, places: Places) -> End {
        assert!(!places.is_empty() && self.unit(unit).places.is_empty());
        if self.unit(unit).is_over {
            // All callers have left before it began.
            self.abandon_all(places);
            return End::Waits;
        }
        let writes = self.shard.writes;
        self.meanwhile();
        if self.chance(40) {
            self.deliver(unit, 0, places, &Err(Cause::Panicked));
            return End::Unwinds;
        }
        let task = self.begin_task();
        self.meanwhile();
        let it = self.unit(unit);
        if it.is_over {
            // All callers have left while it was made.
            self.drop_task(task);
            self.abandon_all(places);
            return End::Waits;
        }
        (it.places, it.writes, it.task) = (places, writes, Some(task));
        End::Waits
    }

    /// Polls the load, unless another caller has it, or has polled it since its last wake.
    pub(super) fn drive_unit(&mut self, unit: usize, is_unwoken: bool) -> End {
        let it = self.unit(unit);
        let (batch, wakes) = (it.batch.clone(), it.batch.wakes());
        self.meanwhile();
        let it = self.unit(unit);
        let task = if !is_unwoken && it.polled_at == Some(wakes) { None } else { it.task.take() };
        let Some(task) = task else { return End::Waits };
        self.meanwhile();
        let ready = self.poll_task(task, &batch.waker());
        self.meanwhile();
        let Some(answer) = ready else {
            let it = self.unit(unit);
            if it.is_over {
                self.drop_task(task);
            } else {
                (it.task, it.polled_at) = (Some(task), Some(wakes));
            }
            self.meanwhile();
            if batch.wakes() != wakes {
                batch.everybody().wake();
            }
            return End::Waits;
        };
        let it = self.unit(unit);
        let (places, writes) = (core::mem::take(&mut it.places), it.writes);
        self.meanwhile();
        self.deliver(unit, task, places, &answer);
        self.note(Happened::Delivered);
        if let Err(Cause::Panicked) = answer {
            return End::Unwinds;
        }
        if let Some(ttl) = answer.ok().filter(|_| self.rules.stores_surplus) {
            self.meanwhile();
            self.store_surplus(task, ttl, writes);
        }
        End::Waits
    }

    /// Stores every answer, and then wakes all that wait at once.
    fn deliver(&mut self, unit: usize, task: u32, places: Places, answer: &Answer) {
        let it = self.unit(unit);
        it.is_over = true;
        let everybody = it.batch.everybody();
        let mut effects = Left::default();
        let mut last = None;
        for (key, place, twin) in places {
            // The answer of a load for a key is the same in both of its places.
            let is_missing = match last {
                Some((before, is_missing)) if before == key => is_missing,
                _ => self.chance(8),
            };
            last = Some((key, is_missing));
            let news = match answer {
                Ok(ttl) if !is_missing => Ok(self.news(task, key, *ttl)),
                Ok(_) => Err(Failure::new(Cause::Missing)),
                Err(cause) => Err(Failure::new(cause.clone())),
            };
            let at = At { now: at(self.now), rules: &self.rules };
            let delivered = self.shard.deliver(&place, (twin.as_ref(), None), &mut Some(news), at, &mut effects);
            assert!(delivered != Delivered::NeedsRoom);
            self.meanwhile();
        }
        effects.wake(everybody);
        self.end_effects(effects);
    }

    /// Stores a value that was not asked for.
    fn store_surplus(&mut self, task: u32, ttl: Ttl, writes: u64) {
        let key = self.random.below(u64::from(self.keys)) as u32;
        let coming = Some((key, Loaded::new(value_of(task, key)).ttl(ttl)));
        let mut unasked = Unasked { hash: hash(key), coming, writes };
        let mut effects = Left::default();
        let at = At { now: at(self.now), rules: &self.rules };
        self.shard.insert_surplus(&mut unasked, Judgement::default(), at, &mut effects);
        self.end_effects(effects);
        self.note(Happened::Surplus);
    }

    /// Delivers a load of one key to a newer epoch of its key as well, or to keys that were not asked for.
    pub(super) fn drive_one_as_many(&mut self, actor: &mut Actor, number: u32, effects: &mut Left) -> End {
        let newer = actor.waiting.newer.as_ref().map(|newer| (newer.0.place_only(), newer.1.clone()));
        self.note(if newer.is_some() { Happened::BegunAnew } else { Happened::AsMany });
        let (seat, is_alone) = (actor.waiting.seat.at_attempt(number), actor.waiting.is_alone);
        let batch = Together::new();
        self.units.get_mut().push(Unit::new(batch.clone(), is_alone));
        let unit = self.units.get_mut().len() - 1;
        self.unit(unit).has_begun = true;
        self.meanwhile();
        let twin = newer.as_ref().map(|newer| newer.1.clone());
        let mut places: Places = newer.map(|newer| (actor.key, newer.0, twin.clone())).into_iter().collect();
        places.push((actor.key, seat, twin));
        // Its caller hears of its wakes before it is polled.
        self.shard.register(&mut actor.waiting, &actor.waker, effects);
        for (left, (_, seat, twin)) in (0..places.len()).rev().zip(&places) {
            let waker = Some(&actor.waker).filter(|_| left == 0);
            self.shard.become_part(seat, (batch.clone(), twin.clone()), waker, effects);
        }
        // All may have ended before it came to this.
        self.end_idle(&batch);
        drop(batch);
        match self.begin_unit(unit, places) {
            End::Unwinds => End::Unwinds,
            _ => self.drive_unit(unit, true),
        }
    }

    /// No caller waits for a load of many keys: it is dropped, unless a caller comes first.
    pub(super) fn end_idle(&mut self, batch: &Together) {
        self.meanwhile();
        if !batch.close() {
            return;
        }
        self.meanwhile();
        let unit = self.unit_of(batch);
        let it = self.unit(unit);
        it.is_over = true;
        let (task, places) = (it.task.take(), core::mem::take(&mut it.places));
        self.abandon_all(places);
        if let Some(task) = task {
            self.drop_task(task);
            self.note(Happened::DroppedIdle);
        }
    }

    /// Gives up these places without an answer: a waiting caller leads.
    fn abandon_all(&mut self, places: Places) {
        let mut effects = Left::default();
        for (_, place, twin) in places {
            self.meanwhile();
            self.shard.abandon(&place, &mut effects);
            twin.iter().for_each(|twin| self.shard.count_dropped(twin));
        }
        self.end_effects(effects);
    }
}

impl Unit {
    pub(super) fn new(batch: Together, is_alone: bool) -> Self {
        Self {
            batch,
            is_alone,
            members: Vec::new(),
            has_begun: false,
            task: None,
            polled_at: None,
            is_over: false,
            places: Vec::new(),
            writes: 0,
            registration: Registration::default(),
        }
    }
}

/// The load of many keys that this member's load becomes a part of.
pub(super) fn gather(
    units: &RefCell<Vec<Unit>>,
    (led, member): &(Units, usize),
    most: usize,
    is_alone: bool,
) -> Together {
    let (mut units, mut led) = (units.borrow_mut(), led.borrow_mut());
    // A load that has not begun may be dropped by now, if its answers have come otherwise.
    let has_room = |unit: &Unit| {
        let is_its = !unit.has_begun && unit.is_alone == is_alone && unit.members.len() < most;
        is_its && unit.batch.await_key()
    };
    let at = led.iter().rev().copied().find(|unit| has_room(&units[*unit])).unwrap_or_else(|| {
        units.push(Unit::new(Together::new(), is_alone));
        led.push(units.len() - 1);
        assert!(units[units.len() - 1].batch.await_key());
        units.len() - 1
    });
    let unit = &mut units[at];
    unit.members.push(*member);
    unit.batch.clone()
}
