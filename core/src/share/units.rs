//! The loads of many keys that one call leads.

use alloc::{borrow::ToOwned, sync::Arc, vec::Vec};
use core::{borrow::Borrow, mem, task::Waker};

use super::{
    After, Batch, Engine, Stay,
    batch_load::{LoadOf, SeatOf},
    leads::Leads,
    wakes::CallWakes,
};
use crate::{Key, LoadError, Runtime, Tuning, flight::Registration, shard::SharedLoad};

/// One key of a call.
pub(super) struct Member<'a, Q: ?Sized, R: Runtime, T, E> {
    pub(super) key: &'a Q,
    pub(super) hash: u64,
    pub(super) stay: Stay<R>,
    /// It has taken its seat, and its load is yet to be made.
    pub(super) is_to_be_made: bool,
    /// What that is polled with, if several wait for it.
    pub(super) shared: Option<Waker>,
    pub(super) waker: Option<Waker>,
    pub(super) told: Option<Result<T, LoadError<E>>>,
}

/// The loads of many keys that a call leads, and which of them are to be polled.
pub(super) struct Units<K, V, E, R: Runtime> {
    list: Vec<Unit<K, V, E, R>>,
    /// So many were there in all.
    last: usize,
    /// Those that were woken.
    due: Vec<usize>,
}

/// A load of many keys that a call leads.
struct Unit<K, V, E, R: Runtime> {
    /// Tells it from those before.
    id: usize,
    batch: Arc<Batch<K, V, E, R>>,
    members: Vec<usize>,
    registration: Registration<R::Notify>,
    waker: Option<Waker>,
    has_begun: bool,
}

/// Which loads a call polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Those that were woken.
    Woken,
    /// All of them, woken or not.
    All,
}

impl<K, V, E, R: Runtime> Units<K, V, E, R> {
    pub(super) const fn new() -> Self {
        Self { list: Vec::new(), last: 0, due: Vec::new() }
    }

    /// The load of many keys that this member's is to be a part of.
    pub(super) fn gather(&mut self, member: usize, most: usize, is_alone: bool) -> Arc<Batch<K, V, E, R>> {
        // (One that everybody has left meanwhile is closed.)
        let has_room = |unit: &Unit<K, V, E, R>| !unit.has_begun && unit.members.len() < most && unit.batch.await_key();
        // (The last of its kind: those before it are full.)
        let last = self.list.iter().rposition(|unit| unit.batch.is_alone() == is_alone);
        let at = last.filter(|at| has_room(&self.list[*at])).unwrap_or_else(|| {
            let (batch, registration, id) = (Batch::new(is_alone), Registration::default(), self.last);
            batch.await_key();
            self.last += 1;
            self.list.push(Unit { id, batch, members: Vec::new(), registration, waker: None, has_begun: false });
            self.list.len() - 1
        });
        self.list[at].members.push(member);
        Arc::clone(&self.list[at].batch)
    }

    /// A load was woken; `place` is its number, cut to how many `places` there are for that.
    pub(super) fn wake(&mut self, place: usize, places: usize) {
        // (They are in order, and hardly ever more than there are places.)
        if self.last <= places {
            self.due.extend(self.list.binary_search_by_key(&place, |unit| unit.id).ok().map(|at| self.list[at].id));
        } else {
            self.due.extend(self.list.iter().map(|unit| unit.id).filter(|id| id % places == place));
        }
    }

    pub(super) fn are_due(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn have_begun(&self) -> bool {
        // (Those that have not are the last ones.)
        self.list.last().is_none_or(|unit| unit.has_begun)
    }

    /// The loads forget this call.
    pub(super) fn withdraw(&mut self) {
        let wakers: Vec<_> =
            self.list.iter_mut().filter_map(|unit| unit.batch.withdraw(&mut unit.registration)).collect();
        drop(wakers);
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Units<K, V, E, R> {
    /// Begins and drives the loads; their members are due once they are over, or when their deadlines are to be noted.
    pub(super) fn drive<Q, S: Tuning, T, M>(
        &mut self,
        engine: &Engine<K, V, E, R, S>,
        members: &[Member<'_, Q, R, T, E>],
        leads: &mut M,
        (asked, have_deadlines): (Asked, bool),
        wakes: &Arc<CallWakes<R::Notify>>,
        due: &mut Vec<usize>,
    ) where
        K: Borrow<Q>,
        Q: ToOwned<Owned = K> + ?Sized,
        M: Leads<K, V, E, R::Threads>,
    {
        let woken = mem::take(&mut self.due);
        let mut has_ended = false;
        let mut drive = |unit: &mut Unit<K, V, E, R>| {
            let begins = !unit.has_begun;
            if begins {
                // (A clone of a key may panic; then it has not begun.)
                let seats = unit.seats(members);
                unit.has_begun = true;
                let make = |keys| leads.begin(&engine.source, keys).map(LoadOf::Many);
                engine.begin_batch(&unit.batch, seats, make);
            }
            let waker = unit.waker.get_or_insert_with(|| wakes.waker(members.len() + unit.id % members.len().max(1)));
            let _old = unit.batch.listen(&mut unit.registration, waker);
            engine.drive_batch(&unit.batch, asked == Asked::All);
            if unit.batch.is_over() {
                has_ended = true;
                due.extend(unit.members.drain(..).filter(|index| members[*index].told.is_none()));
            } else if begins && have_deadlines {
                due.extend(&unit.members);
            }
        };
        if asked == Asked::All {
            self.list.iter_mut().for_each(&mut drive);
        } else {
            for id in woken {
                if let Ok(at) = self.list.binary_search_by_key(&id, |unit| unit.id) {
                    drive(&mut self.list[at]);
                }
            }
            let begun = self.list.iter().rposition(|unit| unit.has_begun).map_or(0, |at| at + 1);
            self.list[begun..].iter_mut().for_each(&mut drive);
        }
        if has_ended {
            self.list.retain(|unit| !unit.members.is_empty());
        }
    }

    /// What was gathered and has not begun is given up.
    pub(super) fn give_back<Q: ?Sized, S: Tuning, T>(
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
        self.list.retain(|unit| !unit.members.is_empty());
    }
}

impl<K, V, E, R: Runtime> Unit<K, V, E, R> {
    /// Where what it brings is to be delivered.
    fn seats<Q: ToOwned<Owned = K> + ?Sized, T>(&self, members: &[Member<'_, Q, R, T, E>]) -> Vec<SeatOf<K, R>> {
        let mut seats = Vec::with_capacity(self.members.len());
        for index in &self.members {
            let Member { key, hash, stay, .. } = &members[*index];
            let newer = stay.waiting.newer.as_deref();
            let twin = newer.map(|(_, twin)| twin.clone());
            let seat_of = |seat| SeatOf { hash: *hash, key: (*key).to_owned(), seat, twin: twin.clone() };
            // (A newer epoch first: what is published is there before anybody is told.)
            seats.extend(newer.map(|(newer, _)| seat_of(newer.place_only())));
            seats.push(seat_of(stay.waiting.seat.place_only()));
        }
        seats
    }
}
