//! Caches that are flushed before others.

use alloc::{boxed::Box, string::ToString, sync::Arc};
use core::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{
    CircleError, Fault, Flush, FlushError, Unflushed, WriteBack, WriteBackError,
    book::{FlushOf, Other},
    needs::Needs,
    node::Node,
    shared::Shared,
};
use crate::{Key, ManyThreads, OneThread, Runtime, Threads, dirty::Need, share::Once};

/// A cache that others may depend on, from many threads or on one. Every [`WriteBack`] is one.
///
/// On many threads it has to be `Send` and `Sync`, its keys printable and its errors such as may be passed on. There to be
/// named in bounds.
///
/// ```
/// use larder::{CircleError, FlushFirst, Key, Runtime, WriteBack};
///
/// fn behind<K, V, E, R>(cache: &WriteBack<K, V, E, R>, others: &[&dyn FlushFirst<R::Threads>]) -> Result<(), CircleError>
/// where
///     K: Key,
///     V: Clone,
///     R: Runtime,
/// {
///     others.iter().try_for_each(|other| cache.always_depend_on(*other))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be flushed before a cache on `{T}`",
    note = "before a cache on many threads, only one can be that is `Send` and `Sync` itself, with errors that can be printed"
)]
pub trait FlushFirst<T: Threads> {
    #[doc(hidden)]
    fn upstream(&self) -> Arc<Other<T>>;

    /// Claims what is needed of this cache.
    #[doc(hidden)]
    fn need(&self, always: bool) -> (Node, Need);
}

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Has what is dirty in `other` now be on disk before anything more of this cache is written.
    ///
    /// The dependency is gone once that has been flushed, by whomever, and nothing happens if nothing is dirty there.
    /// Whatever of this cache is flushed flushes the other first. The other cache lives on for as long as that takes.
    ///
    /// # Errors
    ///
    /// [`CircleError`] if `other` has to be flushed after this one; nothing has changed then.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let disk = |value| Memory::from([(1, value)]);
    /// # let (disk_of_pages, disk_of_roots) = (disk("old"), disk("old"));
    /// # let runtime = Std::new(ManualClock::new());
    /// let pages = WriteBack::builder(runtime.clone(), disk_of_pages.clone()).name("pages").build()?;
    /// let roots = WriteBack::builder(runtime, disk_of_roots.clone()).name("roots").build()?;
    /// block_on(pages.get_or_load(&1))?.set("new");
    /// roots.depend_on(&pages)?; // what is about to be written to the root tells of the new page
    /// block_on(roots.get_or_load(&1))?.set("new");
    /// block_on(roots.flush())?;
    /// assert_eq!((disk_of_pages.get(&1), disk_of_roots.get(&1)), (Some("new"), Some("new")));
    ///
    /// pages.depend_on(&roots)?; // and now the other way round
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn depend_on<U: FlushFirst<R::Threads> + ?Sized>(&self, other: &U) -> Result<(), CircleError> {
        self.connect(other, false)
    }

    /// Has whatever is dirty in `other` be on disk before anything of this cache is written, each time.
    ///
    /// And so what is always to be on disk before `other`, be there something dirty in that or not.
    ///
    /// # Errors
    ///
    /// As [`depend_on`](Self::depend_on).
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let disk = |value| Memory::from([(1, value)]);
    /// # let (disk_of_pages, disk_of_roots) = (disk("old"), disk("old"));
    /// # let runtime = Std::new(ManualClock::new());
    /// let pages = WriteBack::builder(runtime.clone(), disk_of_pages.clone()).name("pages").build()?;
    /// let roots = WriteBack::builder(runtime, disk_of_roots.clone()).name("roots").build()?;
    /// roots.always_depend_on(&pages)?;
    /// let circle = pages.always_depend_on(&roots).unwrap_err();
    /// assert_eq!(circle.to_string(), "flushing would never end: pages before roots before pages");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn always_depend_on<U: FlushFirst<R::Threads> + ?Sized>(&self, other: &U) -> Result<(), CircleError> {
        self.connect(other, true)
    }

    fn connect<U: FlushFirst<R::Threads> + ?Sized>(&self, other: &U, always: bool) -> Result<(), CircleError> {
        let (node, need) = other.need(always);
        // Dropped outside the lock, unless it is of use.
        let mut upstream = Some(other.upstream());
        let connected = self.shared.with(|book| {
            // Under this lock as well, so that a flush which looks for what it needs finds both or neither.
            let is_needed = self.shared.node.connect(&node, need)?;
            let is_new = is_needed && !book.links.iter().any(|(link, _)| *link == node);
            if is_new {
                book.links.extend(upstream.take().map(|upstream| (node, upstream)));
            }
            Ok(is_new)
        });
        if connected.map_err(|names| CircleError { names })? {
            // One more is kept: let go of those that need not be any longer, or they add up where this is never flushed.
            let _needed = self.shared.needed();
        }
        Ok(())
    }
}

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Flushes `other`, and then has what has become dirty there meanwhile be on disk before anything more of this cache.
    ///
    /// So a dependency can be turned round: if `other` depends on this cache by [`depend_on`](Self::depend_on), that is
    /// gone once it is flushed.
    ///
    /// # Errors
    ///
    /// [`DependError::Unflushed`] if `other` could not be flushed, [`DependError::Circle`] if there would be a circle even
    /// so.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has flushed at the most.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let disk = |value| Memory::from([(1, value)]);
    /// # let (disk_of_pages, disk_of_roots) = (disk("old"), disk("old"));
    /// # let runtime = Std::new(ManualClock::new());
    /// let pages = WriteBack::builder(runtime.clone(), disk_of_pages.clone()).name("pages").build()?;
    /// let roots = WriteBack::builder(runtime, disk_of_roots.clone()).name("roots").build()?;
    /// block_on(pages.get_or_load(&1))?.set("new");
    /// roots.depend_on(&pages)?;
    /// assert!(pages.depend_on(&roots).is_ok()); // nothing is dirty there
    /// block_on(roots.get_or_load(&1))?.set("new");
    /// assert!(pages.depend_on(&roots).is_err());
    /// block_on(pages.flush_then_depend_on(&roots))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flush_then_depend_on<U: FlushFirst<R::Threads> + ?Sized>(
        &self,
        other: &U,
    ) -> impl Future<Output = Result<(), DependError>> + Unpin {
        Once::new(move || {
            Some(async move {
                let (_, dirty_now) = other.need(false);
                let flush = (*other.upstream())(dirty_now);
                flush.await.map_err(DependError::Unflushed)?;
                self.depend_on(other).map_err(DependError::Circle)
            })
        })
    }
}

/// Why a dependency was not turned round.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DependError {
    /// When the other cache could not be flushed.
    Unflushed(Unflushed),
    /// When the circle does not go away by that.
    Circle(CircleError),
}

impl fmt::Display for DependError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unflushed(unflushed) => unflushed.fmt(f),
            Self::Circle(circle) => circle.fmt(f),
        }
    }
}

impl Error for DependError {}

impl<K: Key, V: Clone, E, R: Runtime> Shared<K, V, E, R> {
    fn need(&self, always: bool) -> (Node, Need) {
        let need = self.with(|book| {
            book.is_needed = true;
            if always { Need::Always } else { Need::UpTo(book.ledger.last_change()) }
        });
        (self.node.clone(), need)
    }
}

/// The flush of a cache on behalf of one that depends on it.
///
/// What is always to be flushed before it is flushed as well, though it may have nothing dirty itself: the order holds
/// across it.
struct Behalf<K: Key, V: Clone, E, R: Runtime> {
    needs: Option<Needs<<R::Threads as Threads>::Task<Result<(), Unflushed>>>>,
    flush: Flush<K, V, E, R>,
}

impl<K: Key, V: Clone, E, R: Runtime> Behalf<K, V, E, R> {
    fn new(cache: &WriteBack<K, V, E, R>, need: Need) -> Self {
        let shared = &cache.shared;
        let (needs, last) = match need {
            Need::Always if shared.node.is_dirty_within() => (Some(Needs::of(shared)), None),
            Need::Always => (None, None),
            Need::UpTo(last) => (None, Some(last)),
        };
        Self { needs, flush: Flush::up_to(cache, last) }
    }
}

impl<K: Key, V: Clone, E, R: Runtime> Unpin for Behalf<K, V, E, R> {}

impl<K: Key, V: Clone, E: fmt::Display, R: Runtime> Future for Behalf<K, V, E, R> {
    type Output = Result<(), Unflushed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(needs) = &mut this.needs {
            let name = &this.flush.shared.settings.name;
            ready!(needs.poll(cx)).map_err(|behind| behind.before(name))?;
            this.needs = None;
        }
        let result = ready!(Pin::new(&mut this.flush).poll(cx));
        Poll::Ready(result.map_err(|error| told(&this.flush.shared.settings.name, &error)))
    }
}

/// Puts an error into words that all caches have in common.
fn told<K, E: fmt::Display>(cache: &Arc<str>, error: &FlushError<K, E>) -> Unflushed {
    let reason = error.failed.first().map(|(_, error)| match error {
        WriteBackError::Failed(failure) => match failure.error() {
            Some(Fault::Dependency(unflushed)) => unflushed.to_string(),
            Some(fault) => fault.error().map_or_else(|| "it had no room".to_string(), ToString::to_string),
            None => "its flush panicked".to_string(),
        },
        _ => "it waits for itself".to_string(),
    });
    Unflushed { cache: Arc::clone(cache), reason: reason.unwrap_or_default() }
}

impl<K, V, E, R> FlushFirst<ManyThreads> for WriteBack<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: fmt::Display + 'static,
    R: Runtime + 'static,
    Self: Send + Sync,
    Flush<K, V, E, R>: Send,
    <R::Threads as Threads>::Task<Result<(), Unflushed>>: Send,
{
    fn upstream(&self) -> Arc<Other<ManyThreads>> {
        let cache = self.clone();
        Arc::new(move |need| -> FlushOf<ManyThreads> { Box::pin(Behalf::new(&cache, need)) })
    }

    fn need(&self, always: bool) -> (Node, Need) {
        self.shared.need(always)
    }
}

impl<K, V, E, R> FlushFirst<OneThread> for WriteBack<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: fmt::Display + 'static,
    R: Runtime + 'static,
{
    fn upstream(&self) -> Arc<Other<OneThread>> {
        let cache = self.clone();
        Arc::new(move |need| -> FlushOf<OneThread> { Box::pin(Behalf::new(&cache, need)) })
    }

    fn need(&self, always: bool) -> (Node, Need) {
        self.shared.need(always)
    }
}
