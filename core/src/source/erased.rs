//! All user code that the engine calls, its type erased when the cache is built.

use alloc::{boxed::Box, vec::Vec};
#[cfg(feature = "std")]
use core::task::Context;
use core::{any::Any, future::Future, time::Duration};

use super::{Answered, Asked, Failed, First, sealed::Sealed};
use crate::{Cause, Failure, Loaded, RemovalCause, Ttl, sync::Arc};

/// Whether loads and stored values may move between threads.
///
/// This is [`ManyThreads`](crate::ManyThreads) or [`OneThread`](crate::OneThread); each [`Runtime`](crate::Runtime)
/// names one. On many threads, what a cache is given (loaders, weighers, listeners) has to be `Send`, `Sync` and
/// `'static`, and so have loads, except for `Sync`; the cache itself can be shared if its keys, values and errors can.
/// On one thread they only have to be `'static`, and values may be types like `Rc`.
///
/// Not to be implemented for other types; public only so that bounds can name it.
///
/// ```
/// use larder::{BoxIo, Cache, Runtime};
/// use std::io;
///
/// /// A cache of files on any runtime whose loads may move between threads.
/// async fn read<R>(files: &Cache<String, String, io::Error, R>, path: &str, file: BoxIo<io::Result<String>>)
///     -> Option<String>
/// where
///     R: Runtime<Threads = larder::ManyThreads>,
/// {
///     files.get_or_load(path, || file).await.ok()
/// }
/// ```
pub trait Threads: Sized + Sealed + 'static {
    /// A load under way, its type erased.
    type Task<O>: Future<Output = O> + Unpin;

    /// A source of values, its type erased.
    #[doc(hidden)]
    type Source<K, V, E>: ?Sized + Source<K, V, E, Self>;

    /// A back end, its type erased.
    #[doc(hidden)]
    type Files<K, V, E>: ?Sized + Files<K, V, E, Self>;

    /// A stored closure, its type erased.
    #[doc(hidden)]
    type Callback<A, O>: ?Sized + Fn(A) -> O;
}

/// A load of one value under way.
pub(crate) type TaskOf<V, E, T> = <T as Threads>::Task<Result<Answered<V, E>, E>>;

/// What comes of a load of one value that is made and polled at once.
pub(crate) type FirstOf<V, E, T> = First<Result<Answered<V, E>, E>, TaskOf<V, E, T>>;

/// A load of many values under way, up to what it delivers next.
pub(crate) type BatchOf<K, V, E, T> = <T as Threads>::Task<Delivery<K, V, E, T>>;

/// What a load of many keys returns for each.
pub(crate) type Answers<K, V, E> = Vec<(K, Result<Loaded<V>, Failed<V, E>>)>;

/// Answers that have come, and what is left of their load.
pub struct Delivery<K, V, E, T: Threads> {
    pub(crate) answers: Answers<K, V, E>,
    pub(crate) rest: Rest<BatchOf<K, V, E, T>, E>,
}

/// What becomes of the keys that are not answered yet.
pub enum Rest<L, E> {
    /// The load goes on.
    More(L),
    /// It is over: they are missing, or have failed.
    End(Result<(), E>),
}

/// One piece of user code that the engine calls. Methods that it does not implement change nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not load values of this cache: its keys, values or errors differ",
    note = "a loader returns `Result<V, E>`, or `Result<Loaded<V>, E>` where documented, with the cache's own `V` and `E`"
)]
pub trait Source<K, V, E, T: Threads> {
    /// Begins to load one value.
    fn load(&self, key: K, asked: Asked<V>) -> Option<TaskOf<V, E, T>> {
        let _ = (key, asked);
        None
    }

    /// Begins to load one value, and polls the load at once.
    #[cfg(feature = "std")]
    fn load_and_poll(&self, key: K, cx: &mut Context<'_>) -> FirstOf<V, E, T> {
        First::of(self.load(key, Asked::default()), cx, |load| load)
    }

    /// Begins to load many values, in any case if that is what their caller wants.
    fn load_many(&self, keys: Vec<K>, reload: bool) -> Option<BatchOf<K, V, E, T>> {
        let _ = (keys, reload);
        None
    }

    /// Says what a value weighs.
    fn weigh(&self, key: &K, value: &V) -> Option<u64> {
        let _ = (key, value);
        None
    }

    /// Says how long a value lives.
    fn end(&self, key: &K, value: &V) -> Ttl {
        let _ = (key, value);
        Ttl::Inherit
    }

    /// Tells the time by a wall clock, since the beginning of 1970.
    fn wall_time(&self) -> Option<Duration> {
        None
    }

    /// Says how long a failure is kept.
    fn keep(&self, error: &E) -> Option<Duration> {
        let _ = error;
        None
    }

    /// Is told that a value has left.
    fn left(&self, key: &K, value: &V, cause: RemovalCause) {
        let _ = (key, value, cause);
    }

    /// Draws a number between 0 and 1.
    fn random(&self) -> Option<f64> {
        None
    }

    /// Whether a load uses the previous value; asked once.
    fn revalidates(&self) -> bool {
        false
    }

    /// Whether it loads many values at once; asked once.
    fn batches(&self) -> bool {
        false
    }
}

/// A back end, its type erased when the cache is built.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a back end of this cache: its keys, values or errors differ",
    note = "it has to implement `Backend`, with the cache's values and errors"
)]
pub trait Files<K, V, E, T: Threads> {
    /// Begins to load the value of `key`.
    fn load(&self, key: K) -> T::Task<Result<V, E>>;

    /// Begins to write `value`.
    fn flush(&self, key: K, value: V) -> T::Task<Result<(), E>>;

    /// Is told that `value` is dropped unwritten.
    fn discard(&self, key: K, value: V) -> T::Task<()>;

    /// Is told that the cache was dropped with these keys dirty.
    fn lost(&self, keys: Vec<K>);
}

/// Is told that a value has appeared or gone.
pub(crate) trait Watch {
    fn touched(&self, what: Touched);

    /// Returns itself, for callers that know its type.
    fn as_any(&self) -> &dyn Any;
}

/// What happened to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    /// There is another one, or none any more.
    Value,
    /// It is still there, or there is none, and the time of the next load has changed.
    Deadline,
}

/// What the user's rules say of a value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) ttl: Ttl,
    pub(crate) weight: Option<u64>,
}

/// The user code that a cache keeps: one place for each kind.
pub struct Sources<K, V, E, T: Threads> {
    loader: Option<Arc<T::Source<K, V, E>>>,
    weigher: Option<Arc<T::Source<K, V, E>>>,
    expiry: Option<Arc<T::Source<K, V, E>>>,
    wall_clock: Option<Arc<T::Source<K, V, E>>>,
    pub(crate) keeper: Option<Arc<T::Source<K, V, E>>>,
    pub(crate) listener: Option<Arc<T::Source<K, V, E>>>,
    pub(crate) chance: Option<Arc<T::Source<K, V, E>>>,
    pub(crate) watcher: Option<Box<dyn Watch + Send + Sync>>,
    revalidates: bool,
    batches: bool,
    judges: bool,
}

impl<K, V, E, T: Threads> Sources<K, V, E, T> {
    pub(crate) const fn new() -> Self {
        Self {
            loader: None,
            weigher: None,
            expiry: None,
            wall_clock: None,
            keeper: None,
            listener: None,
            chance: None,
            watcher: None,
            revalidates: false,
            batches: false,
            judges: false,
        }
    }

    pub(crate) fn set_loader(&mut self, loader: Arc<T::Source<K, V, E>>) {
        (self.revalidates, self.batches) = (loader.revalidates(), loader.batches());
        self.loader = Some(loader);
    }

    /// Whether there is a loader.
    pub(crate) const fn loads(&self) -> bool {
        self.loader.is_some()
    }

    pub(crate) const fn revalidates(&self) -> bool {
        self.revalidates
    }

    pub(crate) const fn batches(&self) -> bool {
        self.batches
    }

    /// Returns whether anybody is told of values that come and leave.
    pub(crate) const fn tells(&self) -> bool {
        self.listener.is_some() || self.watcher.is_some()
    }

    /// Returns whether any user code decides what happens to a value.
    #[inline(always)]
    pub(crate) const fn judges(&self) -> bool {
        self.judges
    }

    pub(crate) fn set_weigher(&mut self, weigher: Arc<T::Source<K, V, E>>) {
        (self.judges, self.weigher) = (true, Some(weigher));
    }

    pub(crate) fn set_expiry(&mut self, expiry: Arc<T::Source<K, V, E>>) {
        (self.judges, self.expiry) = (true, Some(expiry));
    }

    pub(crate) fn set_wall_clock(&mut self, clock: Arc<T::Source<K, V, E>>) {
        (self.judges, self.wall_clock) = (true, Some(clock));
    }

    pub(crate) fn begin(&self, key: K, asked: Asked<V>) -> Option<TaskOf<V, E, T>> {
        self.loader.as_ref()?.load(key, asked)
    }

    #[cfg(feature = "std")]
    pub(crate) fn begin_and_poll(&self, key: K, cx: &mut Context<'_>) -> FirstOf<V, E, T> {
        self.loader.as_ref().map_or(First::Pending(None), |loader| loader.load_and_poll(key, cx))
    }

    pub(crate) fn begin_many(&self, keys: Vec<K>, reload: bool) -> Option<BatchOf<K, V, E, T>> {
        self.loader.as_ref()?.load_many(keys, reload)
    }

    /// Judges an answer; an end by a wall clock becomes a length.
    pub(crate) fn judge(&self, key: &K, loaded: &mut Loaded<V>) -> Judgement {
        let weight = self.weigher.as_ref().and_then(|weigher| weigher.weigh(key, &loaded.value));
        let ttl = self.expiry.as_ref().map_or(Ttl::Inherit, |expiry| expiry.end(key, &loaded.value));
        let Some(wall_time) = self.wall_clock.as_ref().and_then(|clock| clock.wall_time()) else {
            return Judgement { ttl, weight };
        };
        loaded.ttl = loaded.ttl.by_wall_clock(wall_time);
        Judgement { ttl: ttl.by_wall_clock(wall_time), weight }
    }

    /// Returns the failure of a load, and how long it is kept if that is set for its error.
    pub(crate) fn failure(&self, cause: Cause<E>) -> Failure<E> {
        let length = match (&self.keeper, &cause) {
            (Some(keeper), Cause::Error(error)) => keeper.keep(error),
            _ => None,
        };
        let failure = Failure::new(cause);
        match length {
            Some(length) => failure.lasting(length),
            None => failure,
        }
    }

    pub(crate) fn random(&self) -> Option<f64> {
        self.chance.as_ref().and_then(|chance| chance.random())
    }
}
