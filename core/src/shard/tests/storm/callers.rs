//! One caller's wait: what the shell does between two looks.

use super::{units::gather, *};

/// What a caller does at the shard.
pub(super) enum What {
    Arrive,
    /// As a member of a call, which polls nothing yet.
    TakeSeat,
    Visit,
    CheckIn(Option<u32>),
    Finish(Result<News<u32>, Failure<&'static str>>),
}

impl Actor {
    pub(super) fn new(world: &mut World, key: u32, call: Call, by: By) -> Self {
        let count = Arc::<Count>::default();
        world.wakers.push(Arc::downgrade(&count));
        let waker = Waker::from(Arc::clone(&count));
        let mut waiting = Waiting::new(hash(key), at(world.now));
        waiting.may_hand_over = world.hands_over;
        Self {
            key,
            has_key: true,
            call,
            by,
            wants_value: false,
            is_used: false,
            waiting,
            count,
            waker,
            came: world.writes[key as usize],
            reached: at(world.now),
            is_present: true,
            until: Instant::NEVER,
            lent: None,
            member: None,
            is_to_be_made: false,
            shared: None,
            is_parked: false,
            is_due: false,
            is_over: false,
            told: None,
        }
    }

    fn start(&self, rules: &Rules) -> Option<Start> {
        match self.by {
            By::Loader => rules.has_loader.then_some(Start::Made),
            By::Closure => (!self.is_used).then_some(Start::Made),
            By::Lent => (!self.is_used).then_some(Start::Lent),
            By::Many => Some(Start::Batch),
            By::Nothing => None,
        }
    }

    pub(super) fn is_seated(&self) -> bool {
        self.waiting.seat.is_taken()
    }

    pub(super) fn is_woken(&self, now: u64) -> bool {
        self.is_due || self.count.0.load(Ordering::SeqCst) > 0 || self.until.reached(at(now))
    }

    /// Makes it due to be polled.
    pub(super) fn wake_up(&mut self) {
        self.count.0.store(0, Ordering::SeqCst);
        self.is_due = false;
    }
}

impl World {
    /// One step under the lock.
    pub(super) fn step(&mut self, actor: &mut Actor, effects: &mut Left, what: What, is_first: bool) -> Step {
        let Self { shard, rules, units, now, .. } = self;
        let start = actor.start(rules);
        let Actor { key, has_key, call, by, waiting, waker, reached, is_present, member, wants_value, .. } = actor;
        let gather = |is_alone| gather(units, member.as_ref().expect("a member"), rules.max_batch, is_alone);
        let visit = Visit {
            key: if *has_key { Some(key) } else { None },
            waker,
            rules,
            call,
            start,
            is_by_loader: *by == By::Loader,
            batch: (*by == By::Many).then_some(&gather as &dyn Fn(bool) -> Together),
            inside: waker,
            reached: *reached,
            is_present: *is_present,
            wants_value: *wants_value,
            arrives_only: matches!(what, What::TakeSeat),
            is_first,
        };
        let now = at(*now);
        match what {
            What::Arrive | What::TakeSeat => shard.arrive(waiting, &visit, effects),
            What::Visit => shard.visit(waiting, &visit, effects),
            What::CheckIn(load) => {
                shard.check_in(waiting, load, effects).unwrap_or_else(|| shard.visit(waiting, &visit, effects))
            }
            What::Finish(news) => shard.finish(waiting, &mut Some(news), now, &visit, effects),
        }
    }

    /// Goes on with a caller's wait until it ends or has to wait.
    pub(super) fn carry_on(&mut self, actor: &mut Actor, first: Option<Step>, mut effects: Left) -> End {
        actor.told = None;
        let (mut next, mut is_first) = (first, true);
        for steps in 0.. {
            assert!(steps < 100, "seed {}: it does not come to an end", self.seed);
            let step = match next.take() {
                Some(step) => step,
                None => self.step(actor, &mut effects, What::Visit, is_first),
            };
            match step {
                Step::Told | Step::Ticket | Step::MakeTicket => {
                    actor.told = effects.told.take();
                    if let Some(value) = effects.value.take() {
                        assert!(actor.told.is_none() && actor.wants_value, "seed {}: told twice", self.seed);
                        self.note(Happened::ValueOnly);
                        self.hear_value(actor, value);
                    }
                    self.hand_over(actor, &mut effects);
                    self.end_effects(effects);
                    self.end(actor);
                    return End::Told;
                }
                Step::Wait => {
                    let until = effects.until;
                    self.run_effects(&mut effects);
                    if !until.reached(at(self.now)) {
                        (actor.is_present, actor.until) = (false, until);
                        self.end_effects(effects);
                        return End::Waits;
                    }
                    (actor.reached, actor.is_present) = (at(self.now).max(until), true);
                }
                Step::Gathered => {
                    actor.is_present = false;
                    self.end_effects(effects);
                    return End::Waits;
                }
                Step::Again => self.run_effects(&mut effects),
                Step::ReadClock => {
                    self.run_effects(&mut effects);
                    (actor.reached, actor.is_present) = (at(self.now), true);
                }
                Step::Batch => {
                    let (batch, is_unwoken) = (effects.batch.take(), effects.is_unwoken);
                    is_first = false;
                    self.run_effects(&mut effects);
                    let unit = self.unit_of(&batch.expect("a load of many keys"));
                    if self.drive_unit(unit, is_unwoken) == End::Unwinds {
                        self.end_effects(effects);
                        return End::Unwinds;
                    }
                }
                Step::Make | Step::MakeAnew | Step::MakeShared | Step::Poll | Step::Lent => {
                    is_first = false;
                    match self.drive(actor, step, &mut effects) {
                        Some(step) => next = Some(step),
                        None => {
                            self.end_effects(effects);
                            return End::Unwinds;
                        }
                    }
                }
            }
        }
        End::Waits
    }

    /// Makes or polls the load that was handed out, without a lock; if that panics, there is no next step.
    pub(super) fn drive(&mut self, actor: &mut Actor, step: Step, effects: &mut Left) -> Option<Step> {
        let number = effects.number;
        let (mut load, waker) = (effects.load.take(), effects.waker.take());
        self.run_effects(effects);
        effects.number = number;
        if matches!(step, Step::Make | Step::MakeAnew | Step::MakeShared) {
            if !actor.has_key && self.shard.flights.slot(&actor.waiting.seat).key.is_none() {
                return Some(Step::Again);
            }
            assert!(step == Step::MakeShared || !actor.is_used, "seed {}: made twice", self.seed);
            actor.is_used |= step != Step::MakeShared && actor.by == By::Closure;
            if self.chance(60) {
                return self.unwind(actor, number);
            }
            let is_many = self.rules.stores_surplus && (step == Step::MakeShared || actor.by == By::Loader);
            if is_many || step == Step::MakeAnew {
                if self.drive_one_as_many(actor, number, effects) == End::Unwinds {
                    return self.unwind(actor, number);
                }
                actor.waiting.newer = None;
                return Some(Step::Again);
            }
            load = Some(self.begin_task());
        }
        if step == Step::Lent && !core::mem::replace(&mut actor.is_used, true) {
            actor.lent = Some(self.begin_task());
            if actor.waiting.newer.is_some() {
                self.note(Happened::LentAnew);
            }
        }
        self.meanwhile();
        let task = if step == Step::Lent { actor.lent } else { load };
        let ready = self.poll_task(task.expect("a load"), waker.as_ref().unwrap_or(&actor.waker));
        self.meanwhile();
        let Some(answer) = ready else {
            return Some(self.step(actor, effects, What::CheckIn(load), false));
        };
        if step == Step::Lent {
            actor.lent = None;
        }
        if matches!(answer, Err(Cause::Panicked)) && self.chance(2) {
            return self.unwind(actor, number);
        }
        (actor.reached, actor.is_present) = (actor.reached.max(at(self.now)), true);
        let what = match answer {
            Ok(ttl) => What::Finish(Ok(self.news(task.expect("a load"), actor.key, ttl))),
            Err(cause) => What::Finish(Err(Failure::new(cause))),
        };
        Some(self.step(actor, effects, what, false))
    }

    /// Tells the waiting callers of a panic in what is made or polled.
    fn unwind(&mut self, actor: &mut Actor, number: u32) -> Option<Step> {
        self.note(Happened::Unwound);
        let mut effects = Left::default();
        let at = At { now: at(self.now), rules: &self.rules };
        self.shard.panicked(&mut actor.waiting, number, at, &mut effects);
        self.end_effects(effects);
        None
    }

    /// A spawner finishes the load that the last caller left behind.
    fn hand_over(&mut self, actor: &Actor, effects: &mut Left) {
        let Some((of, seat)) = effects.take_handed() else { return };
        assert_eq!(of, actor.waiting.hash);
        self.note(Happened::HandedOver);
        let mut spawned = Actor::new(self, actor.key, self.rules.call(), By::Nothing);
        spawned.waiting.may_hand_over = false;
        spawned.waiting.started = actor.waiting.started;
        spawned.waiting.make_quiet();
        spawned.waiting.seat = seat;
        (spawned.has_key, spawned.is_due, spawned.is_present) = (false, true, false);
        (spawned.came, spawned.reached) = (Writes::default(), actor.reached);
        if self.chance(4) {
            self.leave(spawned);
        } else {
            self.keep(spawned);
        }
    }

    /// A caller has its result.
    fn end(&mut self, actor: &mut Actor) {
        assert!(!actor.is_seated(), "seed {}: a caller that is told has left", self.seed);
        actor.is_over = true;
        if let Some(task) = actor.lent.take() {
            self.drop_task(task);
        }
        let Some(told) = actor.told.take() else { return };
        self.note(if told.is_ok() { Happened::Told } else { Happened::Failed });
        if let Ok(outcome) = told {
            self.hear(actor, &outcome);
        }
    }

    /// A caller is dropped.
    pub(super) fn leave(&mut self, mut actor: Actor) {
        self.rise(&mut actor);
        if let Some(task) = actor.lent.take() {
            self.drop_task(task);
        }
    }

    pub(super) fn rise(&mut self, actor: &mut Actor) {
        if !actor.is_seated() {
            return;
        }
        let mut effects = Left::default();
        self.shard.counts.abandoned += u64::from(core::mem::take(&mut actor.waiting.is_counted));
        self.shard.rise(&mut actor.waiting, &mut effects);
        self.hand_over(actor, &mut effects);
        self.end_effects(effects);
    }

    /// Keeps a caller without a result, to be woken.
    pub(super) fn keep(&mut self, actor: Actor) {
        match self.actors.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(actor),
            None => self.actors.push(Some(actor)),
        }
    }

    /// A waiting caller is polled again.
    pub(super) fn poll(&mut self, actor: &mut Actor) -> End {
        actor.wake_up();
        if !actor.is_seated() {
            return End::Waits;
        }
        self.note(Happened::Polled);
        let collected = if actor.has_key { self.shard.collect(&mut actor.waiting) } else { None };
        if let Some(outcome) = collected {
            actor.told = Some(Ok(outcome));
            self.end(actor);
            return End::Told;
        }
        self.carry_on(actor, None, Left::default())
    }
}
