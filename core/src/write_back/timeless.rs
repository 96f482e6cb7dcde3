//! What the engine behind a write-back cache runs on: locks that hold the cache's book as well, and no time.

use core::{
    future::{Pending, pending},
    marker::PhantomData,
};

use crate::{Clock, DefaultHasher, Instant, Lock, Runtime, Timer, Tuning, policy::Lru};

/// The locks of another runtime, each with a `B` beside what it guards, and without its time: what is shared while it is
/// under way has no deadlines.
pub(crate) struct Timeless<R, B>(PhantomData<fn() -> (R, B)>);

impl<R, B> Timeless<R, B> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R, B> Clock for Timeless<R, B> {
    fn now(&self) -> Instant {
        Instant::ZERO
    }
}

impl<R, B> Timer for Timeless<R, B> {
    type Sleep = Pending<()>;

    fn sleep_until(&self, _: Instant) -> Self::Sleep {
        pending()
    }
}

impl<R: Runtime, B: Default> Runtime for Timeless<R, B> {
    type Lock<T> = Beside<R::Lock<(T, B)>, B>;
    type Notify = R::Notify;
    type Threads = R::Threads;
}

/// The engine's tuning: its hasher, and that the book stands beside its shard.
pub(crate) struct Aside(pub(super) DefaultHasher);

impl Tuning for Aside {
    type Policy = Lru;
    type Hasher = DefaultHasher;

    const IS_BESIDE: bool = true;

    fn into_hasher(self) -> Option<DefaultHasher> {
        Some(self.0)
    }
}

/// One lock around two things: what the engine keeps, and what stands beside that.
pub(crate) struct Beside<L, B> {
    both: L,
    beside: PhantomData<fn() -> B>,
}

impl<L, B> Beside<L, B> {
    /// Runs `f` on both.
    pub(super) fn with_both<T, O>(&self, f: impl FnOnce(&mut T, &mut B) -> O) -> O
    where
        L: Lock<(T, B)>,
    {
        self.both.with(|(value, beside)| f(value, beside))
    }
}

impl<T, L: Lock<(T, B)>, B: Default> Lock<T> for Beside<L, B> {
    fn new(value: T) -> Self {
        Self { both: L::new((value, B::default())), beside: PhantomData }
    }

    fn with<O>(&self, f: impl FnOnce(&mut T) -> O) -> O {
        self.both.with(|(value, _)| f(value))
    }
}
