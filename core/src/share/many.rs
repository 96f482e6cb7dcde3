//! Many keys at once: first all take their seats, then the loads that they lead are driven.

mod asleep;
mod ending;

use alloc::{borrow::ToOwned, collections::BinaryHeap, vec::Vec};
use core::{
    borrow::Borrow,
    cell::RefCell,
    cmp::Reverse,
    hash::Hash,
    mem,
    task::{Context, Poll, Waker},
};

use hashbrown::HashTable;

use super::{
    After, Borrowed, Engine,
    leads::{Leads, MemberLoad, Results, Shape},
    sleep::Sleep,
    stay::State,
    units::{Member, Units},
    wakes::CallWakes,
};
use crate::{
    Instant, Key, LookupOptions, Notify, Runtime, Tuning,
    shard::{Call, LookupResult, Step, Visit},
    sync::Arc,
};

/// One call for many keys.
pub(crate) struct Many<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> {
    engine: &'a Arc<Engine<K, V, E, R, S>>,
    pub(crate) options: LookupOptions,
    leads: M,
    /// The requested keys, until the first poll.
    keys: Vec<&'a Q>,
    members: Vec<Member<'a, Q, R, W::Answer, E>>,
    /// Which member answers each place.
    order: Vec<usize>,
    units: RefCell<Units<K, V, E, R, S>>,
    /// Members that were woken while the others were polled.
    due: Vec<usize>,
    /// A poll has unwound, so all members have to be asked.
    asks_all: bool,
    /// How many members have arrived.
    arrived: usize,
    wakes: Option<Arc<CallWakes<R::Notify>>>,
    listener: <R::Notify as Notify>::Listener,
    untold: usize,
    /// Until the first deadline of a member that waits.
    sleep: Sleep<R>,
    /// The deadlines of members that wait, the first on top; some are not theirs any more.
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
    sleeper: Option<Waker>,
    /// The sleep was woken.
    has_slept: bool,
}

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Many<'a, K, Q, V, E, R, S, M, W> {
    pub(crate) fn new(engine: &'a Arc<Engine<K, V, E, R, S>>, keys: impl IntoIterator<Item = &'a Q>, leads: M) -> Self {
        Self {
            engine,
            options: LookupOptions::new(),
            leads,
            keys: keys.into_iter().collect(),
            members: Vec::new(),
            order: Vec::new(),
            units: RefCell::new(Units::new()),
            due: Vec::new(),
            asks_all: false,
            arrived: 0,
            wakes: None,
            listener: <R::Notify as Notify>::Listener::default(),
            untold: 0,
            sleep: Sleep::None,
            deadlines: BinaryHeap::new(),
            sleeper: None,
            has_slept: false,
        }
    }

    /// The same call, with another way to load.
    pub(crate) fn with<N>(self, leads: N) -> Many<'a, K, Q, V, E, R, S, N, W> {
        let mut many = Many::new(self.engine, [], leads);
        // Taken one by one, because it has a drop of its own.
        let mut before = self;
        (many.keys, many.options) = (mem::take(&mut before.keys), before.options);
        many
    }
}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M, W> Many<'_, K, Q, V, E, R, S, M, W>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: Leads<K, V, E, R::Threads>,
    W: Shape<V, E>,
{
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Results<W::Answer, E>> {
        let call = self.options.over(&self.engine.rules);
        if self.members.is_empty() {
            if self.keys.is_empty() {
                // No key was asked for, or all answers were given.
                return if self.wakes.is_none() { Poll::Ready(self.tell()) } else { Poll::Pending };
            }
            self.sort_out();
        }
        let (count, was_polled) = (self.members.len(), self.wakes.is_some());
        let wakes = Arc::clone(self.wakes.get_or_insert_with(|| CallWakes::new(2 * count + 1)));
        let _old = wakes.begin_poll(&mut self.listener, cx.waker());
        let unwinding = Unwinding(self);
        let this = &mut *unwinding.0;
        let mut due = mem::take(&mut this.due);
        let units = this.units.get_mut();
        units.set_polled(false);
        let mut has_slept = mem::take(&mut this.has_slept);
        wakes.take(|index| has_slept |= !units.note(index, count, &mut due));
        let is_unwoken =
            mem::take(&mut this.asks_all) || (was_polled && due.is_empty() && !units.are_due() && !has_slept);
        if is_unwoken {
            // It was polled for another reason than a wake, so all members are asked.
            due = (0..count).collect();
        }
        if has_slept {
            this.sleep(&wakes, &mut due);
        }
        this.arrive(&call, &wakes, &mut due, cx.waker());
        // A ready answer beats the deadline of a member: its load is polled before the member looks.
        if is_unwoken {
            this.units.get_mut().ask_all();
        } else {
            this.ask_for(&due);
        }
        loop {
            let (units, members, leads) = (this.units.get_mut(), &this.members, &mut this.leads);
            if units.drive(this.engine, members, leads, &call, &wakes, &mut due) {
                wakes.take(|index| this.has_slept |= !units.note(index, count, &mut due));
            }
            for index in mem::take(&mut due) {
                this.poll_member(index, &call, &wakes, cx.waker());
            }
            if this.units.get_mut().have_begun() {
                if !this.sleep(&wakes, &mut due) {
                    break;
                }
                this.ask_for(&due);
            }
        }
        mem::forget(unwinding);
        wakes.end_poll();
        if self.untold == 0 {
            return Poll::Ready(self.tell());
        }
        let Self { members, due, units, has_slept, .. } = self;
        let units = units.get_mut();
        wakes.take(|index| *has_slept |= !units.note(index, count, due));
        due.retain(|index| members[*index].told.is_none());
        if units.are_due() || !due.is_empty() || *has_slept {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Makes one member of each key, however often it was asked for.
    fn sort_out(&mut self) {
        if self.options.expires() {
            self.engine.expects_expiry();
        }
        let count = self.keys.len();
        let (mut members, mut order) = (Vec::<Member<'_, _, _, _, _>>::with_capacity(count), Vec::with_capacity(count));
        let mut places = HashTable::with_capacity(count);
        for key in &self.keys {
            let hash = self.engine.hash(*key);
            if let Some(index) = places.find(hash, |index: &usize| members[*index].key == *key) {
                order.push(*index);
                continue;
            }
            let index = members.len();
            members.push(Member::new(*key, hash));
            places.insert_unique(hash, index, |index| members[*index].hash);
            order.push(index);
        }
        // Nothing is taken before: if a hash or a comparison panics, the next poll begins anew.
        (self.untold, self.members, self.order, self.keys) = (members.len(), members, order, Vec::new());
    }

    /// All take their seats, with one reading of the clock; members that have something to poll become due.
    fn arrive(&mut self, call: &Call, wakes: &Arc<CallWakes<R::Notify>>, due: &mut Vec<usize>, inside: &Waker) {
        if self.arrived == self.members.len() {
            return;
        }
        let engine = self.engine;
        let reads = W::NEEDS_TIME || call.reload || engine.rules.needs_time() || call.lock_timeout.is_some();
        let mut now = if reads { Some(engine.runtime.now().told()) } else { engine.now_if_timed() };
        let most = engine.rules.max_batch;
        let by = MemberLoad::new(&engine.source, &self.leads);
        let mut after = After::new(engine);
        while let Some(member) = self.members.get_mut(self.arrived) {
            let index = self.arrived;
            // It has a seat if an earlier poll has unwound.
            Engine::leave(engine, &mut member.stay);
            let waker = &*member.waker.get_or_insert_with(|| CallWakes::waker(wakes, index));
            let batch = |is_alone| self.units.borrow_mut().gather(index, most, is_alone);
            let borrowed = Borrowed(member.key);
            let looked = engine.with(member.hash, |shard| {
                let is_it = |k: &K| k.borrow() == member.key;
                let hit = || shard.hit(member.hash, now.unwrap_or(Instant::ZERO), is_it);
                if let Some(told) = if call.reload { None } else { W::hit(hit) } {
                    return Ok(told);
                }
                let (reached, is_present) = (now.unwrap_or(Instant::ZERO), now.is_some());
                member.stay.begin(member.hash, reached, engine.hand_over.is_some());
                let visit = engine.visit(Some(&borrowed), call, &by, waker);
                let visit =
                    Visit { batch: by.gathers(&batch), inside, reached, is_present, arrives_only: true, ..visit };
                shard.links.heed_options();
                Err(shard.arrive(&mut member.stay.waiting, &visit, after.effects()))
            });
            self.arrived += 1;
            let told = match looked {
                Ok(told) => Some(Ok(told)),
                // Nothing of it depends on the time.
                Err(Step::Told) => after.effects().told.take().map(|told| told.map(W::tell)),
                Err(step) => {
                    member.stay.state = State::Waiting;
                    // Noted before the clock is read, which may panic.
                    member.is_to_be_made = step == Step::Make;
                    let was_known = now.is_some();
                    let present = *now.get_or_insert_with(|| engine.runtime.now().told());
                    member.stay.know_time(present);
                    let seat = &member.stay.waiting.seat;
                    if !was_known && seat.began != 0 {
                        engine.with(member.hash, |shard| shard.set_begun(seat, present));
                    }
                    match step {
                        Step::Gathered => None,
                        step => {
                            if step == Step::Make {
                                member.shared = after.effects().waker.take();
                            }
                            due.push(index);
                            None
                        }
                    }
                }
            };
            if told.is_some() {
                (member.told, member.stay.state) = (told, State::Over);
                self.untold -= 1;
            }
        }
    }

    /// A member looks whether its wait is over.
    fn poll_member(&mut self, index: usize, call: &Call, wakes: &Arc<CallWakes<R::Notify>>, inside: &Waker) {
        let engine = self.engine;
        let Some(member) = self.members.get_mut(index).filter(|member| member.told.is_none()) else { return };
        let waker = &*member.waker.get_or_insert_with(|| CallWakes::waker(wakes, index));
        let batch = |is_alone| self.units.borrow_mut().gather(index, engine.rules.max_batch, is_alone);
        let borrowed = Borrowed(member.key);
        let mut by = MemberLoad::new(&engine.source, &self.leads);
        let first = mem::take(&mut member.is_to_be_made).then_some(Step::Make);
        let mut until = Instant::NEVER;
        let told = if first.is_none() { engine.collect(&mut member.stay, &mut by) } else { None };
        let poll: Poll<LookupResult<V, E>> = told.unwrap_or_else(|| {
            let mut after = After::new(engine);
            (after.effects().number, after.effects().waker) = (member.stay.waiting.seat.began, member.shared.take());
            let visit = engine.visit(Some(&borrowed), call, &by, waker);
            let mut visit = Visit { batch: by.gathers(&batch), inside, reached: member.stay.reached, ..visit };
            let mut cx = Context::from_waker(waker);
            let poll = Engine::carry_on(engine, &mut member.stay, &mut visit, &mut by, first, &mut after, &mut cx);
            if poll.is_pending() {
                until = after.effects().until;
            }
            after.told(poll)
        });
        self.units.get_mut().set_polled(true);
        if let Poll::Ready(told) = poll {
            member.told = Some(told.map(W::tell));
            self.untold -= 1;
        }
        self.note_deadline(index, until);
    }

    /// The answer for each place.
    fn tell(&mut self) -> Results<W::Answer, E> {
        // Clones for keys that were asked for twice come first: if one panics, all answers are still there.
        let mut left = alloc::vec![0_usize; self.members.len()];
        self.order.iter().for_each(|index| left[*index] += 1);
        let clone = |index: &usize| {
            left[*index] -= 1;
            (left[*index] > 0).then(|| self.members[*index].told.clone())
        };
        let clones: Vec<_> = self.order.iter().map(clone).collect();
        let mut told: Vec<_> = mem::take(&mut self.members).into_iter().map(|member| member.told).collect();
        let order = mem::take(&mut self.order);
        if self.wakes.is_none() {
            self.wakes = Some(CallWakes::new(0));
        }
        order.into_iter().zip(clones).filter_map(|(index, clone)| clone.unwrap_or_else(|| told[index].take())).collect()
    }
}

/// A poll unwinds.
struct Unwinding<'x, 'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>>(
    &'x mut Many<'a, K, Q, V, E, R, S, M, W>,
);

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Drop
    for Unwinding<'_, '_, K, Q, V, E, R, S, M, W>
{
    #[cold]
    fn drop(&mut self) {
        self.0.asks_all = true;
        self.0.give_back();
        self.0.wakes.iter().for_each(|wakes| wakes.end_poll());
    }
}
