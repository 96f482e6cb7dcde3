//! A load of many keys, from its beginning to its answers sorted by key.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use hashbrown::HashTable;

use super::{deferred::Deferred, inner::Inner, means::Owned};
use crate::{
    Cause, Key, Loaded, Runtime, Tuning,
    shard::{At, Unasked},
    source::{Answered, Answers},
};

/// Keys with their hashes.
pub(crate) type Hashed<K> = Box<[(u64, K)]>;

/// How many writes there have been to each shard; empty where it does not matter.
pub(crate) type Writes = Box<[u64]>;

/// A load of many keys under way.
pub(crate) struct Begun<B> {
    load: B,
    /// The writes that there had been before it.
    writes: Writes,
}

impl<B> Begun<B> {
    /// Begins a load of these keys.
    pub(crate) fn begin<K: Key, V: Clone, E, R: Runtime, S: Tuning>(
        inner: &Inner<K, V, E, R, S>,
        keys: &[(u64, K)],
        begin: impl FnOnce(Vec<K>) -> Option<B>,
    ) -> Option<Self> {
        let writes = inner.writes();
        begin(keys.iter().map(|(_, key)| key.clone()).collect()).map(|load| Self { load, writes })
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<B::Output>
    where
        B: Future + Unpin,
    {
        Pin::new(&mut self.load).poll(cx)
    }

    /// Drops the load, and returns how many writes there had been before it.
    pub(crate) fn end(self) -> Writes {
        self.writes
    }
}

/// What a load of many keys has answered.
pub(crate) struct Sorted<K, V, E> {
    /// What is to be said of each of its keys, in their order.
    pub(crate) answers: Vec<Owned<V, E>>,
    pub(crate) surplus: Surplus<K, V>,
}

/// Sorts what a load of these keys has answered, which began after so many writes.
///
/// A key that was not answered has failed; so has each, by the same error, if the load has failed as a whole. The first
/// answer counts.
pub(crate) fn sort<K: Key, V: Clone, E, R: Runtime, S: Tuning>(
    inner: &Inner<K, V, E, R, S>,
    keys: &[(u64, K)],
    result: Result<Answers<K, V, E>, E>,
    writes: Writes,
) -> Sorted<K, V, E> {
    let answers = match result {
        Ok(answers) => answers,
        Err(error) => {
            let error = Arc::new(error);
            let answers = keys.iter().map(|_| Err(Cause::Error(Arc::clone(&error)))).collect();
            return Sorted { answers, surplus: Surplus::default() };
        }
    };
    let mut places = HashTable::with_capacity(keys.len());
    for (index, (hash, _)) in keys.iter().enumerate() {
        places.insert_unique(*hash, index, |index: &usize| keys[*index].0);
    }
    let mut sorted: Vec<_> = keys.iter().map(|_| None).collect();
    let mut surplus = Vec::new();
    for (key, answer) in answers {
        let hash = inner.hash(&key);
        match places.find(hash, |index| keys[*index].1 == key) {
            Some(index) if sorted[*index].is_none() => {
                sorted[*index] = Some(answer.map(Answered::New).map_err(|error| Cause::Error(Arc::new(error))));
            }
            None if !writes.is_empty() => surplus.extend(answer.ok().map(|loaded| (hash, key, loaded))),
            _ => {}
        }
    }
    let answers = sorted.into_iter().map(|answer| answer.unwrap_or(Err(Cause::Missing))).collect();
    let surplus = if surplus.is_empty() { Surplus::default() } else { Surplus(Vec::from([(writes, surplus)])) };
    Sorted { answers, surplus }
}

/// What loads have answered though nobody asked for it, where that is stored; each with the writes before its load.
pub(crate) struct Surplus<K, V>(Vec<(Writes, Vec<(u64, K, Loaded<V>)>)>);

impl<K, V> Default for Surplus<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Key, V: Clone> Surplus<K, V> {
    /// Stores it; what was asked for has to be published before, as code of the user's runs in here.
    pub(crate) fn store<E, R, S>(self, inner: &Inner<K, V, E, R, S>)
    where
        R: Runtime,
        S: Tuning,
    {
        for (writes, found) in self.0 {
            let now = inner.runtime.now();
            for (hash, key, loaded) in found {
                let judgement = inner.judge(&key, &loaded);
                let Some(writes) = writes.get(inner.shard_of(hash)).copied() else { continue };
                let unasked = Unasked { hash, key, loaded, writes };
                let mut deferred = Deferred::<K, V, E, R>::new(&inner.source);
                let (at, effects) = (At { now, rules: &inner.rules }, deferred.effects());
                inner.with(hash, |shard| shard.insert_surplus(unasked, judgement, at, effects));
            }
        }
    }
}
