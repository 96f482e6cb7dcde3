//! What the suite asks of a runtime, and the caches that it makes there.

use core::fmt::Display;
use core::future::Future;
use core::ops::Deref;

use larder::{
    Abandoned, Builder, Cache, DefaultHasher, Loader, Lookup, LookupMany, ManyLoader, Refresh, Runtime, Spawn,
    policy::GatedFifo,
};

use super::{AskingSlot, Caller, Loads, SlotAbandonment, SlotRenewal};

/// A runtime under test, and how futures are run on it.
pub trait Executor: 'static {
    /// The runtime of the caches.
    type Runtime: Adapter<Self::Value>;

    /// Their values: `Arc<u32>`, or `Rc<u32>` where nothing leaves its thread.
    type Value: Value;

    /// Makes a runtime and runs `check` on it to its end, and with it what is spawned meanwhile.
    ///
    /// Where time is virtual, it has to go on to the next deadline by itself when there is nothing else to do.
    fn run<F: Future<Output = ()>>(check: impl FnOnce(Self::Runtime) -> F);
}

/// A value that tells which load it is of.
pub trait Value: Clone + Display + From<u32> + Deref<Target = u32> + 'static {}

impl<V: Clone + Display + From<u32> + Deref<Target = u32> + 'static> Value for V {}

/// A cache that loads keys one by one.
pub type Cached<R, V> = Cache<u32, Loader<Loads<V>>, R>;

/// A cache that loads keys many at once.
pub type Batched<R, V> = Cache<u32, ManyLoader<Loads<V>>, R>;

/// The builder of a [`Cached`].
pub type Setup<R, V> = Builder<u32, R, Loader<Loads<V>>>;

/// A task that asks for one key.
pub type Asking<R, V> = Caller<Lookup<'static, u32, u32, Loader<Loads<V>>, R, GatedFifo, DefaultHasher>, V>;

/// A task that asks for many keys.
pub type AskingMany<R, V> = Caller<LookupMany<'static, u32, u32, ManyLoader<Loads<V>>, R, GatedFifo, DefaultHasher>, V>;

/// A refresh in the background.
pub type Renewal<R, V> = Refresh<u32, Loader<Loads<V>>, R, GatedFifo, DefaultHasher>;

/// A load that its callers have left.
pub type Abandonment<R, V> = Abandoned<u32, Loader<Loads<V>>, R, GatedFifo, DefaultHasher>;

/// A runtime that can be lent to several caches, and spawns what the suite spawns.
///
/// That is so for every runtime that spawns any future, or any that is `Send`.
pub trait Adapter<V: Value>:
    Runtime
    + Spawn<Asking<Self, V>>
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
    R: Runtime
        + Spawn<Asking<R, V>>
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
