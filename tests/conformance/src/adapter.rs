//! What the suite needs from a runtime, and the caches that it makes on it.

use core::fmt::Display;
use core::future::Future;
use core::ops::Deref;

use larder::{
    Builder, Cache, Keeps, Loaded, Refresh, RemovalCause, Runtime, Spawn, Standard, Takes,
    bounds::{FetchFn, Listener, Loader, ManyLoader},
    futures::{Abandoned, Lookup, LookupMany},
};

use super::{
    AskingSlot, Caller, Loads, SlotAbandonment, SlotRenewal,
    loads::{Loading, LoadingMany, Plain, PlainMany},
    slot::Fetch,
};
use crate::Boom;

/// A runtime under test, and how futures are run on it.
pub trait Executor: 'static {
    /// The runtime that the caches use.
    type Runtime: Adapter<Self::Value>;

    /// The values of the caches: `Arc<u32>`, or `Rc<u32>` if everything stays on one thread.
    type Value: Value;

    /// Makes a runtime and runs `check` on it until it ends, together with all tasks spawned meanwhile.
    ///
    /// If time is virtual, it has to advance to the next deadline by itself whenever there is nothing else to do.
    fn run<F: Future<Output = ()>>(check: impl FnOnce(Self::Runtime) -> F);
}

/// What a check is about: a runtime, and values of one type.
///
/// Checks know no more, so those of several executors with one runtime are the same functions.
pub trait Subject: 'static {
    /// The runtime that the caches use.
    type Runtime: Adapter<Self::Value>;

    /// The values of the caches.
    type Value: Value;
}

impl<R: Adapter<V>, V: Value> Subject for (R, V) {
    type Runtime = R;
    type Value = V;
}

/// A value that shows which load it comes from.
pub trait Value: Clone + Display + From<u32> + Deref<Target = u32> + 'static {}

impl<V: Clone + Display + From<u32> + Deref<Target = u32> + 'static> Value for V {}

/// A cache that loads keys one by one.
pub type Cached<R, V> = Cache<u32, V, Boom, R>;

/// A cache that loads many keys at once.
pub type Batched<R, V> = Cache<u32, V, Boom, R>;

/// The builder of a [`Cached`].
pub type Setup<R, V> = Builder<u32, V, Boom, R>;

/// A task that asks for one key.
pub type Asking<R, V> = Caller<Lookup<'static, Cached<R, V>, u32>, V>;

/// A task that asks for many keys.
pub type AskingMany<R, V> = Caller<LookupMany<'static, Cached<R, V>, u32>, V>;

/// A refresh in the background.
pub type Renewal<R, V> = Refresh<u32, V, Boom, R, Standard>;

/// A load that its callers have left.
pub type Abandonment<R, V> = Abandoned<u32, V, Boom, R, Standard>;

/// A runtime that several caches can share, and that can spawn what the suite spawns.
///
/// Every runtime that spawns any future, or any `Send` future, is one.
pub trait Adapter<V: Value>:
    Runtime<
        Threads: Keeps<u32, V, Boom, Loader<Loads<V>>>
                     + Keeps<u32, V, Boom, ManyLoader<Loads<V>>>
                     + Keeps<u32, V, Boom, Listener<Ear<V>>>
                     + Keeps<(), V, Boom, FetchFn<Fetch<V>, Loaded<V>>>
                     + Takes<Loading<V>>
                     + Takes<LoadingMany<V>>
                     + Takes<Plain<V>>
                     + Takes<PlainMany<V>>,
    > + Spawn<Asking<Self, V>>
    + Spawn<AskingMany<Self, V>>
    + Spawn<Renewal<Self, V>>
    + Spawn<Abandonment<Self, V>>
    + Spawn<AskingSlot<Self, V>>
    + Spawn<SlotRenewal<Self, V>>
    + Spawn<SlotAbandonment<Self, V>>
    + Clone
    + 'static
{
}

impl<V: Value, R> Adapter<V> for R where
    R: Runtime<
            Threads: Keeps<u32, V, Boom, Loader<Loads<V>>>
                         + Keeps<u32, V, Boom, ManyLoader<Loads<V>>>
                         + Keeps<u32, V, Boom, Listener<Ear<V>>>
                         + Keeps<(), V, Boom, FetchFn<Fetch<V>, Loaded<V>>>
                         + Takes<Loading<V>>
                         + Takes<LoadingMany<V>>
                         + Takes<Plain<V>>
                         + Takes<PlainMany<V>>,
        > + Spawn<Asking<R, V>>
        + Spawn<AskingMany<R, V>>
        + Spawn<Renewal<R, V>>
        + Spawn<Abandonment<R, V>>
        + Spawn<AskingSlot<R, V>>
        + Spawn<SlotRenewal<R, V>>
        + Spawn<SlotAbandonment<R, V>>
        + Clone
        + 'static
{
}

/// A listener that can be called from any thread.
pub type Ear<V> = Box<dyn Fn(&u32, &V, RemovalCause) + Send + Sync>;
