//! The single steps of callers, driven as the shell drives them.

use super::*;

impl Rig {
    /// Returns a shard with a capacity of 100, at the time 1000.
    pub(super) fn new(rules: Rules) -> Self {
        Self::with(100, rules)
    }

    pub(super) fn with(capacity: u64, rules: Rules) -> Self {
        let hold = rules.stale_while_refresh.max(rules.stale_if_error);
        let keeping = Keeping { hold, idle: None, lives: rules.early.is_set(), inline: rules.early.inline };
        Self {
            shard: Shard::new(Allowance::alone(capacity), keeping, all_links()),
            rules,
            now: 1000,
            effects: Effects::default(),
        }
    }

    /// Does a step of a caller's wait; the caller gets its result, and the rest stays in `effects`.
    pub(super) fn step(
        &mut self,
        caller: &mut Caller,
        is_first: bool,
        work: impl FnOnce(&mut Store, &mut Waiting<Bell>, &Visit<'_, u32, Together>, &mut Left) -> Step,
    ) -> Step {
        let mut waiting = core::mem::replace(&mut caller.waiting, Waiting::new(0, at(0)));
        let batch = |_| {
            let batch = caller.batch.clone().expect("a load of many keys");
            assert!(batch.await_key());
            batch
        };
        let visit = Visit {
            batch: caller.batch.as_ref().map(|_| &batch as &dyn Fn(bool) -> Together),
            ..visit_of(caller, &self.rules, self.now, is_first)
        };
        let step = work(&mut self.shard, &mut waiting, &visit, &mut self.effects);
        caller.waiting = waiting;
        self.took(caller, step)
    }

    pub(super) fn look(&mut self, caller: &mut Caller, is_first: bool) -> Step {
        self.step(caller, is_first, |shard, waiting, visit, effects| shard.visit(waiting, visit, effects))
    }

    /// Notes what a caller does next.
    pub(super) fn took(&mut self, caller: &mut Caller, step: Step) -> Step {
        caller.step = step;
        match step {
            Step::Make | Step::MakeAnew => caller.load = Some(if caller.own() == 1 { caller.key } else { 77 }),
            Step::MakeShared => caller.load = Some(caller.key),
            Step::Poll => caller.load = Some(self.effects.load.take().expect("a load")),
            Step::Batch => caller.driven = Some(self.effects.batch.take().expect("a load of many keys")),
            _ => {}
        }
        if matches!(step, Step::Make | Step::MakeAnew | Step::MakeShared | Step::Poll | Step::Lent | Step::Batch) {
            caller.number = self.effects.number;
        }
        if let Some(told) = self.effects.told.take() {
            caller.told = Some(told);
        }
        step
    }

    /// Does what is left once the lock is released; returns the loads that are dropped then.
    pub(super) fn unlock(&mut self) -> Vec<u32> {
        let mut effects = core::mem::take(&mut self.effects);
        let (woken, loads) = (effects.take_woken(), core::mem::take(&mut effects.rest().loads));
        effects.woken.wake();
        woken.into_iter().for_each(Woken::wake);
        loads
    }

    pub(super) fn wakes_somebody(&self) -> bool {
        !matches!(self.effects.woken, Woken::Nobody)
    }

    pub(super) fn come(&mut self, mut caller: Caller) -> Found {
        self.effects = Effects::default();
        let it = &mut caller;
        let step = self.step(it, true, |shard, waiting, visit, effects| shard.arrive(waiting, visit, effects));
        let told = caller.told.take();
        match (step, told) {
            (Step::Told, Some(Ok(outcome))) => {
                assert!(!caller.is_seated());
                Found::Served(outcome)
            }
            (Step::Told, Some(Err(error))) => {
                assert!(!caller.is_seated());
                Found::Refused(error)
            }
            (Step::Ticket | Step::MakeTicket, Some(Ok(outcome))) => Found::Ticket(outcome, caller),
            (_, Some(Ok(outcome))) => Found::LookAfter(outcome, caller),
            (Step::Told, None) | (_, Some(Err(_))) => panic!("{step:?}"),
            (_, None) => Found::Seated(caller),
        }
    }

    pub(super) fn arrive_with(&mut self, key: u32, call: Call, start: Option<Start>) -> Found {
        self.come(Caller::new(key, call, start, self.now))
    }

    /// Asks with a load whose number is the key's.
    pub(super) fn arrive(&mut self, key: u32) -> Found {
        self.arrive_with(key, self.rules.call(), Some(Start::Made))
    }

    /// Asks for a value that may be stale, with its refresh; another caller's refresh is polled once, as it must be.
    pub(super) fn arrive_stale(&mut self, key: u32) -> (Status, Option<Caller>) {
        let call = Call { takes: Takes::Ticket, ..self.rules.call() };
        match self.arrive_with(key, call, Some(Start::Made)) {
            Found::Served(outcome) => (outcome.status, None),
            Found::Ticket(outcome, ticket) => (outcome.status, Some(ticket)),
            Found::LookAfter(outcome, caller) => {
                self.look_after(caller);
                (outcome.status, None)
            }
            _ => panic!("nothing to be served at once"),
        }
    }

    /// Polls another caller's refresh once, finds it not ready, and leaves.
    pub(super) fn look_after(&mut self, mut caller: Caller) {
        if caller.step != Step::Batch {
            assert_eq!(self.pend(&mut caller), Step::Told);
        }
        self.leave(caller);
    }

    /// Asks and gets a seat.
    pub(super) fn seat_with(&mut self, key: u32, call: Call, start: Option<Start>) -> Caller {
        match self.arrive_with(key, call, start) {
            Found::Seated(caller) => caller,
            _ => panic!("no seat"),
        }
    }

    /// Asks and gets a seat; the caller has not done its next step yet.
    pub(super) fn seat(&mut self, key: u32) -> Caller {
        self.seat_with(key, self.rules.call(), Some(Start::Made))
    }

    pub(super) fn wait_with(&mut self, key: u32, call: Call) -> Caller {
        let mut caller = self.seat_with(key, call, Some(Start::Made));
        self.rest(&mut caller);
        caller
    }

    /// Asks and waits: all loads that it may poll are not ready.
    pub(super) fn wait(&mut self, key: u32) -> Caller {
        self.wait_with(key, self.rules.call())
    }

    /// Lends a load and waits.
    pub(super) fn lend(&mut self, key: u32) -> Caller {
        let mut caller = self.seat_with(key, self.rules.call(), Some(Start::Lent));
        assert_eq!(caller.step, Step::Lent);
        self.rest(&mut caller);
        caller
    }

    pub(super) fn served(&mut self, key: u32) -> Outcome<u32, &'static str> {
        match self.arrive(key) {
            Found::Served(outcome) => outcome,
            _ => panic!("nothing is served"),
        }
    }

    /// The first step of a poll, with this way to begin a load.
    pub(super) fn visit_with(&mut self, caller: &mut Caller, start: Option<Start>) -> Step {
        self.effects = Effects::default();
        caller.start = start;
        self.look(caller, true)
    }

    /// The first step of a poll.
    pub(super) fn visit(&mut self, caller: &mut Caller) -> Step {
        self.visit_with(caller, Some(Start::Made))
    }

    /// Hands in the load that a caller has polled, which is not ready.
    pub(super) fn pend(&mut self, caller: &mut Caller) -> Step {
        let load = (caller.step != Step::Lent).then(|| caller.load.take().expect("a load"));
        self.effects.number = caller.number;
        self.step(caller, false, |shard, waiting, visit, effects| {
            shard.check_in(waiting, load, effects).unwrap_or_else(|| shard.visit(waiting, visit, effects))
        })
    }

    /// Goes on with a poll until there is nothing more to do; no load is ready.
    pub(super) fn rest(&mut self, caller: &mut Caller) -> Step {
        loop {
            match caller.step {
                Step::Make | Step::MakeShared | Step::Poll | Step::Lent => _ = self.pend(caller),
                Step::MakeAnew => self.make_anew(caller),
                Step::Batch | Step::Again | Step::ReadClock => _ = self.look(caller, false),
                step => return step,
            }
        }
    }

    /// Polls a caller; no load is ready.
    pub(super) fn poll(&mut self, caller: &mut Caller) -> Step {
        self.visit(caller);
        self.rest(caller)
    }

    /// Wakes the load of a flight, if a wake is needed for it to be polled.
    pub(super) fn wake_load(&mut self, caller: &Caller) {
        if let Some(waker) = self.shard.flights.slot(&caller.waiting.seat).flight.waits.waker() {
            waker.wake();
        }
    }

    /// Hands this attempt's load to a caller; the loads before it are not ready.
    pub(super) fn drive(&mut self, caller: &mut Caller, number: u32) {
        self.wake_load(caller);
        self.visit(caller);
        loop {
            match caller.step {
                Step::Make | Step::MakeShared | Step::Poll | Step::Lent if caller.number == number => return,
                Step::Make | Step::MakeShared | Step::Poll | Step::Lent => _ = self.pend(caller),
                step => panic!("{step:?}"),
            }
        }
    }

    /// A load that a caller has been handed is ready.
    pub(super) fn finish(&mut self, caller: &mut Caller, number: u32, loaded: impl Into<Loaded<u32>>) -> Step {
        self.effects = Effects::default();
        self.effects.number = number;
        if caller.number != number {
            caller.waiting.after = number;
        }
        caller.load = None;
        let news = News::new(loaded.into(), Judgement::default());
        self.step(caller, false, |shard, waiting, visit, effects| {
            shard.finish(waiting, &mut Some(Ok(news)), visit.reached, visit, effects)
        })
    }

    pub(super) fn finish_with_failure(
        &mut self,
        caller: &mut Caller,
        number: u32,
        failure: Failure<&'static str>,
    ) -> Step {
        self.effects = Effects::default();
        self.effects.number = number;
        if caller.number != number {
            caller.waiting.after = number;
        }
        caller.load = None;
        self.step(caller, false, |shard, waiting, visit, effects| {
            shard.finish(waiting, &mut Some(Err(failure)), visit.reached, visit, effects)
        })
    }

    /// A caller polls this attempt's load, which is ready.
    pub(super) fn answer(&mut self, caller: &mut Caller, number: u32, loaded: impl Into<Loaded<u32>>) -> Step {
        self.drive(caller, number);
        self.finish(caller, number, loaded)
    }

    /// A caller polls this attempt's load, which has failed.
    pub(super) fn fail(&mut self, caller: &mut Caller, number: u32, name: &'static str) -> Step {
        self.drive(caller, number);
        self.finish_with_failure(caller, number, failure(name))
    }

    /// Looks whether a caller's wait is over, without counting it.
    pub(super) fn told(&mut self, caller: &Caller) -> Option<Result<u32, &'static str>> {
        if let Some(told) = &caller.told {
            let name = |error: &LoadError<_>| error.failure().map_or("refused", name_of);
            return Some(told.as_ref().map(|outcome| outcome.value).map_err(name));
        }
        let slot = self.shard.flights.slot(&caller.waiting.seat);
        if slot.flight.is_over() {
            let verdict = slot.verdict.as_ref().expect("a verdict");
            return Some(verdict.as_ref().map(|answer| answer.value).map_err(name_of));
        }
        let own = caller.own();
        let mine = slot.own.iter().find(|mine| mine.0 == own && own != 0);
        mine.map(|(_, verdict)| verdict.as_ref().map(|answer| answer.value).map_err(name_of))
    }

    /// Takes the result of a caller.
    pub(super) fn hear(&mut self, caller: &mut Caller) -> Told {
        if caller.told.is_none() {
            assert_eq!(self.visit(caller), Step::Told);
        }
        assert!(!caller.is_seated(), "a caller that is told has left");
        caller.told.take().expect("it is told")
    }

    pub(super) fn outcome(&mut self, caller: &mut Caller) -> Outcome<u32, &'static str> {
        self.hear(caller).expect("a value")
    }

    pub(super) fn error(&mut self, caller: &mut Caller) -> Option<&'static str> {
        self.hear(caller).err().map(|error| error.failure().map_or("refused", name_of))
    }

    /// Gives up a seat; tells whether the flight ended with it.
    pub(super) fn leave(&mut self, mut caller: Caller) -> bool {
        self.effects = Effects::default();
        let before = self.shard.flights.len();
        self.shard.rise(&mut caller.waiting, &mut self.effects);
        self.shard.flights.len() < before
    }

    /// Loads a value from claim to publication.
    pub(super) fn load(&mut self, key: u32, loaded: impl Into<Loaded<u32>>) -> Outcome<u32, &'static str> {
        let mut caller = self.seat(key);
        assert_eq!(caller.step, Step::Make);
        self.finish(&mut caller, 1, loaded);
        caller.told.take().expect("it is told").expect("a value")
    }

    /// Loads and fails, without telling the caller.
    pub(super) fn load_fails(&mut self, key: u32, name: &'static str) {
        let caller = self.seat(key);
        assert_eq!(caller.step, Step::Make);
        self.fail_unheard(&caller, 1, failure(name));
        assert_eq!(self.told(&caller), Some(Err(name)));
        self.leave(caller);
    }

    /// A load fails, and the caller that polled it has not looked yet.
    pub(super) fn fail_unheard(&mut self, caller: &Caller, number: u32, failure: Failure<&'static str>) {
        let at = At { now: at(self.now), rules: &self.rules };
        let place = self.shard.flights.place(&caller.waiting.seat);
        self.effects = Effects::default();
        self.shard.fail(place, number, failure, at, &mut self.effects);
    }

    pub(super) fn insert(&mut self, key: u32, loaded: impl Into<Loaded<u32>>) -> Option<u32> {
        let at = At { now: at(self.now), rules: &self.rules };
        self.effects = Effects::default();
        let mut coming = Some((key, loaded.into()));
        self.shard.insert(hash(key), &mut coming, Judgement::default(), at, &mut self.effects)
    }

    /// Changes the capacity, and evicts the excess.
    pub(super) fn set_capacity(&mut self, capacity: u64) {
        self.effects = Effects::default();
        while self.shard.resize(capacity, capacity, &mut self.effects) {}
        let own = self.shard.values.allowance.own;
        self.shard.values.receive(capacity.saturating_sub(own));
        let mut left = own.saturating_sub(capacity);
        while left > 0 {
            left -= self.shard.give(left, 0, at(self.now), &mut self.effects).0;
        }
    }

    pub(super) fn remove(&mut self, key: u32) -> Option<u32> {
        self.effects = Effects::default();
        let was_fresh = self.shard.remove(hash(key), at(self.now), |k| *k == key, &mut self.effects);
        self.effects.leavers.first.as_ref().filter(|_| was_fresh).map(|leaver| leaver.value)
    }
}

/// The links of a shard with all features in use.
pub(super) fn all_links() -> Links<u32, u32, &'static str, Plain, Lru> {
    let mut links = Links::new();
    links.heed_deadlines();
    links.serve_ahead();
    links.keep_failures();
    links
}
