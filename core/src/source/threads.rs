//! Many threads, or one: what each accepts as a load, as a source and as a back end.

use alloc::boxed::Box;
#[cfg(feature = "std")]
use core::task::Context;
use core::{future::Future, pin::Pin};

#[cfg(feature = "std")]
use super::First;
use super::{
    Files, Source, Threads,
    sealed::Sealed,
    told::{Say, Told},
};
use crate::sync::{Arc, erased};

/// A threading that can run this future as a load.
///
/// That is any future that is `'static`, on [`ManyThreads`] also `Send`; `X` is passed along with it. Public only to be
/// named in bounds, like [`Threads`].
///
/// On many threads, a load that must not leave its thread is refused where it is passed in:
///
/// ```compile_fail,E0277
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::{io, rc::Rc};
/// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build().unwrap();
/// let own = Rc::new(7);
/// let load = move || async move { Ok(*own) }; // `Rc<i32>` cannot be sent between threads safely
/// drop(cache.get_or_load(&1, load));
/// ```
///
/// So is a load that borrows, on any threading; the closure that makes it may borrow:
///
/// ```compile_fail,E0373
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::io;
/// let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build().unwrap();
/// let own = String::from("7");
/// drop(cache.get_or_load(&1, || async { Ok(own.len() as u32) }));
/// ```
///
/// ```
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::io;
/// # let cache = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new())).build().unwrap();
/// # let own = String::from("7");
/// drop(cache.get_or_load(&1, || {
///     let length = own.len() as u32;
///     async move { Ok(length) }
/// }));
/// drop(cache.get_with(&1, || async { Ok(own.len() as u32) })); // lent
/// ```
#[diagnostic::on_unimplemented(
    message = "a load of this type cannot be kept on `{Self}`",
    note = "on many threads, a load has to be `Send` and own what it needs (`'static`); for one that is not `Send`, take a runtime for one thread such as `parts::Local`",
    note = "a load that borrows can be lent by `get_with` and `lend`"
)]
pub trait Takes<F: Future, X = ()>: Threads {
    /// Erases the type of a load, and converts its result with `say`.
    #[doc(hidden)]
    fn task<O: 'static>(future: F, extra: X, say: fn(F::Output, X) -> O) -> Self::Task<O>;

    /// The same of a load that is yet to be made, where the compiler knows how to convert its result.
    #[doc(hidden)]
    fn load<O: 'static>(
        make: impl FnOnce() -> F,
        extra: X,
        say: impl Say<F::Output, X, O> + Copy + Send + 'static,
    ) -> Self::Task<O>;

    /// The same, and polls the load at once, while its type is known: if it has nothing to wait for, the compiler sees that.
    #[cfg(feature = "std")]
    #[doc(hidden)]
    fn first<O: 'static>(
        make: impl FnOnce() -> F,
        extra: X,
        say: impl Say<F::Output, X, O> + Copy + Send + 'static,
        cx: &mut Context<'_>,
    ) -> First<O, Self::Task<O>>;
}

/// A threading that can keep this source of values.
///
/// Public only to be named in bounds; the sources are made by the methods of [`Builder`](crate::Builder). On many
/// threads, a source that must not leave its thread is refused where it is passed in:
///
/// ```compile_fail,E0277
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::{io, rc::Rc};
/// let own = Rc::new(7);
/// let builder = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new()));
/// drop(builder.listener(move |_, _, _| println!("{own}"))); // `Rc<i32>` cannot be sent between threads safely
/// ```
///
/// ```compile_fail,E0277
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::{io, rc::Rc};
/// let builder = Cache::<u32, Rc<u32>, io::Error, _>::builder(Std::new(ManualClock::new()));
/// let held = |id| {
///     let own = Rc::new(id);
///     async move { Ok(own) }
/// };
/// drop(builder.load_fn(held)); // future cannot be sent between threads safely
/// ```
///
/// On one thread, both are accepted:
///
/// ```
/// # use larder::{Cache, ManualClock, parts::Local};
/// # use std::{io, rc::Rc};
/// let own = Rc::new(7);
/// let builder = Cache::<u32, Rc<u32>, io::Error, _>::builder(Local::new(ManualClock::new()));
/// let builder = builder.listener(move |_, _, _| println!("{own}"));
/// let held = |id| {
///     let own = Rc::new(id);
///     async move { Ok(own) }
/// };
/// drop(builder.load_fn(held));
/// ```
///
/// A loader of other values does not fit this cache:
///
/// ```compile_fail,E0277
/// # use larder::{Cache, ManualClock, parts::Std};
/// # use std::io;
/// let builder = Cache::<u32, u32, io::Error, _>::builder(Std::new(ManualClock::new()));
/// drop(builder.load_fn(|id: u32| async move { io::Result::Ok(id.to_string()) })); // not a load of `u32`
/// ```
#[diagnostic::on_unimplemented(
    message = "this cannot be kept by a cache of these keys, values and errors on `{Self}`",
    note = "on many threads, what a cache keeps has to be `Send`, `Sync` and `'static`, and so have its loads, but for `Sync`; on one thread (`parts::Local`) only `'static`",
    note = "where the runtime is a parameter, say which threading it has: `R: Runtime<Threads = ManyThreads>`"
)]
pub trait Keeps<K, V, E, S>: Threads {
    /// Erases the type of a source.
    #[doc(hidden)]
    fn keep(source: S) -> Arc<Self::Source<K, V, E>>;
}

/// A threading that can keep this back end.
///
/// Public only to be named in bounds; every [`Backend`](crate::Backend) that may move as the threading requires can be
/// kept.
///
/// ```
/// use larder::{Backend, ConfigError, Key, Runtime, Stores, WriteBack, WriteBackBuilder};
///
/// /// The common settings of a program's caches, for any back end.
/// fn pages<K: Key, R: Runtime, B: Backend<K>>(runtime: R, disk: B) -> WriteBackBuilder<K, B::Value, B::Error, R>
/// where
///     R::Threads: Stores<K, B::Value, B::Error, B>,
/// {
///     WriteBack::builder(runtime, disk).capacity(256)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{B}` cannot be kept as a back end on `{Self}`",
    note = "it has to implement `Backend`; on many threads, it has to be `Send`, `Sync` and `'static`, and its futures `Send` and `'static`"
)]
pub trait Stores<K, V, E, B>: Threads {
    /// Erases the type of a back end.
    #[doc(hidden)]
    fn store(backend: B) -> Arc<Self::Files<K, V, E>>;
}

/// Loads may move between threads, and stored values can be used from any.
///
/// ```
/// use larder::{Cache, ManualClock, parts::Std};
///
/// fn is_shared<T: Send + Sync>(_: &T) {}
///
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id * 2) })
///     .build()?;
/// is_shared(&cache);
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ManyThreads(());

/// Everything stays on its thread.
///
/// ```
/// use std::rc::Rc;
/// use larder::{Cache, ManualClock, parts::Local};
///
/// let shared = Rc::new(7);
/// let cache = Cache::builder(Local::new(ManualClock::new()))
///     .load_fn(move |_: u32| core::future::ready(Ok::<_, std::io::Error>(Rc::clone(&shared))))
///     .build()?;
/// assert_eq!(*futures_lite::future::block_on(cache.get(&1))?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OneThread(());

impl Sealed for ManyThreads {}
impl Sealed for OneThread {}

impl Threads for ManyThreads {
    type Task<O> = Pin<Box<dyn Future<Output = O> + Send>>;
    type Source<K, V, E> = dyn Source<K, V, E, Self> + Send + Sync;
    type Files<K, V, E> = dyn Files<K, V, E, Self> + Send + Sync;
    type Callback<A, O> = dyn Fn(A) -> O + Send + Sync;
}

impl Threads for OneThread {
    type Task<O> = Pin<Box<dyn Future<Output = O>>>;
    type Source<K, V, E> = dyn Source<K, V, E, Self>;
    type Files<K, V, E> = dyn Files<K, V, E, Self>;
    type Callback<A, O> = dyn Fn(A) -> O;
}

impl<F: Future + Send + 'static, X: Send + 'static> Takes<F, X> for ManyThreads {
    fn task<O: 'static>(future: F, extra: X, say: fn(F::Output, X) -> O) -> Self::Task<O> {
        Told::boxed(|| future, extra, say)
    }

    fn load<O: 'static>(
        make: impl FnOnce() -> F,
        extra: X,
        say: impl Say<F::Output, X, O> + Copy + Send + 'static,
    ) -> Self::Task<O> {
        Told::boxed(make, extra, say)
    }

    #[cfg(feature = "std")]
    #[inline(always)]
    fn first<O: 'static>(
        make: impl FnOnce() -> F,
        extra: X,
        say: impl Say<F::Output, X, O> + Copy + Send + 'static,
        cx: &mut Context<'_>,
    ) -> First<O, Self::Task<O>> {
        First::of(Some(Told::boxed(make, extra, say)), cx, |load| load)
    }
}

impl<F: Future + 'static, X: 'static> Takes<F, X> for OneThread {
    fn task<O: 'static>(future: F, extra: X, say: fn(F::Output, X) -> O) -> Self::Task<O> {
        Told::boxed(|| future, extra, say)
    }

    fn load<O: 'static>(
        make: impl FnOnce() -> F,
        extra: X,
        say: impl Say<F::Output, X, O> + Copy + Send + 'static,
    ) -> Self::Task<O> {
        Told::boxed(make, extra, say)
    }

    #[cfg(feature = "std")]
    #[inline(always)]
    fn first<O: 'static>(
        make: impl FnOnce() -> F,
        extra: X,
        say: impl Say<F::Output, X, O> + Copy + Send + 'static,
        cx: &mut Context<'_>,
    ) -> First<O, Self::Task<O>> {
        First::of(Some(Told::boxed(make, extra, say)), cx, |load| load)
    }
}

impl<K, V, E, S: Source<K, V, E, Self> + Send + Sync + 'static> Keeps<K, V, E, S> for ManyThreads {
    fn keep(source: S) -> Arc<Self::Source<K, V, E>> {
        erased!(source, Self::Source<K, V, E>)
    }
}

impl<K, V, E, S: Source<K, V, E, Self> + 'static> Keeps<K, V, E, S> for OneThread {
    fn keep(source: S) -> Arc<Self::Source<K, V, E>> {
        erased!(source, Self::Source<K, V, E>)
    }
}

impl<K, V, E, B: Files<K, V, E, Self> + Send + Sync + 'static> Stores<K, V, E, B> for ManyThreads {
    fn store(backend: B) -> Arc<Self::Files<K, V, E>> {
        erased!(backend, Self::Files<K, V, E>)
    }
}

impl<K, V, E, B: Files<K, V, E, Self> + 'static> Stores<K, V, E, B> for OneThread {
    fn store(backend: B) -> Arc<Self::Files<K, V, E>> {
        erased!(backend, Self::Files<K, V, E>)
    }
}
