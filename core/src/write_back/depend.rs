//! Caches that are flushed before others.

use alloc::{boxed::Box, string::ToString};
use core::{
    any::Any,
    error::Error,
    fmt,
    future::{Future, poll_fn},
};

use super::{
    CircleError, Fault, Flush, FlushError, Unflushed, WriteBack, WriteBackError,
    needs::Needs,
    node::{FlushOf, Held, Node, Other},
};
use crate::{
    Key, ManyThreads, OneThread, Runtime, Threads,
    dirty::Kind,
    share::Once,
    sync::{Arc, erased},
};

/// A cache that others may depend on; every [`WriteBack`] is one.
///
/// `T` says whether it is used from many threads or from one. On many threads it has to be `Send` and `Sync`. Its errors
/// have to be printable. Public only so that bounds can name it.
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
    note = "to be flushed before a cache on many threads, a cache has to be `Send` and `Sync`, and its errors have to implement `Display`"
)]
pub trait FlushFirst<T: Threads> {
    /// This cache, as held by the caches that depend on it.
    #[doc(hidden)]
    fn held(&self) -> Held<T>;
}

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Makes what is dirty in `other` now go to disk before this cache does.
    ///
    /// No flush of this cache that begins after this call writes anything before that; one under way goes on with what
    /// it had to write. The dependency ends once it has been flushed, by any caller; if nothing is dirty there, nothing
    /// happens. Whatever is flushed from this cache flushes the other first. The other cache lives on for as long as
    /// that takes.
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
    /// roots.depend_on(&pages)?; // the root is about to point to the new page
    /// block_on(roots.get_or_load(&1))?.set("new");
    /// block_on(roots.flush())?;
    /// assert_eq!((disk_of_pages.get(&1), disk_of_roots.get(&1)), (Some("new"), Some("new")));
    ///
    /// pages.depend_on(&roots)?; // and now in the opposite direction
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn depend_on<U: FlushFirst<R::Threads> + ?Sized>(&self, other: &U) -> Result<(), CircleError> {
        self.connect(other, None)
    }

    /// Makes what is dirty in `other` go to disk before this cache's next flush.
    ///
    /// As [`depend_on`](Self::depend_on), but what counts is what is dirty there when something of this cache is
    /// written, whether it was changed before or after this call. The dependency ends once that is on disk, or if
    /// nothing was dirty there, with everything else that goes first: before this cache's own write begins, so also if
    /// that write fails or is given up. It does not prevent other dependencies: if a new one would close a circle with
    /// it, this one is removed.
    ///
    /// # Errors
    ///
    /// [`CircleError`] if `other` has to be flushed after this one because of other dependencies; nothing has changed
    /// then.
    ///
    /// ```
    /// # use futures_lite::future::block_on;
    /// # use larder::{ManualClock, WriteBack, parts::{Memory, Std}};
    /// # let disk = |value| Memory::from([(1, value)]);
    /// # let (disk_of_pages, disk_of_roots) = (disk("old"), disk("old"));
    /// # let runtime = Std::new(ManualClock::new());
    /// let pages = WriteBack::builder(runtime.clone(), disk_of_pages.clone()).name("pages").build()?;
    /// let roots = WriteBack::builder(runtime, disk_of_roots.clone()).name("roots").build()?;
    /// roots.depend_until_flushed_on(&pages)?;
    /// block_on(pages.get_or_load(&1))?.set("new"); // changed after the call
    /// block_on(roots.get_or_load(&1))?.set("new");
    /// block_on(roots.flush())?;
    /// assert_eq!((disk_of_pages.get(&1), disk_of_roots.get(&1)), (Some("new"), Some("new")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn depend_until_flushed_on<U: FlushFirst<R::Threads> + ?Sized>(&self, other: &U) -> Result<(), CircleError> {
        self.connect(other, Some(Kind::UntilFlushed))
    }

    /// Makes what is dirty in `other` go to disk before this cache, each time.
    ///
    /// This includes what always has to be on disk before `other`, whether or not anything is dirty in `other` itself.
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
        self.connect(other, Some(Kind::Always))
    }

    /// Ends the [permanent](Self::always_depend_on) dependency on `other`; returns whether there was one.
    ///
    /// Flushes under way still obey it: until what goes before them is on disk, it counts for circles. Other dependencies
    /// between the two stay.
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
    /// assert!(roots.stop_depending_on(&pages));
    /// pages.always_depend_on(&roots)?; // and now in the opposite direction
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stop_depending_on<U: FlushFirst<R::Threads> + ?Sized>(&self, other: &U) -> bool {
        let (other, mut did) = (other.held(), false);
        let _gone = self.shared.node.lessen(&other, |need| {
            (need.lingers, did) = (need.lingers || need.always, core::mem::take(&mut need.always));
        });
        did
    }

    fn connect<U: FlushFirst<R::Threads> + ?Sized>(&self, other: &U, kind: Option<Kind>) -> Result<(), CircleError> {
        let other = other.held();
        // Without a kind, it is what is dirty there now.
        let kind = kind.or_else(|| other.dirty_up_to.map(Kind::UpTo));
        kind.map_or(Ok(()), |kind| self.shared.node.connect(&other, kind)).map_err(|names| CircleError { names })
    }
}

impl<K: Key, V: Clone, E, R: Runtime> WriteBack<K, V, E, R> {
    /// Flushes `other`, and then depends on it as [`depend_on`](Self::depend_on) does.
    ///
    /// So what has become dirty there meanwhile goes to disk before anything more of this cache. This can reverse a
    /// dependency: if `other` depends on this cache by [`depend_on`](Self::depend_on), that ends once it is flushed.
    ///
    /// # Errors
    ///
    /// [`DependError::Unflushed`] if `other` could not be flushed, [`DependError::Circle`] if there would still be a
    /// circle.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped before it is ready, it has at most flushed.
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
                let other_now = other.held();
                if let Some(dirty_now) = other_now.dirty_up_to {
                    (*other_now.upstream)(dirty_now).await.map_err(DependError::Unflushed)?;
                }
                self.depend_on(other).map_err(DependError::Circle)
            })
        })
    }
}

/// Why a dependency was not reversed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DependError {
    /// The other cache could not be flushed.
    Unflushed(Unflushed),
    /// The circle is still there after that.
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

/// From now on, the graph knows what is dirty in this cache.
fn node<K: Key, V: Clone, E, R: Runtime>(cache: &WriteBack<K, V, E, R>) -> Node<R::Threads> {
    cache.shared.with(|book| book.node.get_or_insert_with(|| cache.shared.node.clone()).clone())
}

/// Flushes a cache on behalf of one that depends on it. Unless its own flush does it, everything that always goes first
/// is flushed before, even if the cache itself has nothing dirty.
async fn on_behalf<K: Key, V: Clone, E: fmt::Display, R: Runtime>(
    first: Option<Needs<R::Threads>>,
    flush: Flush<K, V, E, R>,
) -> Result<(), Unflushed> {
    let name = Arc::clone(&flush.shared.settings.name);
    if let Some(mut first) = first {
        poll_fn(|cx| first.poll(cx)).await.map_err(|behind| behind.before(&name))?;
    }
    flush.await.map_err(|error| told(&name, &error))
}

/// Turns an error into one that does not depend on the cache's types.
fn told<K, E: fmt::Display>(cache: &Arc<str>, error: &FlushError<K, E>) -> Unflushed {
    let reason = match error.failed.first() {
        Some((_, WriteBackError::Failed(failure))) => match failure.error() {
            Some(Fault::Dependency(unflushed)) => return unflushed.clone().before(cache),
            Some(fault) => fault.error().map_or_else(|| "it had no room".into(), |error| error.to_string().into()),
            None => "its flush panicked".into(),
        },
        _ => "it waits for itself".into(),
    };
    Unflushed { cache: Arc::clone(cache), reason, is_behind: false }
}

impl<K, V, E, R> FlushFirst<ManyThreads> for WriteBack<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: fmt::Display + 'static,
    R: Runtime<Threads = ManyThreads> + 'static,
    Self: Send + Sync,
    Flush<K, V, E, R>: Send,
{
    fn held(&self) -> Held<ManyThreads> {
        let (cache, node) = (self.clone(), node(self));
        let upstream = move |up_to| -> FlushOf<ManyThreads> { Box::pin(on_behalf(None, Flush::up_to(&cache, up_to))) };
        let dirty_up_to = node.with(|edges| edges.dirty_up_to());
        Held { id: node.id(), dirty_up_to, own: Some(node), upstream: erased!(upstream, Other<ManyThreads>) }
    }
}

impl<K, V, E, R> FlushFirst<OneThread> for WriteBack<K, V, E, R>
where
    K: Key + 'static,
    V: Clone + 'static,
    E: fmt::Display + 'static,
    R: Runtime + 'static,
{
    fn held(&self) -> Held<OneThread> {
        let (cache, node) = (self.clone(), node(self));
        let own = (&node as &dyn Any).downcast_ref::<Node<OneThread>>().cloned();
        let is_far = own.is_none();
        let upstream = move |up_to| -> FlushOf<OneThread> {
            let first = is_far.then(|| Needs::of(&cache.shared.node));
            Box::pin(on_behalf(first, Flush::up_to(&cache, up_to)))
        };
        let dirty_up_to = node.with(|edges| edges.dirty_up_to());
        Held { id: node.id(), dirty_up_to, own, upstream: erased!(upstream, Other<OneThread>) }
    }
}
