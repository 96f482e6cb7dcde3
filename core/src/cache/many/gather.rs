//! Who has to lead, and what was answered to those whose load stays with the call.

use alloc::vec::Vec;
use core::{
    future::Future,
    hash::BuildHasher,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Asked, kept::Kept};
use crate::{
    Key, Previous, Runtime, Source,
    cache::{
        inner::Inner,
        means::{Means, Owned, answer},
    },
    flight::Start,
    policy::Policy,
    seams::Answers,
};

/// Where the loads of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rests {
    /// In the flights: each key has a load of its own, by the cache's loader.
    ByKey,
    /// In the flights: each key has a part in one load.
    InFlights,
    /// With the call.
    WithCall,
}

/// How the keys of a call are loaded that it has to lead.
pub(crate) trait Leads<K, L: Source<K>> {
    /// A load of many keys that stays with the call.
    type Load: Future<Output = Result<Answers<K, L::Value, L::Error>, L::Error>> + Unpin;

    const RESTS: Rests;

    /// Begins a load that stays with the call.
    fn begin(&mut self, source: &L, keys: Vec<K>) -> Option<Self::Load>;
}

/// The means of all keys of one call; `turn` says whose they are at the moment.
pub(crate) struct Gather<K, L: Source<K>, R: Runtime, M: Leads<K, L>> {
    pub(super) turn: usize,
    /// Who has to begin an attempt.
    pub(super) leads: Vec<usize>,
    /// Who has to load outside any flight.
    pub(super) alone: Vec<usize>,
    /// Loads that stay with the call.
    pub(super) kept: Vec<Kept<K, L, R, M::Load>>,
    /// What they have answered.
    answers: Vec<(usize, Owned<L::Value, L::Error>)>,
    /// Loads outside any flight, of one key each.
    singles: Vec<(usize, L::Future)>,
    by: M,
}

impl<K, L: Source<K>, R: Runtime, M: Leads<K, L>> Gather<K, L, R, M> {
    pub(super) fn new(by: M) -> Self {
        Self {
            turn: 0,
            leads: Vec::new(),
            alone: Vec::new(),
            kept: Vec::new(),
            answers: Vec::new(),
            singles: Vec::new(),
            by,
        }
    }
}

impl<K: Key, L: Source<K>, R: Runtime, M: Leads<K, L>> Gather<K, L, R, M> {
    /// Drops the loads that stay with the call and that nobody waits for any more.
    pub(super) fn drop_unneeded<Q: ?Sized, P: Policy, H: BuildHasher, T>(
        &mut self,
        asked: &[Asked<'_, K, Q, L, R, P, H, T>],
    ) {
        self.kept.retain(|kept| kept.members.iter().any(|member| asked[*member].told.is_none()));
    }

    /// Polls the loads that stay with the call.
    pub(super) fn poll_kept<Q: ?Sized, P: Policy, H: BuildHasher, T>(
        &mut self,
        inner: &Inner<K, L, R, P, H>,
        asked: &mut [Asked<'_, K, Q, L, R, P, H, T>],
        cx: &mut Context<'_>,
    ) {
        for index in (0..self.kept.len()).rev() {
            let mut polled = Polled { kept: Some(self.kept.swap_remove(index)), asked };
            let Some(kept) = &mut polled.kept else { continue };
            let poll = kept.poll(inner, &mut self.by, cx);
            let kept = polled.kept.take();
            match poll {
                Poll::Pending => self.kept.extend(kept),
                Poll::Ready(answers) => self.answers.extend(answers),
            }
        }
    }
}

impl<K, L: Source<K>, R: Runtime, M: Leads<K, L>> Means<K, L> for Gather<K, L, R, M> {
    fn start(&mut self) -> Option<Start<L::Future>> {
        if M::RESTS == Rests::ByKey {
            return Some(Start::Fresh);
        }
        self.leads.push(self.turn);
        Some(Start::Lent)
    }

    fn start_alone(&mut self, source: &L, key: K, previous: Option<Previous<L::Value>>) {
        if M::RESTS == Rests::ByKey {
            self.singles.extend(source.begin(key, previous).map(|load| (self.turn, load)));
        } else {
            self.alone.push(self.turn);
        }
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
        if let Some(at) = self.answers.iter().position(|(index, _)| *index == self.turn) {
            return Poll::Ready(self.answers.swap_remove(at).1);
        }
        let single = self.singles.iter_mut().find(|(index, _)| *index == self.turn);
        single.map_or(Poll::Pending, |(_, load)| Pin::new(load).poll(cx).map(answer))
    }

    fn drop_own(&mut self) {
        self.singles.retain(|(index, _)| *index != self.turn);
    }
}

/// A load that is polled. Should the stack unwind, it has panicked, for all its keys.
struct Polled<'x, 'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, B, T> {
    kept: Option<Kept<K, L, R, B>>,
    asked: &'x mut [Asked<'a, K, Q, L, R, P, H, T>],
}

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, B, T> Drop
    for Polled<'_, '_, K, Q, L, R, P, H, B, T>
{
    fn drop(&mut self) {
        for index in self.kept.take().into_iter().flat_map(|kept| kept.members) {
            self.asked[index].ask.waiter().into_iter().for_each(|waiter| waiter.panicked());
        }
    }
}
