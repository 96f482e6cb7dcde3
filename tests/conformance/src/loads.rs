//! Loads that end when the test tells them to.

use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use alloc::{collections::BTreeMap, sync::Arc};

use larder::{Load, LoadMany, Loaded, Ttl};

use crate::{Bang, Boom};

/// A loader whose loads are numbered from 1 and wait until the test ends them; a clone is the same loader.
pub struct Loads<V>(Arc<Mutex<State>>, PhantomData<fn() -> V>);

#[derive(Default)]
struct State {
    begun: Vec<Vec<u32>>,
    live: usize,
    ends: BTreeMap<usize, End>,
    wakers: BTreeMap<usize, Waker>,
}

/// How a load ends.
#[derive(Clone, Copy)]
pub enum End {
    /// With its number as the value.
    Value,
    /// With its number as the value, which lives this long.
    Lives(Duration),
    /// With its number as the value, which expires at once.
    AtOnce,
    /// With its number as the error.
    Error,
    /// With a panic.
    Panic,
}

impl<V> Clone for Loads<V> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<V> Default for Loads<V> {
    fn default() -> Self {
        Self(Arc::default(), PhantomData)
    }
}

impl<V> Loads<V> {
    /// Ends load `number`, now or once it is polled.
    pub fn end(&self, number: usize, end: End) {
        let waker = self.with(|state| {
            state.ends.insert(number, end);
            state.wakers.remove(&number)
        });
        waker.into_iter().for_each(Waker::wake);
    }

    /// Ends load `number` without waking a task: the next poll finds it ready.
    pub fn end_unheard(&self, number: usize, end: End) {
        drop(self.with(|state| {
            state.ends.insert(number, end);
            state.wakers.remove(&number)
        }));
    }

    /// How many loads have begun.
    pub fn begun(&self) -> usize {
        self.with(|state| state.begun.len())
    }

    /// The keys of each load that has begun.
    pub fn keys(&self) -> Vec<Vec<u32>> {
        self.with(|state| state.begun.clone())
    }

    /// How many loads are under way.
    pub fn live(&self) -> usize {
        self.with(|state| state.live)
    }

    /// Begins a load of these keys.
    pub fn begin(&self, keys: Vec<u32>) -> Loading<V> {
        let number = self.with(|state| {
            state.begun.push(keys);
            state.live += 1;
            state.begun.len()
        });
        Loading { loads: self.clone(), number }
    }

    /// Begins a load of these keys that returns the value alone.
    pub fn begin_plain(&self, keys: Vec<u32>) -> Plain<V> {
        Plain(self.begin(keys))
    }

    /// Begins a load of many keys that returns plain values.
    pub fn begin_many_plain(&self, keys: Vec<u32>) -> PlainMany<V> {
        PlainMany { loading: self.begin(keys.clone()), keys }
    }

    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A load under way.
pub struct Loading<V> {
    loads: Loads<V>,
    number: usize,
}

impl<V: From<u32>> Future for Loading<V> {
    type Output = Result<Loaded<V>, Boom>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let end = self.loads.with(|state| {
            let end = state.ends.get(&self.number).copied();
            if end.is_none() {
                state.wakers.insert(self.number, context.waker().clone());
            }
            end
        });
        let number = self.number as u32;
        let loaded = || Loaded::new(V::from(number));
        match end {
            None => Poll::Pending,
            Some(End::Value) => Poll::Ready(Ok(loaded())),
            Some(End::Lives(ttl)) => Poll::Ready(Ok(loaded().ttl(ttl))),
            Some(End::AtOnce) => Poll::Ready(Ok(loaded().ttl(Ttl::ExpiresAtOnce))),
            Some(End::Error) => Poll::Ready(Err(Boom(number))),
            Some(End::Panic) => std::panic::panic_any(Bang(number)),
        }
    }
}

impl<V> Drop for Loading<V> {
    fn drop(&mut self) {
        let waker = self.loads.with(|state| {
            state.live -= 1;
            state.wakers.remove(&self.number)
        });
        drop(waker);
    }
}

impl<V: Clone + From<u32>> Load<u32> for Loads<V> {
    type Value = V;
    type Error = Boom;
    type Future = Loading<V>;

    fn load(&self, key: u32) -> Loading<V> {
        self.begin(vec![key])
    }
}

/// A load of many keys under way; all keys get the same value.
pub struct LoadingMany<V> {
    keys: Vec<u32>,
    loading: Loading<V>,
}

impl<V: Clone + From<u32>> Future for LoadingMany<V> {
    type Output = Result<Vec<(u32, Result<Loaded<V>, Boom>)>, Boom>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = Pin::new(&mut self.loading).poll(context);
        poll.map_ok(|loaded| self.keys.iter().map(|key| (*key, Ok(loaded.clone()))).collect())
    }
}

impl<V: Clone + From<u32>> LoadMany<u32> for Loads<V> {
    type Value = V;
    type Error = Boom;
    type Answers = Vec<(u32, Result<Loaded<V>, Boom>)>;
    type Future = LoadingMany<V>;

    fn load_many(&self, keys: Vec<u32>) -> LoadingMany<V> {
        LoadingMany { loading: self.begin(keys.clone()), keys }
    }
}

/// A load that returns a plain value.
pub struct Plain<V>(Loading<V>);

impl<V: From<u32>> Future for Plain<V> {
    type Output = Result<V, Boom>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let number = self.0.number as u32;
        Pin::new(&mut self.0).poll(context).map_ok(|_| V::from(number))
    }
}

/// A load of many keys that returns plain values.
pub struct PlainMany<V> {
    keys: Vec<u32>,
    loading: Loading<V>,
}

impl<V: Clone + From<u32>> Future for PlainMany<V> {
    type Output = Result<Vec<(u32, V)>, Boom>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let value = V::from(self.loading.number as u32);
        let poll = Pin::new(&mut self.loading).poll(context);
        poll.map_ok(|_| self.keys.iter().map(|key| (*key, value.clone())).collect())
    }
}
