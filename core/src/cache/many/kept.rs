//! A load of many keys that stays with the call which began it.

use alloc::{sync::Arc, vec::Vec};
use core::{
    future::Future,
    hash::BuildHasher,
    task::{Context, Poll, Waker},
};

use super::gather::Leads;
use crate::{
    Key, Notify, Runtime, Source,
    cache::{
        answers::{Begun, Hashed, Sorted, sort},
        crowd::Hub,
        inner::Inner,
    },
    policy::Policy,
    seams::Answers,
};

/// One load for some of a call's keys.
///
/// It is polled with a waker of its own, by which a call for one of its keys that comes from inside it is known.
pub(crate) struct Kept<K, R: Runtime, B> {
    /// Whose load it is, in the order of the keys.
    pub(super) members: Vec<usize>,
    keys: Hashed<K>,
    load: Option<Begun<B>>,
    hub: (Arc<Hub<R::Notify>>, Waker),
    listener: <R::Notify as Notify>::Listener,
    /// Whether what it answers may be stored.
    pub(super) is_stored: bool,
}

impl<K, R: Runtime, B> Kept<K, R, B> {
    pub(super) fn new(members: Vec<usize>, keys: Hashed<K>, is_stored: bool) -> Self {
        let listener = <R::Notify as Notify>::Listener::default();
        Self { members, keys, load: None, hub: Hub::new(), listener, is_stored }
    }

    pub(super) fn waker(&self) -> Waker {
        self.hub.1.clone()
    }
}

impl<K: Key, R: Runtime, B> Kept<K, R, B> {
    pub(super) fn poll<L: Source<K>, P: Policy, H: BuildHasher, M: Leads<K, L, Load = B>>(
        &mut self,
        inner: &Inner<K, L, R, P, H>,
        by: &mut M,
        cx: &mut Context<'_>,
    ) -> Poll<Sorted<K, L::Value, L::Error>>
    where
        B: Future<Output = Result<Answers<K, L::Value, L::Error>, L::Error>> + Unpin,
    {
        let (hub, waker) = &self.hub;
        let _displaced = hub.listen(&mut self.listener, cx.waker());
        if self.load.is_none() {
            self.load = Begun::begin(inner, &self.keys, |keys| by.begin(&inner.source, keys));
        }
        // Whoever keeps loads can begin them.
        let Some(begun) = &mut self.load else { return Poll::Pending };
        let Poll::Ready(result) = begun.poll(&mut Context::from_waker(waker)) else { return Poll::Pending };
        let writes = self.load.take().map(Begun::end).filter(|_| self.is_stored);
        Poll::Ready(sort(inner, &self.keys, result, writes.unwrap_or_default()))
    }
}
