//! A load of many keys that stays with the call which began it.

use alloc::{sync::Arc, vec::Vec};
use core::task::{Context, Poll, Waker};

use super::gather::Leads;
use crate::{
    Key, Notify, Runtime, Tuning,
    cache::{
        answers::{Begun, Hashed, Sorted, Writes, sort},
        crowd::Hub,
        inner::Inner,
    },
    source::BatchOf,
};

/// One load for some of a call's keys.
///
/// It is polled with a waker of its own, by which a call for one of its keys that comes from inside it is known.
pub(crate) struct Kept<K, V, E, R: Runtime> {
    /// Whose load it is, in the order of the keys.
    pub(super) members: Vec<usize>,
    keys: Hashed<K>,
    load: Option<Begun<BatchOf<K, V, E, R::Threads>>>,
    hub: (Arc<Hub<R::Notify>>, Waker),
    listener: <R::Notify as Notify>::Listener,
}

impl<K, V, E, R: Runtime> Kept<K, V, E, R> {
    pub(super) fn new(members: Vec<usize>, keys: Hashed<K>) -> Self {
        let listener = <R::Notify as Notify>::Listener::default();
        Self { members, keys, load: None, hub: Hub::new(), listener }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Kept<K, V, E, R> {
    pub(super) fn poll<S: Tuning, M: Leads<K, V, E, R::Threads>>(
        &mut self,
        inner: &Inner<K, V, E, R, S>,
        by: &mut M,
        cx: &mut Context<'_>,
    ) -> Poll<Sorted<K, V, E>> {
        let (hub, waker) = &self.hub;
        let _displaced = hub.listen(&mut self.listener, cx.waker());
        if self.load.is_none() {
            self.load = Begun::begin(inner, &self.keys, |keys| by.begin(&inner.source, keys));
        }
        // Whoever keeps loads can begin them.
        let Some(begun) = &mut self.load else { return Poll::Pending };
        let Poll::Ready(result) = begun.poll(&mut Context::from_waker(waker)) else { return Poll::Pending };
        self.load = None;
        // Nothing of it is stored, and nothing beside it.
        Poll::Ready(sort(inner, &self.keys, result, Writes::default()))
    }
}
