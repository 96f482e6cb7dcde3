//! Who has to lead, by what, and what was answered to those whose load stays with the call.

use alloc::vec::Vec;
use core::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Asked, kept::Kept};
use crate::{
    Cause, Key, Previous, Runtime, Takes, Threads, Tuning,
    cache::{
        answers::Sorted,
        inner::Inner,
        means::{Means, Owned, answer},
    },
    flight::Start,
    source::{Answers, BatchOf, Sources, TaskOf},
};

/// Where the loads of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rests {
    /// In the flights: each key has a load of its own, by the cache's loader.
    ByKey,
    /// In the flights: each key has a part in one load.
    InFlights,
    /// Nowhere: there is nothing to load by.
    Nowhere,
}

/// How the keys of a call are loaded that it has to lead. Public only as a part of the futures' types.
pub trait Leads<K, V, E, T: Threads> {
    /// Whether loads are made by the call that leads, in that very poll; otherwise the first to drive asks for them.
    #[doc(hidden)]
    const IS_BROUGHT: bool;

    /// Says where the loads are.
    #[doc(hidden)]
    fn rests(&self, source: &Sources<K, V, E, T>) -> Rests;

    /// Begins a load of these keys.
    #[doc(hidden)]
    fn begin(&mut self, source: &Sources<K, V, E, T>, keys: Vec<K>) -> Option<BatchOf<K, V, E, T>>;
}

/// Leads by the cache's own loader.
pub struct FromLoader;

impl<K, V, E, T: Threads> Leads<K, V, E, T> for FromLoader {
    const IS_BROUGHT: bool = false;

    fn rests(&self, source: &Sources<K, V, E, T>) -> Rests {
        match (source.loads(), source.batches()) {
            (false, _) => Rests::Nowhere,
            (true, false) => Rests::ByKey,
            (true, true) => Rests::InFlights,
        }
    }

    fn begin(&mut self, source: &Sources<K, V, E, T>, keys: Vec<K>) -> Option<BatchOf<K, V, E, T>> {
        source.begin_many(keys)
    }
}

/// Leads by a closure of the call's own; `A` is what its loads answer.
pub(crate) struct ByClosure<K, V, E, C, F, A> {
    make: C,
    say: fn(Result<A, E>, ()) -> Result<Answers<K, V, E>, E>,
    loads: PhantomData<fn() -> F>,
}

impl<K, V, E, C, F, A> ByClosure<K, V, E, C, F, A> {
    pub(super) const fn new(make: C, say: fn(Result<A, E>, ()) -> Result<Answers<K, V, E>, E>) -> Self {
        Self { make, say, loads: PhantomData }
    }
}

impl<K, V, E, T, C, F, A> Leads<K, V, E, T> for ByClosure<K, V, E, C, F, A>
where
    K: 'static,
    V: 'static,
    E: 'static,
    T: Takes<F>,
    C: FnMut(Vec<K>) -> F,
    F: Future<Output = Result<A, E>>,
{
    const IS_BROUGHT: bool = true;

    fn rests(&self, _: &Sources<K, V, E, T>) -> Rests {
        Rests::InFlights
    }

    fn begin(&mut self, _: &Sources<K, V, E, T>, keys: Vec<K>) -> Option<BatchOf<K, V, E, T>> {
        Some(T::task((self.make)(keys), (), self.say))
    }
}

/// The means of all keys of one call; `turn` says whose they are at the moment.
pub(crate) struct Gather<K, V, E, R: Runtime, M> {
    pub(super) turn: usize,
    /// Who has to begin an attempt.
    pub(super) leads: Vec<usize>,
    /// Who has to load outside any flight.
    pub(super) alone: Vec<usize>,
    /// Loads that stay with the call.
    pub(super) kept: Vec<Kept<K, V, E, R>>,
    /// Whether a load is being made for those who lead: should that panic, it is their load's panic.
    pub(super) is_making: bool,
    pub(super) rests: Rests,
    pub(super) by: M,
    /// What each key has to itself, as far as any key has something.
    own: Vec<Option<Own<V, E, TaskOf<V, E, R::Threads>>>>,
}

/// What a key has to itself.
enum Own<V, E, F> {
    /// What a load that stays with the call has answered.
    Answer(Owned<V, E>),
    /// A load outside any flight.
    Load(F),
}

impl<K, V, E, R: Runtime, M> Gather<K, V, E, R, M> {
    pub(super) const fn new(by: M, rests: Rests) -> Self {
        Self {
            turn: 0,
            leads: Vec::new(),
            alone: Vec::new(),
            kept: Vec::new(),
            is_making: false,
            rests,
            by,
            own: Vec::new(),
        }
    }
}

impl<K: Key, V: Clone, E, R: Runtime, M: Leads<K, V, E, R::Threads>> Gather<K, V, E, R, M> {
    /// Drops the loads that stay with the call and that nobody waits for any more.
    pub(super) fn drop_unneeded<Q: ?Sized, S: Tuning, T>(&mut self, asked: &[Asked<'_, K, Q, V, E, R, S, T>]) {
        self.kept.retain(|kept| kept.members.iter().any(|member| asked[*member].told.is_none()));
    }

    /// Polls the loads that stay with the call.
    pub(super) fn poll_kept<Q: ?Sized, S: Tuning, T>(
        &mut self,
        inner: &Inner<K, V, E, R, S>,
        asked: &mut [Asked<'_, K, Q, V, E, R, S, T>],
        cx: &mut Context<'_>,
    ) {
        for index in (0..self.kept.len()).rev() {
            let mut polled = Polled { kept: Some(self.kept.swap_remove(index)), asked, own: &mut self.own };
            let Some(kept) = &mut polled.kept else { continue };
            let poll = kept.poll(inner, &mut self.by, cx);
            let Some(kept) = polled.kept.take() else { continue };
            match poll {
                Poll::Pending => self.kept.push(kept),
                Poll::Ready(Sorted { answers, .. }) => {
                    for (index, answer) in kept.members.into_iter().zip(answers) {
                        give(polled.own, index, Own::Answer(answer));
                    }
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

impl<K, V, E, R: Runtime, M> Means<K, V, E, R::Threads> for Gather<K, V, E, R, M> {
    fn start(&mut self, _: &Sources<K, V, E, R::Threads>) -> Option<Start<TaskOf<V, E, R::Threads>>> {
        match self.rests {
            Rests::Nowhere => None,
            Rests::ByKey => Some(Start::Fresh),
            Rests::InFlights => {
                self.leads.push(self.turn);
                Some(Start::Lent)
            }
        }
    }

    fn can_load(&self, _: &Sources<K, V, E, R::Threads>) -> bool {
        self.rests != Rests::Nowhere
    }

    fn start_alone(&mut self, source: &Sources<K, V, E, R::Threads>, key: K, previous: Option<Previous<V>>) {
        if self.rests == Rests::ByKey {
            if let Some(load) = source.begin(key, previous) {
                give(&mut self.own, self.turn, Own::Load(load));
            }
        } else {
            self.alone.push(self.turn);
        }
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<Owned<V, E>> {
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
struct Polled<'x, 'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, T> {
    kept: Option<Kept<K, V, E, R>>,
    asked: &'x mut [Asked<'a, K, Q, V, E, R, S, T>],
    own: &'x mut Vec<Option<Own<V, E, TaskOf<V, E, R::Threads>>>>,
}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, T> Drop for Polled<'_, '_, K, Q, V, E, R, S, T> {
    fn drop(&mut self) {
        for index in self.kept.take().into_iter().flat_map(|kept| kept.members) {
            self.asked[index].ask.panicked();
            // For who is polled once more, and has no flight that would tell him.
            give(self.own, index, Own::Answer(Err(Cause::Panicked)));
        }
    }
}
