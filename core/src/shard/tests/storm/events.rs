//! What happens: callers come, leave, are polled or not, write, or time passes.

use super::{callers::What, *};

impl World {
    fn come(&mut self) {
        let key = self.random.below(u64::from(self.keys)) as u32;
        let then = [OnTimeout::Load, OnTimeout::Stale, OnTimeout::Fail, OnTimeout::LoadAlone];
        let then = then[self.random.below(4) as usize];
        let patience = self.random.below(40);
        let call = Call {
            takes: if self.chance(3) { Takes::Ticket } else { self.rules.takes },
            reload: self.chance(8),
            lock_timeout: self.chance(3).then(|| (nanos(patience), then)),
            ..self.rules.call()
        };
        let by = match self.random.below(8) {
            0 => By::Nothing,
            1 if call.takes != Takes::Ticket => By::Lent,
            2 if call.takes != Takes::Ticket && self.writes_often => By::Lent,
            2..5 => By::Closure,
            _ => By::Loader,
        };
        let mut actor = Actor::new(self, key, call, by);
        actor.wants_value = call.takes == Takes::Fresh && self.chance(2);
        let mut effects = Left::default();
        let is_plain = call.takes == Takes::Fresh && !call.reload && self.chance(2);
        let hit = is_plain.then(|| self.shard.hit(hash(key), at(self.now), |k| *k == key)).flatten();
        if let Some(value) = hit {
            let told = self.shard.peek(hash(key), at(self.now), |k| *k == key);
            assert!(told.as_ref().is_some_and(|outcome| outcome.value == value));
            told.into_iter().for_each(|outcome| self.hear(&actor, &outcome));
            return self.note(Happened::Served);
        }
        let step = self.step(&mut actor, &mut effects, What::Arrive, true);
        if actor.waiting.is_alone {
            self.note(Happened::LoadedAlone);
        }
        if matches!(step, Step::Ticket | Step::MakeTicket) {
            let ticket = self.take_ticket(&mut actor, step, &mut effects);
            self.keep(ticket);
        } else if actor.waiting.is_visitor {
            self.look_after(&mut actor, step, &mut effects);
        } else {
            // The caller of a lent load is never parked: only the lock age would end the wait for it (P3).
            actor.is_parked = by != By::Lent && self.chance(4);
            return match self.carry_on(&mut actor, Some(step), effects) {
                End::Told => {}
                end => self.go_on(actor, end),
            };
        }
        let told = effects.told.take().expect("it is served").expect("a value");
        self.hear(&actor, &told);
        self.note(Happened::Served);
        self.end_effects(effects);
    }

    /// A caller waits, or is polled again or dropped because its poll has unwound.
    fn go_on(&mut self, mut actor: Actor, end: End) {
        if end == End::Unwinds && self.chance(2) {
            return self.leave(actor);
        }
        actor.is_due |= end == End::Unwinds;
        self.keep(actor);
    }

    /// The refresh goes with a ticket, which is a waiter like any other.
    fn take_ticket(&mut self, actor: &mut Actor, step: Step, effects: &mut Left) -> Actor {
        let by = if self.rules.has_loader { By::Loader } else { By::Nothing };
        let mut ticket = Actor::new(self, actor.key, self.rules.call(), by);
        ticket.waiting = core::mem::replace(&mut actor.waiting, Waiting::new(0, at(0)));
        (ticket.has_key, ticket.reached, ticket.is_present) = (false, actor.reached, actor.is_present);
        // It may never be polled.
        (ticket.is_parked, ticket.is_due) = (self.chance(2), true);
        if step == Step::MakeTicket {
            let number = effects.number;
            let waker = effects.waker.take();
            effects.keep_waker(waker);
            self.meanwhile();
            let load = self.begin_task();
            self.meanwhile();
            self.shard.put_to_rest(&ticket.waiting.seat, number, Some(load), effects);
        }
        ticket
    }

    /// A caller that was served polls another's refresh once, and leaves.
    fn look_after(&mut self, actor: &mut Actor, step: Step, effects: &mut Left) {
        self.note(Happened::LookedAfter);
        match (step, effects.batch.take()) {
            (Step::Batch, Some(batch)) => {
                let unit = self.unit_of(&batch);
                self.drive_unit(unit, false);
            }
            _ => _ = self.drive(actor, step, effects),
        }
        self.meanwhile();
        self.shard.rise(&mut actor.waiting, effects);
    }

    fn write(&mut self) {
        let key = self.random.below(u64::from(self.keys)) as u32;
        let mut effects = Left::default();
        let now = at(self.now);
        let writes = &mut self.writes[key as usize];
        writes.voided += 1;
        match self.random.below(10) {
            0..4 => {
                writes.written += 1;
                self.inserted.push(*writes);
                let value = INSERTED + self.inserted.len() as u32 - 1;
                let at = At { now, rules: &self.rules };
                let mut coming = Some((key, Loaded::new(value)));
                self.shard.insert(hash(key), &mut coming, Judgement::default(), at, &mut effects);
            }
            4..8 => {
                writes.written += 1;
                self.shard.remove(hash(key), now, |k| *k == key, &mut effects);
            }
            8 => {
                self.shard.expire(hash(key), now, |k| *k == key, &mut effects);
            }
            _ => {
                self.writes.iter_mut().for_each(|writes| writes.written += 1);
                self.writes.iter_mut().for_each(|writes| writes.voided += 1);
                drop(self.shard.clear(now, &mut effects));
            }
        }
        self.end_effects(effects);
    }

    pub(super) fn event(&mut self) {
        let (actor, call) = (self.any(self.actors.len()), self.any(self.calls.len()));
        let is_full = self.actors.iter().flatten().count() + self.calls.iter().flatten().count() >= 12;
        match self.random.below(100) {
            0..18 if !is_full => self.come(),
            18..25 if !is_full => self.come_for_many(),
            25..45 if !self.tasks.is_empty() => {
                let recent = self.random.below(20).min(self.tasks.len() as u64 - 1) as usize;
                self.make_ready(self.tasks.len() - 1 - recent);
            }
            45..50 => self.write(),
            50..58 => {
                if let Some(actor) = self.actors.get_mut(actor).and_then(Option::take) {
                    self.note(Happened::Left);
                    self.leave(actor);
                }
            }
            58..60 => {
                if let Some(mut call) = self.calls.get_mut(call).and_then(Option::take) {
                    self.note(Happened::Left);
                    self.leave_call(&mut call);
                }
            }
            60..63 => {
                if let Some(Some(actor)) = self.actors.get_mut(actor) {
                    actor.is_parked |= actor.by != By::Lent;
                    self.note(Happened::Parked);
                }
            }
            63 => {
                if let Some(Some(call)) = self.calls.get_mut(call) {
                    call.is_parked = true;
                    self.note(Happened::Parked);
                }
            }
            64..68 => self.poll_actor(actor),
            68..70 => self.poll_some_call(call),
            70..73 if self.writes_often => self.write(),
            70..80 => self.now += self.random.below(12),
            _ if self.depth == 0 => {
                self.run();
                self.check_progress();
            }
            _ => _ = self.poll_one(),
        }
    }

    fn any(&mut self, count: usize) -> usize {
        self.random.below(count.max(1) as u64) as usize
    }

    /// Polls a caller that is not parked, woken or not.
    fn poll_actor(&mut self, index: usize) {
        let place = self.actors.get_mut(index);
        let Some(mut actor) = place.and_then(|actor| actor.take_if(|actor| !actor.is_parked)) else { return };
        match self.poll(&mut actor) {
            End::Told => {}
            end => self.go_on(actor, end),
        }
    }

    fn poll_some_call(&mut self, index: usize) {
        let place = self.calls.get_mut(index);
        let Some(mut call) = place.and_then(|call| call.take_if(|call| !call.is_parked)) else { return };
        if !self.poll_call(&mut call) {
            self.keep_call(call);
        }
    }

    /// Polls all callers that were woken, as long as there are any.
    pub(super) fn run(&mut self) {
        for rounds in 0.. {
            assert!(rounds < 10_000, "seed {}: they wake each other for ever", self.seed);
            if !self.poll_one() {
                return;
            }
        }
    }

    /// Polls one of the callers that were woken; false if there is none.
    fn poll_one(&mut self) -> bool {
        let now = self.now;
        let is_due = |place: &Option<Actor>| place.as_ref().is_some_and(|it| !it.is_parked && it.is_woken(now));
        let actors: Vec<usize> = (0..self.actors.len()).filter(|index| is_due(&self.actors[*index])).collect();
        let is_due = |place: &Option<ManyCall>| place.as_ref().is_some_and(|it| !it.is_parked && it.is_woken(now));
        let calls: Vec<usize> = (0..self.calls.len()).filter(|index| is_due(&self.calls[*index])).collect();
        if actors.is_empty() && calls.is_empty() {
            return false;
        }
        let chosen = self.any(actors.len() + calls.len());
        match actors.get(chosen) {
            Some(actor) => self.poll_actor(*actor),
            None => self.poll_some_call(calls[chosen - actors.len()]),
        }
        true
    }
}
