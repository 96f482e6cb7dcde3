//! The loads of many keys that one call leads.

use alloc::{borrow::ToOwned, vec::Vec};
use core::{borrow::Borrow, mem, task::Waker};

use super::{
    After, Batch, Engine, Stay,
    batch_load::{LoadOf, Place, SeatOf},
    leads::Leads,
    wakes::CallWakes,
};
use crate::{
    Instant, Key, LoadError, Runtime, Tuning,
    flight::Registration,
    shard::{Call, SharedLoad},
    sync::Arc,
};

/// One key of a call.
pub(super) struct Member<'a, Q: ?Sized, R: Runtime, T, E> {
    pub(super) key: &'a Q,
    pub(super) hash: u64,
    pub(super) stay: Stay<R>,
    /// It has taken its seat, and its load is still to be made.
    pub(super) is_to_be_made: bool,
    /// The waker for that load, if several callers wait for it.
    pub(super) shared: Option<Waker>,
    pub(super) waker: Option<Waker>,
    pub(super) told: Option<Result<T, LoadError<E>>>,
    /// When it has to look again, woken or not.
    pub(super) until: Instant,
}

impl<'a, Q: ?Sized, R: Runtime, T, E> Member<'a, Q, R, T, E> {
    pub(super) fn new(key: &'a Q, hash: u64) -> Self {
        Self {
            key,
            hash,
            stay: Stay::of_member(),
            is_to_be_made: false,
            shared: None,
            waker: None,
            told: None,
            until: Instant::NEVER,
        }
    }
}

/// The loads of many keys that a call leads, and which of them have to be polled.
pub(super) struct Units<K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    list: Vec<Unit<K, V, E, R, S>>,
    /// How many there have been in all.
    last: usize,
    /// Loads that were woken.
    due: Vec<usize>,
    /// Loads that are polled, woken or not.
    asked: Vec<usize>,
    /// The id of the last load that each member was gathered for, or one that no load has.
    of: Vec<usize>,
    /// How many of the list are over.
    over: usize,
    /// A load of this call was polled in this poll, and may have told other keys.
    has_polled: bool,
}

/// A load of many keys that a call leads.
struct Unit<K: Key, V: Clone, E, R: Runtime, S: Tuning> {
    /// Tells it apart from earlier ones.
    id: usize,
    batch: Arc<Batch<K, V, E, R, S>>,
    members: Vec<usize>,
    registration: Registration<R::Notify>,
    waker: Option<Waker>,
    has_begun: bool,
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Units<K, V, E, R, S> {
    pub(super) const fn new() -> Self {
        Self {
            list: Vec::new(),
            last: 0,
            due: Vec::new(),
            asked: Vec::new(),
            of: Vec::new(),
            over: 0,
            has_polled: false,
        }
    }

    /// The load of many keys that this member's load becomes a part of.
    pub(super) fn gather(&mut self, member: usize, most: usize, is_alone: bool) -> Arc<Batch<K, V, E, R, S>> {
        // A load that all callers have left meanwhile is closed.
        let has_room =
            |unit: &Unit<K, V, E, R, S>| !unit.has_begun && unit.members.len() < most && unit.batch.await_key();
        // The last of its kind, because those before it are full.
        let last = self.list.iter().rposition(|unit| unit.batch.is_alone() == is_alone);
        let at = last.filter(|at| has_room(&self.list[*at])).unwrap_or_else(|| {
            let (batch, registration, id) = (Engine::new_batch(is_alone), Registration::default(), self.last);
            batch.await_key();
            self.last += 1;
            self.list.push(Unit { id, batch, members: Vec::new(), registration, waker: None, has_begun: false });
            self.list.len() - 1
        });
        let unit = &mut self.list[at];
        unit.members.push(member);
        if self.of.len() <= member {
            self.of.resize(member + 1, usize::MAX);
        }
        self.of[member] = unit.id;
        Arc::clone(&unit.batch)
    }

    /// Notes what was woken, of so many members: one of them, or a load; false if it is neither, but what comes after them.
    pub(super) fn note(&mut self, index: usize, members: usize, due: &mut Vec<usize>) -> bool {
        if index < members {
            due.push(index);
        } else if index < 2 * members {
            self.wake(index - members, members);
        }
        index < 2 * members
    }

    /// A load was woken; `place` is its number modulo `places`.
    fn wake(&mut self, place: usize, places: usize) {
        // They are in order, and there are hardly ever more than `places`.
        if self.last <= places {
            let woken = self.list.binary_search_by_key(&place, |unit| unit.id).ok().map(|at| &self.list[at]);
            self.due.extend(woken.filter(|unit| !unit.is_over()).map(|unit| unit.id));
        } else {
            let live = self.list.iter().filter(|unit| !unit.is_over()).map(|unit| unit.id);
            self.due.extend(live.filter(|id| id % places == place));
        }
    }

    /// Whether this member was gathered for a load.
    pub(super) fn knows(&self, member: usize) -> bool {
        self.of.get(member).is_some_and(|id| *id != usize::MAX)
    }

    /// A member may look at its deadline: the load that it is a part of is polled first, woken or not.
    pub(super) fn ask(&mut self, member: usize) {
        self.asked.extend(self.of.get(member));
    }

    /// All members may look at their deadlines.
    pub(super) fn ask_all(&mut self) {
        self.asked.extend(self.list.iter().map(|unit| unit.id));
    }

    /// A poll of the call begins, or a load of it was polled.
    pub(super) const fn set_polled(&mut self, has_polled: bool) {
        self.has_polled = has_polled;
    }

    pub(super) fn are_due(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn have_begun(&self) -> bool {
        // Loads that have not begun come last.
        self.list.last().is_none_or(|unit| unit.has_begun)
    }

    /// Removes this call from its loads.
    pub(super) fn withdraw(&mut self) {
        let wakers: Vec<_> =
            self.list.iter_mut().filter_map(|unit| unit.batch.withdraw(&mut unit.registration)).collect();
        drop(wakers);
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Units<K, V, E, R, S> {
    /// Begins and drives the loads; their members are due once a load is over, or has to note their deadlines. Returns
    /// whether a load that goes on has answered some of them, which were woken.
    pub(super) fn drive<Q, T, M>(
        &mut self,
        engine: &Engine<K, V, E, R, S>,
        members: &[Member<'_, Q, R, T, E>],
        leads: &mut M,
        call: &Call,
        wakes: &Arc<CallWakes<R::Notify>>,
        due: &mut Vec<usize>,
    ) -> bool
    where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + ?Sized,
        M: Leads<K, V, E, R::Threads>,
    {
        let have_deadlines = engine.rules.needs_time() || call.lock_timeout.is_some();
        let (woken, mut asked) = (mem::take(&mut self.due), mem::take(&mut self.asked));
        // Several members may ask for the same load.
        asked.sort_unstable();
        asked.dedup();
        let (mut ended, mut has_polled, mut have_answered) = (0, self.has_polled, false);
        let mut drive = |unit: &mut Unit<K, V, E, R, S>, is_unwoken: bool| {
            let begins = !unit.has_begun;
            if unit.is_over() {
                return;
            }
            if begins {
                // A clone of a key may panic, or its drop; then it has not begun.
                let mut seats = unit.seats(members);
                if has_polled {
                    let is_awaited = |place: &Place<R>| engine.with(place.hash, |shard| shard.awaits(&place.seat));
                    seats.retain(|seat| seat.place().is_some_and(is_awaited));
                }
                unit.has_begun = true;
                if has_polled && seats.is_empty() {
                    // All were answered meanwhile.
                    ended += 1;
                    return due.append(&mut unit.members);
                }
                let mut make = |keys| leads.begin(&engine.source, keys, call.reload).map(LoadOf::Many);
                engine.begin_batch(&unit.batch, seats, &mut make);
            }
            let waker = unit
                .waker
                .get_or_insert_with(|| CallWakes::waker(wakes, members.len() + unit.id % members.len().max(1)));
            let _old = unit.batch.listen(&mut unit.registration, waker);
            has_polled = true;
            let has_answered = engine.drive_batch(&unit.batch, is_unwoken);
            if unit.batch.is_over() {
                ended += 1;
                due.extend(unit.members.drain(..).filter(|index| members[*index].told.is_none()));
            } else {
                have_answered |= has_answered;
                if begins && have_deadlines {
                    due.extend(&unit.members);
                }
            }
        };
        let begun = self.list.iter().rposition(|unit| unit.has_begun).map_or(0, |at| at + 1);
        let (before, new) = self.list.split_at_mut(begun);
        for (ids, is_unwoken) in [(asked, true), (woken, false)] {
            for id in ids {
                if let Ok(at) = before.binary_search_by_key(&id, |unit| unit.id) {
                    drive(&mut before[at], is_unwoken);
                }
            }
        }
        new.iter_mut().for_each(|unit| drive(unit, true));
        (self.over, self.has_polled) = (self.over + ended, has_polled);
        // This many ends have paid for the cleanup.
        if self.over * 2 > self.list.len() {
            self.list.retain(|unit| !unit.is_over());
            self.over = 0;
        }
        have_answered
    }

    /// Gives up what was gathered and has not begun.
    pub(super) fn give_back<Q: ?Sized, T>(
        &mut self,
        members: &mut [Member<'_, Q, R, T, E>],
        after: &mut After<'_, K, V, E, R, S>,
        engine: &Engine<K, V, E, R, S>,
    ) {
        for unit in self.list.iter_mut().filter(|unit| !unit.has_begun) {
            for index in unit.members.drain(..) {
                let Member { hash, stay, .. } = &mut members[index];
                engine.with(*hash, |shard| {
                    shard.abandon(&stay.waiting.seat.place_only(), after.effects());
                    stay.waiting.newer.take().iter().for_each(|newer| {
                        shard.abandon(&newer.0, after.effects());
                        shard.count_dropped(&newer.1);
                    });
                });
            }
        }
        self.list.retain(|unit| !unit.is_over());
        self.over = 0;
    }
}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> Unit<K, V, E, R, S> {
    /// It has no members any more: they were told, or it was given up.
    fn is_over(&self) -> bool {
        self.members.is_empty()
    }

    /// Where its answers have to be delivered.
    fn seats<Q: ToOwned<Owned = K> + ?Sized, T>(&self, members: &[Member<'_, Q, R, T, E>]) -> Vec<SeatOf<K, R>> {
        let mut seats = Vec::with_capacity(self.members.len());
        for index in &self.members {
            let Member { key, hash, stay, .. } = &members[*index];
            let newer = stay.waiting.newer.as_deref();
            let twin = newer.map(|(_, twin)| twin.clone());
            let seat_of = |seat| SeatOf::new(*hash, (*key).to_owned(), seat, twin.clone());
            // A newer epoch comes first: what is published is there before any caller is told.
            seats.extend(newer.map(|(newer, _)| seat_of(newer.place_only())));
            seats.push(seat_of(stay.waiting.seat.place_only()));
        }
        seats
    }
}
