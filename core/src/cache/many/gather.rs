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
    Cause, Key, Previous, Runtime, Source,
    cache::{
        answers::{Sorted, Surplus},
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
    pub(super) kept: Vec<Kept<K, R, M::Load>>,
    /// What they have answered beside that.
    pub(super) surplus: Surplus<K, L::Value>,
    /// What each key has to itself, as far as any key has something.
    own: Vec<Option<Own<L::Value, L::Error, L::Future>>>,
    by: M,
}

/// What a key has to itself.
enum Own<V, E, F> {
    /// What a load that stays with the call has answered.
    Answer(Owned<V, E>),
    /// A load outside any flight.
    Load(F),
}

impl<K, L: Source<K>, R: Runtime, M: Leads<K, L>> Gather<K, L, R, M> {
    pub(super) fn new(by: M) -> Self {
        Self {
            turn: 0,
            leads: Vec::new(),
            alone: Vec::new(),
            kept: Vec::new(),
            surplus: Surplus::default(),
            own: Vec::new(),
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
            let mut polled = Polled { kept: Some(self.kept.swap_remove(index)), asked, own: &mut self.own };
            let Some(kept) = &mut polled.kept else { continue };
            let poll = kept.poll(inner, &mut self.by, cx);
            let Some(kept) = polled.kept.take() else { continue };
            match poll {
                Poll::Pending => self.kept.push(kept),
                Poll::Ready(Sorted { answers, surplus }) => {
                    for (index, answer) in kept.members.into_iter().zip(answers) {
                        give(polled.own, index, Own::Answer(answer));
                    }
                    self.surplus.append(surplus);
                }
            }
        }
    }
}

/// Notes what the key at `index` has to itself.
fn give<T>(own: &mut Vec<Option<T>>, index: usize, one: T) {
    if own.len() <= index {
        own.resize_with(index + 1, || None);
    }
    own[index] = Some(one);
}

impl<K, L: Source<K>, R: Runtime, M: Leads<K, L>> Means<K, L> for Gather<K, L, R, M> {
    fn start(&mut self) -> Option<Start<L::Future>> {
        if M::RESTS == Rests::ByKey {
            return Some(Start::Fresh);
        }
        // One who leads already would leave his first attempt behind, with nobody to poll its load for it.
        if self.kept.iter().any(|kept| kept.is_stored && kept.members.contains(&self.turn)) {
            return None;
        }
        self.leads.push(self.turn);
        Some(Start::Lent)
    }

    fn start_alone(&mut self, source: &L, key: K, previous: Option<Previous<L::Value>>) {
        if M::RESTS == Rests::ByKey {
            if let Some(load) = source.begin(key, previous) {
                give(&mut self.own, self.turn, Own::Load(load));
            }
        } else {
            self.alone.push(self.turn);
        }
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<L::Value, L::Error>> {
        let Some(own) = self.own.get_mut(self.turn) else { return Poll::Pending };
        if let Some(Own::Load(load)) = own {
            return Pin::new(load).poll(cx).map(answer);
        }
        match own.take() {
            Some(Own::Answer(answer)) => Poll::Ready(answer),
            _ => Poll::Pending,
        }
    }

    fn is_put_off(&self) -> bool {
        self.leads.last() == Some(&self.turn)
    }

    fn drop_own(&mut self) {
        drop(self.own.get_mut(self.turn).and_then(Option::take));
    }
}

/// A load that is polled. Should the stack unwind, it has panicked, for all its keys.
struct Polled<'x, 'a, K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, B, T> {
    kept: Option<Kept<K, R, B>>,
    asked: &'x mut [Asked<'a, K, Q, L, R, P, H, T>],
    own: &'x mut Vec<Option<Own<L::Value, L::Error, L::Future>>>,
}

impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, B, T> Drop
    for Polled<'_, '_, K, Q, L, R, P, H, B, T>
{
    fn drop(&mut self) {
        for index in self.kept.take().into_iter().flat_map(|kept| kept.members) {
            self.asked[index].ask.panicked();
            // For who is polled once more, and has no flight that would tell him.
            give(self.own, index, Own::Answer(Err(Cause::Panicked)));
        }
    }
}
