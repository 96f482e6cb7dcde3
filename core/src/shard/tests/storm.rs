//! Random callers, loads of one key and of many, and writes. Only who was woken, or whose deadline has come, is polled; some are polled no more.

use alloc::collections::BTreeMap;

use super::*;
use crate::{flight::Registration, store::policy::tests::shelf::Random};

/// A load of somebody's.
struct Task {
    /// How many writes there had been to each key when it began.
    epochs: [u32; KEYS as usize],
    ready: Option<Result<Ttl, Cause<&'static str>>>,
    waker: Option<Waker>,
    is_gone: bool,
}

struct Actor {
    caller: Caller,
    epoch: u32,
    /// It is never polled again.
    is_parked: bool,
    until: Instant,
    /// The load that it has lent, by the number of its attempt.
    lent: Option<(u32, u32)>,
    /// The loads of many keys that it leads, alone or with others.
    units: Vec<usize>,
}

/// A load of many keys.
struct Unit {
    batch: Together,
    task: Option<u32>,
    has_begun: bool,
    is_over: bool,
    polled_at: Option<usize>,
    places: Vec<(u32, Seat<Bell>)>,
    /// How its call hears of it.
    registration: Registration<Bell>,
    count: Arc<Count>,
}

struct World {
    rig: Rig,
    random: Random,
    actors: Vec<Option<Actor>>,
    tasks: Vec<Task>,
    units: Vec<Unit>,
    writes: BTreeMap<u32, u32>,
    /// The epochs of values that were inserted, from `INSERTED` on.
    inserted: Vec<u32>,
    depth: u32,
    ends: [u32; 8],
}

const KEYS: u64 = 3;
const INSERTED: u32 = 1 << 20;

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut some = |of: u64, nanoseconds| (random.below(of) == 0).then_some(nanos(nanoseconds));
        let rules = Rules {
            lock_age: some(2, 20),
            budget: some(3, 70),
            stale_while_refresh: some(2, 30),
            stale_if_error: some(3, 40),
            over_age_alone: some(5, 0).is_some(),
            ttl: Ttl::For(nanos(25)),
            backoff: if some(4, 0).is_some() { BACKOFF } else { rules().backoff },
            attempts: 1 + random.below(3) as u32,
            ..rules()
        };
        let (writes, inserted) = (BTreeMap::new(), Vec::new());
        let (actors, tasks, units) = (Vec::new(), Vec::new(), Vec::new());
        Self { rig: Rig::new(rules), random, actors, tasks, units, writes, inserted, depth: 0, ends: [0; 8] }
    }

    fn chance(&mut self, of: u64) -> bool {
        self.random.below(of) == 0
    }

    fn epoch(&self, key: u32) -> u32 {
        self.writes.get(&key).copied().unwrap_or(0)
    }

    fn begin_task(&mut self) -> u32 {
        let epochs = core::array::from_fn(|key| self.epoch(key as u32));
        self.tasks.push(Task { epochs, ready: None, waker: None, is_gone: false });
        self.tasks.len() as u32 - 1
    }

    fn drop_task(&mut self, task: u32) {
        let task = &mut self.tasks[task as usize];
        assert!(!core::mem::replace(&mut task.is_gone, true), "dropped twice");
        task.waker = None;
    }

    /// The lock is released.
    fn unlock(&mut self) {
        let idle = self.rig.effects.take_idle_batches();
        for task in self.rig.unlock() {
            self.drop_task(task);
        }
        for batch in idle {
            self.end_idle(&batch);
        }
    }

    /// Nobody waits for a load of many keys: it is dropped, unless somebody comes first.
    fn end_idle(&mut self, batch: &Together) {
        if !batch.close() {
            return;
        }
        let unit = self.unit_of(batch);
        let unit = &mut self.units[unit];
        unit.is_over = true;
        let (task, places) = (unit.task.take(), core::mem::take(&mut unit.places));
        if let Some(task) = task {
            self.drop_task(task);
            self.ends[6] += 1;
        }
        for (_, place) in places {
            self.rig.abandon(&place);
            self.unlock();
        }
    }

    fn unit_of(&self, batch: &Together) -> usize {
        self.units.iter().position(|unit| unit.batch.is(batch)).expect("a load of many keys")
    }

    fn new_unit(&mut self) -> Together {
        let batch = Together::new();
        self.units.push(Unit {
            batch: batch.clone(),
            task: None,
            has_begun: false,
            is_over: false,
            polled_at: None,
            places: Vec::new(),
            registration: Registration::default(),
            count: Arc::default(),
        });
        batch
    }

    /// Notes the place of a key that a caller has just begun a load of many keys for.
    fn note(&mut self, actor: &mut Actor) {
        let Some(batch) = &actor.caller.batch else { return };
        if !actor.caller.is_seated() {
            return;
        }
        let (key, own, unit) = (actor.caller.key, actor.caller.own(), self.unit_of(batch));
        let slot = self.rig.shard.flights.slot(&actor.caller.waiting.seat);
        let is_part = slot.parts.iter().any(|part| part.number == own && part.batch.is(batch));
        if is_part && !actor.units.contains(&unit) {
            actor.units.push(unit);
            self.units[unit].places.push((key, actor.caller.waiting.seat.place_only()));
        }
    }

    /// Begins what a caller leads, once all who are to lead it with it have come.
    fn begin_units(&mut self, actor: &mut Actor) {
        for unit in actor.units.clone() {
            self.begin_unit(unit);
        }
        if actor.caller.batch.as_ref().is_some_and(|batch| self.units[self.unit_of(batch)].has_begun) {
            actor.caller.batch = Some(self.new_unit());
        }
    }

    fn begin_unit(&mut self, unit: usize) {
        if core::mem::replace(&mut self.units[unit].has_begun, true) {
            return;
        }
        if !self.units[unit].places.is_empty() {
            self.units[unit].task = Some(self.begin_task());
            self.drive_call(unit);
        }
    }

    /// The call that leads a load of many keys drives it.
    fn drive_call(&mut self, unit: usize) {
        let Unit { batch, registration, count, .. } = &mut self.units[unit];
        count.0.store(0, Ordering::SeqCst);
        let _old = batch.listen(registration, &Waker::from(Arc::clone(count)));
        self.drive_unit(unit);
    }

    fn drive_unit(&mut self, unit: usize) {
        let it = &mut self.units[unit];
        let (batch, wakes) = (it.batch.clone(), it.batch.wakes());
        let Some(task) = (if it.polled_at == Some(wakes) { None } else { it.task.take() }) else { return };
        self.meanwhile();
        let ready = self.poll_task(task, &batch.waker());
        let it = &mut self.units[unit];
        let Some(answer) = ready else {
            if it.is_over {
                self.drop_task(task);
            } else {
                (it.task, it.polled_at) = (Some(task), Some(wakes));
            }
            if batch.wakes() != wakes {
                batch.notify_all();
            }
            return;
        };
        self.tasks[task as usize].is_gone = true;
        it.is_over = true;
        self.ends[7] += 1;
        for (key, place) in core::mem::take(&mut it.places) {
            match answer {
                Ok(ttl) if !self.chance(8) => self.rig.deliver(&place, Ok(Loaded::new(task * 10 + key).ttl(ttl))),
                _ => self.rig.deliver(&place, Err::<u32, _>("down")),
            }
            self.unlock();
        }
        batch.notify_all();
    }

    /// Others are busy on their own threads.
    fn meanwhile(&mut self) {
        while self.depth < 2 && self.chance(4) {
            self.depth += 1;
            self.event();
            self.depth -= 1;
        }
    }

    /// A call for many keys, whose load is one.
    fn come_for_many(&mut self) {
        let (batch, first) = (self.new_unit(), self.random.below(KEYS) as u32);
        let (is_parked, patience) = (self.chance(3), self.random.below(40));
        let call = Call {
            reload: self.chance(8),
            lock_timeout: self.chance(3).then(|| (nanos(patience), OnTimeout::Load)),
            ..self.rig.rules.call()
        };
        let mut actors = Vec::new();
        for key in 0..2 {
            let mut caller = Caller::new((first + key) % KEYS as u32, call, Some(Start::Batch), self.rig.now);
            (caller.is_by_loader, caller.batch) = (false, Some(batch.clone()));
            let mut actor = self.arrive(caller);
            self.drive(&mut actor);
            actor.is_parked = is_parked;
            actors.push(actor);
        }
        self.begin_unit(self.unit_of(&batch));
        for mut actor in actors {
            self.begin_units(&mut actor);
            self.keep(actor);
        }
    }

    /// The first look of a caller.
    fn arrive(&mut self, mut caller: Caller) -> Actor {
        let epoch = self.epoch(caller.key);
        self.rig.effects = Effects::default();
        let arrive = |shard: &mut Store, waiting: &mut _, visit: &Visit<'_, u32, Together>, effects: &mut _| {
            shard.arrive(waiting, visit, effects)
        };
        self.rig.step(&mut caller, true, arrive);
        let (until, lent, units) = (Instant::NEVER, None, Vec::new());
        let mut actor = Actor { caller, epoch, is_parked: false, until, lent, units };
        self.note(&mut actor);
        actor
    }

    fn come(&mut self) {
        let key = self.random.below(KEYS) as u32;
        let then = [OnTimeout::Load, OnTimeout::Stale, OnTimeout::Fail, OnTimeout::LoadAlone];
        let then = then[self.random.below(4) as usize];
        let patience = self.random.below(40);
        let call = Call {
            takes: if self.chance(3) { Takes::Ticket } else { Takes::Fresh },
            reload: self.chance(8),
            lock_timeout: self.chance(3).then(|| (nanos(patience), then)),
            ..self.rig.rules.call()
        };
        let start = match self.random.below(8) {
            0 => None,
            1 if call.takes == Takes::Fresh => Some(Start::Lent),
            _ => Some(Start::Made),
        };
        let mut caller = Caller::new(key, call, start, self.rig.now);
        caller.is_by_loader = self.chance(2);
        let mut actor = self.arrive(caller);
        let step = actor.caller.step;
        if actor.caller.told.is_some() && step != Step::Told {
            self.hear(&mut actor);
            match step {
                Step::Ticket => {
                    // It may never be polled.
                    actor.is_parked = self.chance(2);
                    actor.until = Instant::ZERO;
                    self.unlock();
                }
                Step::MakeTicket => {
                    actor.caller.step = Step::Make;
                    actor.caller.after = self.rig.effects.number;
                    self.drive(&mut actor);
                }
                _ => {
                    actor.caller.start = None;
                    self.drive(&mut actor);
                    actor.caller.told = None;
                    if actor.caller.is_seated() {
                        self.rise(&mut actor);
                    }
                    return;
                }
            }
        } else {
            self.drive(&mut actor);
        }
        self.keep(actor);
    }

    /// A caller that is not at its end is there to be woken.
    fn keep(&mut self, mut actor: Actor) {
        if actor.caller.told.is_some() {
            self.hear(&mut actor);
        }
        if !actor.caller.is_seated() {
            if let Some((_, task)) = actor.lent {
                self.drop_task(task);
            }
            return;
        }
        match self.actors.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(actor),
            None => self.actors.push(Some(actor)),
        }
    }

    fn hear(&mut self, actor: &mut Actor) {
        let told = actor.caller.told.take().expect("it is told");
        self.ends[if told.is_ok() { 0 } else { 1 }] += 1;
        let Ok(outcome) = told else { return };
        let (key, value) = (actor.caller.key, outcome.value);
        if value >= INSERTED {
            assert!(self.inserted[(value - INSERTED) as usize] >= actor.epoch, "a value from before a write (P8)");
        } else {
            let task = &self.tasks[(value / 10) as usize];
            assert!(task.epochs[key as usize] >= actor.epoch, "a value from before a write (P8)");
            assert_eq!(value % 10, key, "P9");
        }
    }

    /// Does what a caller is to do until it waits or leaves, as the shell does.
    fn drive(&mut self, actor: &mut Actor) {
        for steps in 0.. {
            assert!(steps < 100, "it does not come to an end: {:?}", actor.caller.step);
            let (number, waker) = (self.rig.effects.number, self.rig.effects.waker.take());
            let until = self.rig.effects.until;
            let step = actor.caller.step;
            self.note(actor);
            self.unlock();
            let key = actor.caller.key;
            let task = match step {
                Step::Make | Step::MakeShared => self.begin_task(),
                Step::Poll => actor.caller.load.take().expect("a load"),
                Step::Lent => match actor.lent {
                    Some((of, task)) if of == number => task,
                    before => {
                        if let Some((_, task)) = before {
                            self.drop_task(task);
                        }
                        let task = self.begin_task();
                        actor.lent = Some((number, task));
                        task
                    }
                },
                Step::Again | Step::ReadClock => {
                    self.rig.look(&mut actor.caller, false);
                    continue;
                }
                Step::Batch => {
                    let driven = actor.caller.driven.take().expect("a load of many keys");
                    self.drive_unit(self.unit_of(&driven));
                    if actor.caller.waiting.is_visitor {
                        return;
                    }
                    self.rig.effects = Effects::default();
                    self.rig.look(&mut actor.caller, false);
                    continue;
                }
                Step::Wait => {
                    actor.until = until;
                    return;
                }
                Step::Told => return,
                step => panic!("{step:?}"),
            };
            self.meanwhile();
            assert!(!self.tasks[task as usize].is_gone, "what is polled is there");
            let ready = self.poll_task(task, waker.as_ref().unwrap_or(&actor.caller.waker));
            self.rig.effects.number = number;
            let (rig, it) = (&mut self.rig, &mut actor.caller);
            match ready {
                None => {
                    let load = (step != Step::Lent).then_some(task);
                    rig.step(it, false, |shard, waiting, visit, effects| shard.check_in(waiting, load, visit, effects));
                }
                Some(answer) => {
                    self.tasks[task as usize].is_gone = true;
                    if step == Step::Lent {
                        actor.lent = None;
                    }
                    match answer {
                        Ok(ttl) => {
                            let news = News::new(Loaded::new(task * 10 + key).ttl(ttl), Judgement::default());
                            rig.step(it, false, |shard, waiting, visit, effects| {
                                shard.land(waiting, news, visit.reached, visit, effects)
                            });
                        }
                        Err(cause) => {
                            let failure = Failure::new(cause);
                            rig.step(it, false, |shard, waiting, visit, effects| {
                                shard.land_failure(waiting, failure, visit.reached, visit, effects)
                            });
                        }
                    }
                }
            }
        }
    }

    fn poll_task(&mut self, task: u32, waker: &Waker) -> Option<Result<Ttl, Cause<&'static str>>> {
        let (is_ready_at_once, wakes_itself) = (self.chance(12), self.chance(6));
        let task = &mut self.tasks[task as usize];
        if is_ready_at_once && task.ready.is_none() {
            task.ready = Some(Ok(Ttl::Inherit));
        }
        if task.ready.is_some() {
            task.waker = None;
            return task.ready.take();
        }
        if wakes_itself {
            waker.wake_by_ref();
        }
        task.waker = Some(waker.clone());
        None
    }

    fn make_ready(&mut self, task: usize) {
        let answer = match self.random.below(10) {
            0..3 => Err(Cause::Error(Arc::new("down"))),
            3 => Err(Cause::Panicked),
            4 => Ok(Ttl::NotStored),
            _ => Ok(Ttl::Inherit),
        };
        let task = &mut self.tasks[task];
        if task.ready.is_none() && !task.is_gone {
            task.ready = Some(answer);
            if let Some(waker) = task.waker.take() {
                waker.wake();
            }
        }
    }

    fn poll(&mut self, index: usize) {
        let Some(mut actor) = self.actors[index].take() else { return };
        self.ends[2] += 1;
        let start = actor.caller.start;
        self.rig.effects = Effects::default();
        actor.caller.woken();
        self.rig.visit_with(&mut actor.caller, start);
        self.drive(&mut actor);
        self.begin_units(&mut actor);
        self.keep(actor);
    }

    fn rise(&mut self, actor: &mut Actor) {
        self.rig.effects = Effects::default();
        self.rig.shard.rise(&mut actor.caller.waiting, &mut self.rig.effects);
        if let Some((_, task)) = actor.lent.take() {
            self.drop_task(task);
        }
        self.unlock();
    }

    fn leave(&mut self, index: usize) {
        let Some(mut actor) = self.actors[index].take() else { return };
        self.ends[3] += 1;
        self.rise(&mut actor);
    }

    /// Polls all who were woken, as long as there are any.
    fn run(&mut self) {
        for rounds in 0.. {
            assert!(rounds < 10_000, "they wake each other for ever");
            let now = at(self.rig.now);
            let is_due = |actor: &Actor| {
                !actor.is_parked && (actor.caller.count.0.load(Ordering::SeqCst) > 0 || actor.until.reached(now))
            };
            let due: Vec<usize> =
                (0..self.actors.len()).filter(|index| self.actors[*index].as_ref().is_some_and(is_due)).collect();
            let is_led = |unit: usize| self.actors.iter().flatten().any(|a| !a.is_parked && a.units.contains(&unit));
            let is_woken = |unit: &usize| self.units[*unit].count.0.load(Ordering::SeqCst) > 0 && is_led(*unit);
            if let Some(unit) = (0..self.units.len()).rev().find(is_woken) {
                self.drive_call(unit);
                continue;
            }
            if due.is_empty() {
                return;
            }
            let index = due[self.random.below(due.len() as u64) as usize];
            self.poll(index);
        }
    }

    fn write(&mut self) {
        let key = self.random.below(KEYS) as u32;
        *self.writes.entry(key).or_default() += 1;
        if self.chance(2) {
            self.inserted.push(self.epoch(key));
            let value = INSERTED + self.inserted.len() as u32 - 1;
            self.rig.insert(key, value);
        } else {
            self.rig.remove(key);
        }
        self.unlock();
    }

    fn event(&mut self) {
        let index = self.random.below(self.actors.len().max(1) as u64) as usize;
        match self.random.below(100) {
            0..18 if self.actors.iter().flatten().count() < 12 => self.come(),
            18..25 if self.actors.iter().flatten().count() < 12 => self.come_for_many(),
            25..45 if !self.tasks.is_empty() => {
                let recent = self.random.below(20).min(self.tasks.len() as u64 - 1) as usize;
                self.make_ready(self.tasks.len() - 1 - recent);
            }
            45..50 => self.write(),
            50..60 if index < self.actors.len() => self.leave(index),
            60..64 => {
                if let Some(Some(actor)) = self.actors.get_mut(index) {
                    actor.is_parked |= actor.caller.start != Some(Start::Lent);
                    self.ends[4] += 1;
                }
            }
            64..70 if index < self.actors.len() && !self.actors[index].as_ref().is_some_and(|a| a.is_parked) => {
                self.poll(index);
            }
            70..80 => self.rig.now += self.random.below(12),
            _ if self.depth == 0 => self.run(),
            _ => {}
        }
    }

    /// All loads end; whoever is polled must come to its end, and nothing stays behind.
    fn finish(&mut self, seed: u64) {
        loop {
            self.run();
            let waiting = self.tasks.iter().position(|task| !task.is_gone && task.ready.is_none());
            match waiting {
                Some(task) => self.make_ready(task),
                None => break,
            }
        }
        for actor in self.actors.iter().flatten() {
            let Actor { caller, is_parked, until, .. } = actor;
            let (key, own) = (caller.key, caller.own());
            let slot = self.rig.shard.flights.slot(&caller.waiting.seat);
            let flight = (slot.flight.is_attached(), slot.flight.seats(), &slot.loads);
            assert!(*is_parked, "seed {seed}: {key} hangs (P3), began {own}, waits until {until:?} in {flight:?}");
            self.ends[5] += 1;
        }
        for index in 0..self.actors.len() {
            self.leave(index);
        }
        assert_eq!(self.rig.census(), (0, 0, 0), "P2");
        assert!(self.tasks.iter().all(|task| task.is_gone), "every load has ended or was dropped (P2)");
        let counts = self.rig.shard.flights.counts;
        assert_eq!(counts.in_flight(), 0, "{counts:?}");
        let is_left = |unit: &Unit| unit.batch.awaited().is_none_or(|awaited| awaited == 0);
        assert!(self.units.iter().all(is_left), "every key was given up as often as it was waited for");
    }
}

/// P2, P3, P4, P8, P9, D85: whatever happens, in whatever order, and whoever is polled no more.
#[test]
fn whoever_is_polled_comes_to_its_end_and_nothing_stays_behind() {
    let mut ends = [0; 8];
    for seed in 1..=1000 {
        let mut world = World::new(seed);
        for _ in 0..150 {
            world.event();
        }
        world.finish(seed);
        ends.iter_mut().zip(world.ends).for_each(|(sum, count)| *sum += count);
    }
    assert!(ends.iter().all(|count| *count > 100), "everything has happened: {ends:?}");
}
