//! Loads of many keys whose answers come one by one.

use alloc::{boxed::Box, vec::Vec};
use core::{
    fmt,
    future::Future,
    marker::PhantomData,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    Asked, BatchOf, Failed, Source, Takes, TaskOf, Threads,
    erased::{Answers, Delivery, Rest},
};
use crate::{Loaded, Lock, Runtime, contain::contain, sync::Arc};

/// Where a load of many keys sends its answers, one by one.
///
/// It is given to the closure of [`Builder::load_each_fn`](crate::Builder::load_each_fn). What is sent while the load is
/// polled is published when that poll has returned, in one step, with one reading of the clock: it is stored, and all callers
/// that wait for these keys are told, while the load goes on for the others. The sink may also be moved to another task or
/// thread; then the answer is published as soon as a waiting caller is polled, which it wakes.
///
/// Answers may come in any order. If a key is answered twice, the first answer counts. What is sent after the end of the
/// load is dropped, and so is what was sent in a poll that panics: to the cache the load of these keys has failed.
///
/// Clones send to the same load.
pub struct AnswerSink<K, V, E, R: Runtime> {
    queue: Arc<R::Lock<Queue<K, V, E>>>,
    reload: bool,
}

/// Answers that have been sent and not been published.
struct Queue<K, V, E> {
    answers: Answers<K, V, E>,
    /// Woken by an answer from outside the load.
    waker: Option<Waker>,
    is_closed: bool,
}

impl<K, V, E, R: Runtime> AnswerSink<K, V, E, R> {
    fn new(reload: bool) -> Self {
        Self { queue: Arc::new(R::Lock::new(Queue { answers: Vec::new(), waker: None, is_closed: false })), reload }
    }

    /// Answers one key with its value.
    ///
    /// A plain value, or a [`Loaded`] with a lifetime and a weight.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{AnswerSink, Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let load = |ids: Vec<u32>, answers: AnswerSink<_, _, _, _>| async move {
    ///     for id in ids {
    ///         answers.answer(id, id * 2);
    ///     }
    ///     io::Result::Ok(())
    /// };
    /// let cache = Cache::builder(Std::new(ManualClock::new())).load_each_fn(load).build()?;
    /// assert_eq!(block_on(cache.get(&21))?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answer(&self, key: K, value: impl Into<Loaded<V>>) {
        self.send(key, Ok(value.into()));
    }

    /// Answers one key with its value or its failure.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{AnswerSink, Cache, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let root = |square: i32| match square {
    ///     0.. => Ok(Loaded::new(f64::from(square).sqrt())),
    ///     _ => Err(io::Error::other("not a square")),
    /// };
    /// let load = move |squares: Vec<i32>, answers: AnswerSink<_, _, _, _>| async move {
    ///     squares.into_iter().for_each(|square| answers.send(square, root(square)));
    ///     Ok(())
    /// };
    /// let cache = Cache::builder(Std::new(ManualClock::new())).load_each_fn(load).build()?;
    /// let roots = block_on(cache.get_many(&[4, -1]));
    /// assert_eq!(roots[0].as_ref().ok(), Some(&2.0));
    /// assert!(roots[1].is_err());
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn send(&self, key: K, answer: Result<Loaded<V>, E>) {
        self.push(key, answer.map_err(Failed::new));
    }

    /// Answers one key with its failure, and with what may be served instead.
    ///
    /// See [`Failed`].
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{AnswerSink, Cache, Failed, ManualClock, parts::Std};
    /// # use std::io;
    /// let load = |ids: Vec<u32>, answers: AnswerSink<_, _, io::Error, _>| async move {
    ///     for id in ids {
    ///         answers.fail(id, Failed::new(io::Error::other("no route")).instead("192.0.2.1"));
    ///     }
    ///     Ok(())
    /// };
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .stale_if_error(Duration::from_secs(60))
    ///     .load_each_fn(load)
    ///     .build()?;
    /// let found = block_on(cache.lookup(&1))?;
    /// assert_eq!(*found.value(), "192.0.2.1");
    /// assert!(found.error().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail(&self, key: K, failed: impl Into<Failed<V, E>>) {
        self.push(key, Err(failed.into()));
    }

    /// Returns whether the load is one by [`Cache::refresh`](crate::Cache::refresh), or by a call with
    /// [`LookupOptions::reload`](crate::LookupOptions::reload).
    ///
    /// For a loader that asks another cache first, which is of no use then. See also
    /// [`Revalidate::reload`](crate::Revalidate::reload).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{AnswerSink, Cache, ManualClock, parts::Std};
    /// # use std::io;
    /// let load = |ids: Vec<u32>, answers: AnswerSink<_, _, _, _>| async move {
    ///     for id in ids {
    ///         answers.answer(id, if answers.is_reload() { "from the source" } else { "from a copy" });
    ///     }
    ///     io::Result::Ok(())
    /// };
    /// let cache = Cache::builder(Std::new(ManualClock::new())).load_each_fn(load).build()?;
    /// assert_eq!(block_on(cache.get(&1))?, "from a copy");
    /// assert_eq!(block_on(cache.refresh(&1))?.into_value(), "from the source");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn is_reload(&self) -> bool {
        self.reload
    }

    fn push(&self, key: K, answer: Result<Loaded<V>, Failed<V, E>>) {
        let mut answer = Some((key, answer));
        let waker = self.queue.with(|queue| {
            if queue.is_closed {
                return None;
            }
            queue.answers.extend(answer.take());
            queue.waker.take()
        });
        // Woken, and dropped if nobody waits any more, without the lock.
        waker.into_iter().for_each(Waker::wake);
    }

    /// Returns what was sent, and from now on wakes `waker` for what will be.
    fn take(&self, waker: Option<Waker>) -> Answers<K, V, E> {
        self.queue.with(|queue| {
            queue.waker = waker;
            mem::take(&mut queue.answers)
        })
    }

    fn close(&self) {
        let left = self.queue.with(|queue| {
            queue.is_closed = true;
            (mem::take(&mut queue.answers), queue.waker.take())
        });
        // A load that panics leaves what it has sent: a second panic would end the process.
        contain(|| drop(left));
    }
}

impl<K, V, E, R: Runtime> Clone for AnswerSink<K, V, E, R> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), reload: self.reload }
    }
}

impl<K, V, E, R: Runtime> fmt::Debug for AnswerSink<K, V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerSink").finish_non_exhaustive()
    }
}

/// A loader that is a closure which sends its answers one by one.
pub struct LoadEachFn<F, R>(pub(crate) F, pub(crate) PhantomData<fn() -> R>);

/// Such a load under way: it returns whenever something was sent.
pub struct Each<F, K, V, E, R: Runtime> {
    /// What is left of it.
    load: Option<(Pin<Box<F>>, AnswerSink<K, V, E, R>)>,
    /// Only this key is waited for.
    only: Option<K>,
}

impl<F, K, V, E, R: Runtime> Unpin for Each<F, K, V, E, R> {}

impl<F, K, V, E, R> Future for Each<F, K, V, E, R>
where
    F: Future<Output = Result<(), E>>,
    K: Eq,
    R: Runtime,
{
    type Output = (Answers<K, V, E>, Rest<Self, E>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some((load, sink)) = &mut this.load else { return Poll::Pending };
        // What is sent while it is polled needs no wake: it is looked at next.
        drop(sink.queue.with(|queue| queue.waker.take()));
        if let Poll::Ready(result) = load.as_mut().poll(cx) {
            return Poll::Ready((sink.take(None), Rest::End(result)));
        }
        let answers = sink.take(Some(cx.waker().clone()));
        match &this.only {
            None if answers.is_empty() => Poll::Pending,
            None => Poll::Ready((answers, Rest::More(Self { load: this.load.take(), only: None }))),
            Some(key) if answers.iter().any(|answer| answer.0 == *key) => Poll::Ready((answers, Rest::End(Ok(())))),
            Some(_) => Poll::Pending,
        }
    }
}

impl<F, K, V, E, R: Runtime> Drop for Each<F, K, V, E, R> {
    fn drop(&mut self) {
        if let Some((_, sink)) = &self.load {
            sink.close();
        }
    }
}

impl<F, K, V, E, R: Runtime> Each<F, K, V, E, R> {
    fn begin(make: impl FnOnce(AnswerSink<K, V, E, R>) -> F, only: Option<K>, reload: bool) -> Self {
        let sink = AnswerSink::new(reload);
        let closing = Closing(&sink);
        let load = Box::pin(make(sink.clone()));
        mem::forget(closing);
        Self { load: Some((load, sink)), only }
    }
}

/// Nobody takes what is sent if the closure panics.
struct Closing<'a, K, V, E, R: Runtime>(&'a AnswerSink<K, V, E, R>);

impl<K, V, E, R: Runtime> Drop for Closing<'_, K, V, E, R> {
    #[cold]
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<K, V, E, T, F, Fut, R> Source<K, V, E, T> for LoadEachFn<F, R>
where
    K: Eq + Clone + 'static,
    V: 'static,
    E: 'static,
    R: Runtime + 'static,
    T: Takes<Each<Fut, K, V, E, R>> + Takes<Each<Fut, K, V, E, R>, K>,
    F: Fn(Vec<K>, AnswerSink<K, V, E, R>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    fn load(&self, key: K, Asked { reload, .. }: Asked<V>) -> Option<TaskOf<V, E, T>> {
        let each = Each::begin(|sink| (self.0)(Vec::from([key.clone()]), sink), Some(key.clone()), reload);
        Some(T::task(each, key, |part, key| {
            let part: Delivery<K, V, E, T> = deliver(part, ());
            part.of_one(&key)
        }))
    }

    fn load_many(&self, keys: Vec<K>, reload: bool) -> Option<BatchOf<K, V, E, T>> {
        Some(T::task(Each::begin(|sink| (self.0)(keys, sink), None, reload), (), deliver))
    }

    fn batches(&self) -> bool {
        true
    }
}

/// Turns what was sent into the engine's terms, together with what is left of the load.
fn deliver<F, K, V, E, R, T>(
    (answers, rest): (Answers<K, V, E>, Rest<Each<F, K, V, E, R>, E>),
    (): (),
) -> Delivery<K, V, E, T>
where
    F: Future<Output = Result<(), E>>,
    K: Eq + 'static,
    V: 'static,
    E: 'static,
    R: Runtime + 'static,
    T: Threads + Takes<Each<F, K, V, E, R>>,
{
    let rest = match rest {
        Rest::More(load) => Rest::More(T::task(load, (), deliver)),
        Rest::End(result) => Rest::End(result),
    };
    Delivery { answers, rest }
}
