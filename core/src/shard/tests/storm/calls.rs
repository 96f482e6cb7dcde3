//! Calls for many keys: first all take their seats, then what they lead is driven.

use super::{callers::What, *};

impl ManyCall {
    pub(super) fn is_woken(&self, now: u64) -> bool {
        let is_woken = |member: &Actor| !member.is_over && member.is_woken(now);
        self.is_due
            || !self.due.is_empty()
            || self.count.0.load(Ordering::SeqCst) > 0
            || self.members.iter().any(is_woken)
    }

    /// Takes the members that were woken, and whether a load of many keys was.
    fn take_woken(&mut self, now: u64) -> (Vec<usize>, bool) {
        let mut due = core::mem::take(&mut self.due);
        for (index, member) in self.members.iter_mut().enumerate() {
            if member.is_woken(now) {
                member.wake_up();
                due.push(index);
            }
        }
        due.sort_unstable();
        due.dedup();
        self.is_due = false;
        (due, self.count.0.swap(0, Ordering::SeqCst) > 0)
    }
}

impl World {
    pub(super) fn come_for_many(&mut self) {
        let first = self.random.below(u64::from(self.keys)) as u32;
        let keys = 1 + self.random.below(u64::from(self.keys.min(4))) as u32;
        let by = if self.chance(4) { By::Loader } else { By::Many };
        let patience = self.random.below(40);
        let then = [OnTimeout::Load, OnTimeout::Stale, OnTimeout::Fail, OnTimeout::LoadAlone];
        let then = then[self.random.below(4) as usize];
        let call = Call {
            reload: self.chance(8),
            lock_timeout: self.chance(3).then(|| (nanos(patience), then)),
            takes: Takes::Fresh,
            ..self.rules.call()
        };
        let units = Units::default();
        let members = (0..keys).map(|index| {
            let member = Actor::new(self, (first + index) % self.keys, call, by);
            Actor { member: Some((Rc::clone(&units), index as usize)), ..member }
        });
        let members = members.collect();
        let count = Arc::<Count>::default();
        self.wakers.push(Arc::downgrade(&count));
        let waker = Waker::from(Arc::clone(&count));
        let mut call = ManyCall {
            members,
            units,
            due: Vec::new(),
            arrived: 0,
            count,
            waker,
            was_polled: false,
            asks_all: false,
            is_due: false,
            is_parked: false,
        };
        if !self.poll_call(&mut call) {
            call.is_parked = self.chance(4);
            self.keep_call(call);
        }
    }

    pub(super) fn keep_call(&mut self, call: ManyCall) {
        match self.calls.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(call),
            None => self.calls.push(Some(call)),
        }
    }

    /// Polls a call; returns whether it has ended.
    pub(super) fn poll_call(&mut self, call: &mut ManyCall) -> bool {
        self.note(Happened::Polled);
        let (mut due, mut are_units_due) = call.take_woken(self.now);
        let asks_all = core::mem::take(&mut call.asks_all);
        let mut is_unwoken = asks_all || (call.was_polled && due.is_empty() && !are_units_due);
        if is_unwoken {
            due = (0..call.members.len()).collect();
        }
        call.was_polled = true;
        self.take_seats(call, &mut due);
        if self.chance(40) {
            return self.unwind_call(call);
        }
        // A ready answer beats the deadline of a member: its load is polled before the member looks.
        is_unwoken |= due.iter().any(|index| call.members[*index].waiting.seat.began != 0);
        are_units_due |= is_unwoken;
        loop {
            if self.drive_units(call, are_units_due, is_unwoken, &mut due) == End::Unwinds {
                return self.unwind_call(call);
            }
            (are_units_due, is_unwoken) = (false, false);
            for index in core::mem::take(&mut due) {
                if self.poll_member(call, index) == End::Unwinds {
                    return self.unwind_call(call);
                }
            }
            let units = self.units.get_mut();
            if call.units.borrow().iter().all(|unit| units[*unit].has_begun) {
                break;
            }
        }
        call.members.iter().all(|member| member.is_over)
    }

    /// A poll unwinds: what was claimed and not begun is given up; then the call is dropped, or polled again.
    fn unwind_call(&mut self, call: &mut ManyCall) -> bool {
        self.give_back(call);
        // It is not known any more which loads it had to ask, so it asks all.
        call.asks_all = true;
        call.is_due = self.chance(2);
        if !call.is_due {
            self.leave_call(call);
        }
        !call.is_due
    }

    fn give_back(&mut self, call: &mut ManyCall) {
        let mut effects = Left::default();
        let units = call.units.borrow().clone();
        for unit in units {
            if self.unit(unit).has_begun {
                continue;
            }
            let members = core::mem::take(&mut self.unit(unit).members);
            for index in members {
                let waiting = &mut call.members[index].waiting;
                self.shard.abandon(&waiting.seat.place_only(), &mut effects);
                waiting.newer.take().iter().for_each(|newer| {
                    self.shard.abandon(&newer.0, &mut effects);
                    self.shard.count_dropped(&newer.1);
                });
                self.meanwhile();
                self.note(Happened::GaveBack);
            }
        }
        let units = self.units.get_mut();
        call.units.borrow_mut().retain(|unit| !units[*unit].members.is_empty());
        for member in &mut call.members {
            if core::mem::take(&mut member.is_to_be_made) {
                self.shard.unmake(&member.waiting.seat, &mut effects);
                self.meanwhile();
                self.note(Happened::GaveBack);
            }
        }
        self.end_effects(effects);
    }

    /// A call is dropped.
    pub(super) fn leave_call(&mut self, call: &mut ManyCall) {
        self.give_back(call);
        for mut member in call.members.drain(..) {
            self.rise(&mut member);
        }
    }

    fn take_seats(&mut self, call: &mut ManyCall, due: &mut Vec<usize>) {
        let mut effects = Left::default();
        while call.arrived < call.members.len() {
            let index = call.arrived;
            let member = &mut call.members[index];
            let is_new = !member.is_seated() && member.waiting.is_counted;
            assert!(is_new, "seed {}: it has come once", self.seed);
            (member.reached, member.waiting.started) = (at(self.now), at(self.now));
            member.came = self.writes[member.key as usize];
            let step = self.step(member, &mut effects, What::TakeSeat, true);
            call.arrived += 1;
            match step {
                Step::Told => {
                    member.told = effects.told.take();
                    assert!(member.told.is_some() && !member.is_seated());
                    self.end_member(member);
                }
                Step::Gathered => member.is_present = false,
                step => {
                    member.is_to_be_made = step == Step::Make;
                    if member.is_to_be_made {
                        member.shared = effects.waker.take();
                    }
                    due.push(index);
                }
            }
            self.meanwhile();
        }
        self.end_effects(effects);
    }

    fn end_member(&mut self, member: &mut Actor) {
        let told = member.told.take();
        member.is_over = true;
        if let Some(Ok(outcome)) = &told {
            self.note(Happened::Served);
            self.hear(member, outcome);
        }
    }

    /// Begins and drives the loads of many keys; their members are due once they are over.
    fn drive_units(&mut self, call: &mut ManyCall, are_due: bool, is_unwoken: bool, due: &mut Vec<usize>) -> End {
        let units = call.units.borrow().clone();
        for unit in units {
            let begins = !core::mem::replace(&mut self.unit(unit).has_begun, true);
            if begins {
                let members = &call.members;
                let mut places = Places::new();
                for index in &self.units.get_mut()[unit].members {
                    let Actor { key, waiting, .. } = &members[*index];
                    let newer = waiting.newer.as_deref();
                    let twin = newer.map(|newer| newer.1.clone());
                    places.extend(newer.map(|newer| (*key, newer.0.place_only(), twin.clone())));
                    places.push((*key, waiting.seat.place_only(), twin));
                }
                self.seen[Happened::GatheredAnew as usize] +=
                    places.iter().filter(|place| place.2.is_some()).count() as u32;
                if self.begin_unit(unit, places) == End::Unwinds {
                    return End::Unwinds;
                }
            } else if !are_due {
                continue;
            }
            let it = self.unit(unit);
            let _old = it.batch.listen(&mut it.registration, &call.waker);
            if self.drive_unit(unit, is_unwoken) == End::Unwinds {
                return End::Unwinds;
            }
            let has_deadlines = self.rules.needs_time() || call.members[0].call.lock_timeout.is_some();
            let it = self.unit(unit);
            if it.is_over {
                due.extend(it.members.drain(..).filter(|index| !call.members[*index].is_over));
            } else if begins && has_deadlines {
                due.extend(&it.members);
            }
        }
        let units = self.units.get_mut();
        call.units.borrow_mut().retain(|unit| !units[*unit].members.is_empty());
        End::Waits
    }

    fn poll_member(&mut self, call: &mut ManyCall, index: usize) -> End {
        let member = &mut call.members[index];
        if member.is_over {
            return End::Waits;
        }
        if core::mem::take(&mut member.is_to_be_made) {
            let mut effects = Left::default();
            (effects.number, effects.waker) = (member.waiting.seat.began, member.shared.take());
            return self.carry_on(member, Some(Step::Make), effects);
        }
        self.poll(member)
    }
}
