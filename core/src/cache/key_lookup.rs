//! One call for one key: what every future of a lookup is made of.

use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future::Future,
    hash::Hash,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::LookupOptions;
use crate::{
    Key, LoadError, Outcome, Runtime, Tuning,
    shard::Takes,
    share::{Answered, Borrowed, Caller, CallerLoad, Engine},
    sync::Arc,
};

/// One call for one key. On drop it leaves its seat before a load that it has lent goes: the next leader finds it free.
pub(crate) struct KeyLookup<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> {
    pub(crate) engine: &'a Arc<Engine<K, V, E, R, S>>,
    key: &'a Q,
    caller: Caller<R>,
    by: M,
}

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> KeyLookup<'a, K, Q, V, E, R, S, M> {
    #[inline]
    pub(crate) fn new(engine: &'a Arc<Engine<K, V, E, R, S>>, key: &'a Q, by: M) -> Self {
        Self { engine, key, caller: Caller::New, by }
    }

    /// The same call, not polled yet, with another way to load.
    pub(crate) fn with<N>(self, by: N) -> KeyLookup<'a, K, Q, V, E, R, S, N> {
        KeyLookup::new(self.engine, self.key, by)
    }
}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> KeyLookup<'_, K, Q, V, E, R, S, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: CallerLoad<K, V, E, R::Threads>,
{
    /// Polls for the value, and returns it if it is there at once; all else comes to `rest`.
    ///
    /// A value that is returned by itself may come in registers: to write a small result to memory and to read it as a whole
    /// directly after that takes as long as a third of a hit.
    // One copy for all calls of a kind: the look for a hit is inlined here, which it would not be into several.
    #[inline(never)]
    fn poll_value(&mut self, cx: &mut Context<'_>, rest: &mut Poll<Result<V, LoadError<E>>>) -> Option<V> {
        let Self { engine, key, caller, by } = self;
        Engine::poll_value(engine, caller, *key, by, cx, rest)
    }

    /// Polls for the outcome, and for a ticket if the call takes stale values.
    pub(crate) fn poll_outcome(
        &mut self,
        options: &LookupOptions,
        takes_stale: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Answered<K, V, E, R, S>> {
        let Self { engine, key, caller, by } = self;
        let Some(stay) = caller.stay() else { return Poll::Pending };
        if options.expires() {
            engine.expects_expiry();
        }
        let mut call = options.over(&engine.rules);
        if takes_stale {
            call.takes = Takes::Ticket;
            if stay.is_new() {
                call.random = engine.source.random();
            }
        }
        Engine::poll_outcome(engine, stay, engine.hash(*key), &Borrowed(*key), &call, by, cx)
    }
}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> Unpin for KeyLookup<'_, K, Q, V, E, R, S, M> {}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> Future for KeyLookup<'_, K, Q, V, E, R, S, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: CallerLoad<K, V, E, R::Threads>,
{
    type Output = Result<V, LoadError<E>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut rest = Poll::Pending;
        match self.poll_value(cx, &mut rest) {
            Some(value) => {
                // There is no rest to drop, but the compiler does not know.
                mem::forget(rest);
                Poll::Ready(Ok(value))
            }
            None => rest,
        }
    }
}

impl<K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> Drop for KeyLookup<'_, K, Q, V, E, R, S, M> {
    #[inline]
    fn drop(&mut self) {
        match &mut self.caller {
            Caller::Stays(stay) if stay.waiting.seat.is_taken() => Engine::leave(self.engine, stay),
            _ => {}
        }
    }
}

/// One call for one key that wants the whole outcome.
pub(crate) struct OutcomeLookup<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> {
    pub(crate) ask: KeyLookup<'a, K, Q, V, E, R, S, M>,
    pub(crate) options: LookupOptions,
}

impl<'a, K: Key, Q: ?Sized, V: Clone, E, R: Runtime, S: Tuning, M> OutcomeLookup<'a, K, Q, V, E, R, S, M> {
    /// The same call, not polled yet, with another way to load.
    pub(crate) fn with<N>(self, by: N) -> OutcomeLookup<'a, K, Q, V, E, R, S, N> {
        OutcomeLookup { ask: self.ask.with(by), options: self.options }
    }
}

impl<K: Key, Q, V: Clone, E, R: Runtime, S: Tuning, M> Future for OutcomeLookup<'_, K, Q, V, E, R, S, M>
where
    K: Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    M: CallerLoad<K, V, E, R::Threads>,
{
    type Output = Result<Outcome<V, E>, LoadError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { ask, options } = &mut *self;
        ask.poll_outcome(options, false, cx).map(|told| told.map(|(outcome, _)| outcome))
    }
}
