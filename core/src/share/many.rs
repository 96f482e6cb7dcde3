//! Many keys at once: first all take their seats, then what they lead is driven.

use alloc::{borrow::ToOwned, sync::Arc, vec::Vec};
use core::{
    borrow::Borrow,
    cell::RefCell,
    hash::Hash,
    mem,
    task::{Context, Poll, Waker},
};

use hashbrown::HashTable;

use super::{
    After, Asked, Batch, Borrowed, Engine, Stay,
    batch::SeatOf,
    drive::ToldOf,
    leads::{Leads, MemberLoad, Shape, Told},
    stay::State,
    wakes::CallWakes,
};
use crate::{
    Instant, Key, LoadError, LookupOptions, Notify, Runtime, Tuning,
    contain::{both, each},
    flight::Registration,
    shard::{Call, SharedLoad, Step, Visit},
};

/// One call for many keys.
pub(crate) struct Many<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> {
    engine: &'a Arc<Engine<K, V, E, R, S>>,
    pub(crate) options: LookupOptions,
    leads: M,
    /// The keys that are asked for, until the first poll.
    keys: Vec<&'a Q>,
    members: Vec<Member<'a, Q, R, W::Told, E>>,
    /// Which member answers each place.
    order: Vec<usize>,
    units: RefCell<Vec<Unit<K, V, E, R>>>,
    /// Members that were woken while the others were polled.
    due: Vec<usize>,
    /// So many members have arrived.
    arrived: usize,
    wakes: Option<Arc<CallWakes<R::Notify>>>,
    listener: <R::Notify as Notify>::Listener,
    untold: usize,
}

/// One key of a call.
struct Member<'a, Q: ?Sized, R: Runtime, T, E> {
    key: &'a Q,
    hash: u64,
    stay: Stay<R>,
    /// It has taken its seat, and its load is yet to be made.
    is_to_be_made: bool,
    /// What that is polled with, if several wait for it.
    shared: Option<Waker>,
    waker: Option<Waker>,
    told: Option<Result<T, LoadError<E>>>,
}

/// A load of many keys that this call leads.
struct Unit<K, V, E, R: Runtime> {
    batch: Arc<Batch<K, V, E, R>>,
    members: Vec<usize>,
    registration: Registration<R::Notify>,
    waker: Option<Waker>,
    has_begun: bool,
}

/// The load of many keys that this member's is to be a part of.
fn gather<K, V, E, R: Runtime>(
    units: &RefCell<Vec<Unit<K, V, E, R>>>,
    member: usize,
    most: usize,
    is_alone: bool,
) -> Arc<Batch<K, V, E, R>> {
    let mut units = units.borrow_mut();
    let has_room =
        |unit: &Unit<K, V, E, R>| !unit.has_begun && unit.batch.is_alone() == is_alone && unit.members.len() < most;
    let at = units.iter().rposition(has_room).unwrap_or_else(|| {
        let (batch, registration) = (Batch::new(is_alone), Registration::default());
        units.push(Unit { batch, members: Vec::new(), registration, waker: None, has_begun: false });
        units.len() - 1
    });
    let unit = &mut units[at];
    unit.members.push(member);
    unit.batch.await_key();
    Arc::clone(&unit.batch)
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
            units: RefCell::new(Vec::new()),
            due: Vec::new(),
            arrived: 0,
            wakes: None,
            listener: <R::Notify as Notify>::Listener::default(),
            untold: 0,
        }
    }

    /// The same call with another way to load.
    pub(crate) fn with<N>(self, leads: N) -> Many<'a, K, Q, V, E, R, S, N, W> {
        let mut many = Many::new(self.engine, [], leads);
        // (Taken one by one: it has a drop of its own.)
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
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Told<W::Told, E>> {
        let call = self.options.over(&self.engine.rules);
        if self.members.is_empty() {
            if self.keys.is_empty() {
                // Nothing was asked for, or all has been told.
                return if self.wakes.is_none() { Poll::Ready(self.tell()) } else { Poll::Pending };
            }
            self.sort_out();
        }
        let (count, was_polled) = (self.members.len(), self.wakes.is_some());
        let wakes = Arc::clone(self.wakes.get_or_insert_with(|| CallWakes::new(count + 1)));
        let _old = wakes.begin_poll(&mut self.listener, cx.waker());
        let unwinding = Unwinding(self);
        let this = &mut *unwinding.0;
        let mut due = mem::take(&mut this.due);
        let mut are_units_due = false;
        wakes.take(|index| if index < count { due.push(index) } else { are_units_due = true });
        let is_unwoken = was_polled && due.is_empty() && !are_units_due;
        if is_unwoken {
            // It is polled for another reason than a wake, so all are asked.
            are_units_due = true;
            due.extend(0..count);
        }
        this.arrive(&call, &wakes, &mut due, cx.waker());
        loop {
            this.drive_units(are_units_due, is_unwoken, &call, &wakes, &mut due);
            are_units_due = false;
            for index in mem::take(&mut due) {
                this.poll_member(index, &call, &wakes);
            }
            if this.units.borrow().iter().all(|unit| unit.has_begun) {
                break;
            }
        }
        mem::forget(unwinding);
        wakes.end_poll();
        if self.untold == 0 {
            return Poll::Ready(self.tell());
        }
        let (members, due) = (&self.members, &mut self.due);
        wakes.take(|index| {
            if index >= count {
                are_units_due = true;
            } else if members[index].told.is_none() {
                due.push(index);
            }
        });
        if are_units_due {
            wakes.set(count);
        }
        if are_units_due || !self.due.is_empty() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Each key becomes one member, however often it is asked for.
    fn sort_out(&mut self) {
        if self.options.expires() {
            self.engine.expects_expiry();
        }
        let keys = mem::take(&mut self.keys);
        let mut places = HashTable::with_capacity(keys.len());
        self.order.reserve_exact(keys.len());
        self.members.reserve_exact(keys.len());
        for key in keys {
            let (hash, members) = (self.engine.hash(key), &mut self.members);
            if let Some(index) = places.find(hash, |index: &usize| members[*index].key == key) {
                self.order.push(*index);
                continue;
            }
            let index = members.len();
            members.push(Member {
                key,
                hash,
                stay: Stay::new(),
                is_to_be_made: false,
                shared: None,
                waker: None,
                told: None,
            });
            places.insert_unique(hash, index, |index| members[*index].hash);
            self.order.push(index);
        }
        self.untold = self.members.len();
    }

    /// All take their seats, with one reading of the clock; those who have something to poll are due.
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
            // (It has a seat if a poll before has unwound.)
            engine.leave(&mut member.stay);
            let waker = &*member.waker.get_or_insert_with(|| wakes.waker(index));
            let batch = |is_alone| gather(&self.units, index, most, is_alone);
            let asked = Asked { key: Some(&Borrowed(member.key)), call, batch: Some(&batch), inside: Some(inside) };
            let cx = Context::from_waker(waker);
            let looked = engine.with(member.hash, |shard| {
                let is_it = |k: &K| k.borrow() == member.key;
                let hit = || shard.hit(member.hash, now.unwrap_or(Instant::ZERO), is_it);
                if let Some(told) = if call.reload { None } else { W::hit(hit) } {
                    return Ok(told);
                }
                member.stay.begin(member.hash, now, engine.hand_over.is_some());
                let visit = Visit { arrives_only: true, ..engine.visit(member.stay.time(), &asked, &by, &cx, 0) };
                Err(shard.arrive(&mut member.stay.waiting, &visit, after.effects()))
            });
            self.arrived += 1;
            let told = match looked {
                Ok(told) => Some(Ok(told)),
                Err(step) => {
                    member.stay.state = State::Waiting;
                    // (Known to be made before the clock is read, which may panic.)
                    member.is_to_be_made = step == Step::Make;
                    member.stay.know_time(|| *now.get_or_insert_with(|| engine.runtime.now().told()));
                    match step {
                        Step::Told => after.effects().told.take().map(|told| told.map(W::tell)),
                        Step::Gathered => {
                            member.stay.rest();
                            None
                        }
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

    /// Begins and drives the loads of many keys; their members are due once they are over.
    fn drive_units(
        &mut self,
        are_due: bool,
        is_unwoken: bool,
        call: &Call,
        wakes: &Arc<CallWakes<R::Notify>>,
        due: &mut Vec<usize>,
    ) {
        let (engine, members) = (self.engine, &self.members);
        let units = self.units.get_mut();
        for unit in units.iter_mut() {
            let begins = !unit.has_begun;
            if begins {
                let seat = |index: &usize| {
                    let Member { key, hash, stay, .. } = &members[*index];
                    SeatOf { hash: *hash, key: (*key).to_owned(), seat: stay.waiting.seat.place_only() }
                };
                let seats = unit.members.iter().map(seat).collect();
                unit.has_begun = true;
                engine.begin_batch(&unit.batch, seats, |keys| self.leads.begin(&engine.source, keys));
            } else if !are_due {
                continue;
            }
            let waker = unit.waker.get_or_insert_with(|| wakes.waker(members.len()));
            let _old = unit.batch.listen(&mut unit.registration, waker);
            engine.drive_batch(&unit.batch, is_unwoken);
            if unit.batch.is_over() {
                due.extend(unit.members.drain(..).filter(|index| members[*index].told.is_none()));
            } else if begins && (engine.rules.needs_time() || call.lock_timeout.is_some()) {
                // Their deadlines count from now on.
                due.extend(&unit.members);
            }
        }
        units.retain(|unit| !unit.members.is_empty());
    }

    /// A member looks for what has come of its wait.
    fn poll_member(&mut self, index: usize, call: &Call, wakes: &Arc<CallWakes<R::Notify>>) {
        let engine = self.engine;
        let Some(member) = self.members.get_mut(index).filter(|member| member.told.is_none()) else { return };
        let waker = &*member.waker.get_or_insert_with(|| wakes.waker(index));
        let batch = |is_alone| gather(&self.units, index, engine.rules.max_batch, is_alone);
        let asked = Asked { key: Some(&Borrowed(member.key)), call, batch: Some(&batch), inside: None };
        let mut by = MemberLoad::new(&engine.source, &self.leads);
        let mut cx = Context::from_waker(waker);
        let poll: Poll<ToldOf<V, E>> = if mem::take(&mut member.is_to_be_made) {
            let mut after = After::new(engine);
            (after.effects().number, after.effects().waker) = (member.stay.waiting.seat.began, member.shared.take());
            engine.carry_on(&mut member.stay, &asked, &mut by, Some(Step::Make), &mut after, &mut cx)
        } else {
            engine.poll_on(&mut member.stay, &asked, &mut by, &mut cx)
        };
        if let Poll::Ready(told) = poll {
            member.told = Some(told.map(W::tell));
            self.untold -= 1;
        }
    }

    /// What each place is told.
    fn tell(&mut self) -> Told<W::Told, E> {
        let mut told: Vec<_> = mem::take(&mut self.members).into_iter().map(|member| member.told).collect();
        let order = mem::take(&mut self.order);
        if self.wakes.is_none() {
            self.wakes = Some(CallWakes::new(0));
        }
        if told.len() == order.len() {
            return told.into_iter().flatten().collect();
        }
        let mut left = alloc::vec![0_usize; told.len()];
        order.iter().for_each(|index| left[*index] += 1);
        let tell = |index: usize| {
            left[index] -= 1;
            if left[index] == 0 { told[index].take() } else { told[index].clone() }
        };
        order.into_iter().filter_map(tell).collect()
    }
}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Many<'_, K, Q, V, E, R, S, M, W> {
    /// What was claimed and not begun is given up: others lead, or this call does when it is polled again.
    fn give_back(&mut self) {
        let engine = self.engine;
        let mut after = After::new(engine);
        for unit in self.units.get_mut().iter_mut().filter(|unit| !unit.has_begun) {
            for index in unit.members.drain(..) {
                let Member { hash, stay, .. } = &mut self.members[index];
                engine.with(*hash, |shard| shard.abandon(&stay.waiting.seat.place_only(), after.effects()));
            }
        }
        self.units.get_mut().retain(|unit| !unit.members.is_empty());
        for member in &mut self.members {
            if mem::take(&mut member.is_to_be_made) {
                engine.with(member.hash, |shard| shard.unmake(&member.stay.waiting.seat, after.effects()));
            }
        }
    }
}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M, W: Shape<V, E>> Drop
    for Many<'_, K, Q, V, E, R, S, M, W>
{
    fn drop(&mut self) {
        let leave = |this: &mut Self| each(this.members.iter_mut(), |member| this.engine.leave(&mut member.stay));
        both(self, Self::give_back, leave);
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
        self.0.give_back();
        self.0.wakes.iter().for_each(|wakes| wakes.end_poll());
    }
}
