//! A lookup that owns its share of the cache, for those who share loads and keep what these bring elsewhere.

use alloc::sync::Arc;
use core::task::{Context, Poll};

use super::{
    ask::polls_itself,
    deferred::Deferred,
    inner::{FlightOf, Inner},
    means::Means,
    ride::Ride,
    visit::End,
    waiter::Waiter,
};
use crate::{
    Cache, Key, LoadError, Runtime, Tuning,
    shard::{Arrival, Asked, Waiting},
};

/// One key that is asked for.
pub(crate) struct Errand<K: Key, V: Clone, E, R: Runtime, S: Tuning, M> {
    // Dropped first: whoever leads next must find the seat free before the load that is kept with the means goes.
    waiter: Option<Waiter<K, V, E, R, S, Arc<Inner<K, V, E, R, S>>>>,
    inner: Arc<Inner<K, V, E, R, S>>,
    key: K,
    means: M,
}

/// What an errand comes to; `None` if there was no load to be joined and none could be begun.
pub(crate) type Errands<V, E> = Option<Result<V, LoadError<E>>>;

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, M: Means<K, V, E, R::Threads>> Errand<K, V, E, R, S, M> {
    pub(crate) fn new(cache: &Cache<K, V, E, R, S>, key: K, means: M) -> Self {
        Self { waiter: None, inner: Arc::clone(&cache.inner), key, means }
    }

    /// Joins the load of the key, or begins it, and carries it on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Errands<V, E>> {
        if self.waiter.is_none() {
            if let Some(end) = self.arrive(cx) {
                return Poll::Ready(end);
            }
            // Who has joined a load has no use for his own, nor for what it holds.
            self.means.drop_own();
        }
        let Self { waiter, key, means, .. } = self;
        let Some(seated) = waiter else { return Poll::Ready(None) };
        let Poll::Ready(end) = seated.poll(cx, None, means, |_| Some(key.clone())) else { return Poll::Pending };
        self.waiter = None;
        Poll::Ready(match end {
            End::Told(result) => Some(result.map(crate::Outcome::into_value)),
            End::Failed(failure, _) => Some(Err(LoadError::Failed(failure))),
            End::Alone(..) => None,
        })
    }

    /// Sits down in a flight; or returns what else the errand comes to.
    fn arrive(&mut self, cx: &Context<'_>) -> Option<Errands<V, E>> {
        let Self { waiter, inner, key, means } = self;
        let (hash, now, call) = (inner.hash(key), inner.runtime.now(), &inner.call);
        // Cloned before the lock is taken: should that panic, no load is dropped under it.
        let mut own = Some(key.clone());
        let asked = Asked { hash, now, rules: &inner.rules, call };
        let mut deferred = Deferred::<K, V, E, R>::new(&inner.source);
        inner.with(hash, |shard| {
            let start = || means.start(&inner.source).map(|start| start.map(Ride::Own));
            let is_inside = |flight: &FlightOf<K, V, E, R>| polls_itself::<K, V, E, R>(flight, cx.waker());
            match shard.arrive(
                &asked,
                || own.take().unwrap_or_else(|| key.clone()),
                |k| k == key,
                start,
                is_inside,
                deferred.effects(),
            ) {
                Arrival::Served(outcome, _) => Some(Some(Ok(outcome.into_value()))),
                Arrival::Refused(error) => Some(Some(Err(error))),
                Arrival::Alone(_) => Some(None),
                Arrival::Seated(seat, first) => {
                    let waiting = Waiting::new(hash, seat, call, first, now);
                    *waiter = Some(Waiter::new(Arc::clone(inner), waiting, now, true));
                    None
                }
            }
        })
    }
}
