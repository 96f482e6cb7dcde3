//! Awaiting the next change of a slot.

use core::{
    any::Any,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::LazySlot;
use crate::{
    Notify, Runtime,
    contain::contain,
    source::{Touched, Watch},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// Signals each change of a slot, and the end of the slot. Part of its source's type.
pub(super) struct Bell<N: Notify>(pub(super) Arc<Chime<N>>);

pub(super) struct Chime<N> {
    /// Counts the changes; it wraps, as the other counter does.
    changes: AtomicUsize,
    /// Counts the changes of nothing but the time until which the value is fresh.
    moves: AtomicUsize,
    is_over: AtomicBool,
    notify: N,
}

impl<N: Notify> Chime<N> {
    pub(super) fn new() -> Self {
        let (changes, moves) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { changes, moves, is_over: AtomicBool::new(false), notify: N::default() }
    }
}

impl<N> Chime<N> {
    fn count(&self, sees_moves: bool) -> usize {
        let moves = if sees_moves { self.moves.load(Ordering::SeqCst) } else { 0 };
        self.changes.load(Ordering::SeqCst).wrapping_add(moves)
    }
}

impl<N: Notify> Watch for Bell<N> {
    fn touched(&self, what: Touched) {
        let count = match what {
            Touched::Value => &self.0.changes,
            Touched::Deadline => &self.0.moves,
        };
        count.fetch_add(1, Ordering::SeqCst);
        self.0.notify.notify_all();
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<N: Notify> Drop for Bell<N> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
        contain(|| self.0.notify.notify_all());
    }
}

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns a watcher that sees every change from now on.
    ///
    /// A change is a value that was published or [set](Self::set), or the loss of the value. A failed fetch is not a
    /// change, nor is a value that was found still good.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once};
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// let mut watcher = slot.watch();
    /// slot.set(1);
    /// slot.set(2);
    /// assert!(block_on(watcher.changed())); // several changes count as one
    /// assert!(block_on(poll_once(watcher.changed())).is_none());
    /// drop(slot);
    /// assert!(!block_on(watcher.changed()));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn watch(&self) -> Watcher<R> {
        self.watcher(false)
    }

    /// Returns a watcher that, on request, also sees changes of nothing but the time until which the value is fresh.
    pub(super) fn watcher(&self, sees_moves: bool) -> Watcher<R> {
        // Its builder has given each slot one.
        let watcher = self.cache.inner.source.watcher.as_ref();
        let bell = watcher.and_then(|watcher| watcher.as_any().downcast_ref::<Bell<R::Notify>>());
        let chime = bell.map_or_else(|| Arc::new(Chime::new()), |bell| Arc::clone(&bell.0));
        let seen = chime.count(sees_moves);
        Watcher { chime, sees_moves, seen, listener: <R::Notify as Notify>::Listener::default() }
    }
}

/// Waits for changes of a slot; made by [`LazySlot::watch`].
///
/// ```
/// # use futures_lite::future::{block_on, zip};
/// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
/// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
/// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
/// #     .build()?;
/// let mut watcher = slot.watch();
/// let (fetched, is_there) = block_on(zip(slot.get(), watcher.changed()));
/// assert_eq!((fetched?, is_there), (7, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Watcher<R: Runtime> {
    chime: Arc<Chime<R::Notify>>,
    sees_moves: bool,
    seen: usize,
    listener: <R::Notify as Notify>::Listener,
}

impl<R: Runtime> Watcher<R> {
    /// Waits for a change since the last one seen, or since the watcher was made.
    ///
    /// Returns whether there was one; if not, the slot is gone and there will be none. Changes that happen between two
    /// waits are seen by the next wait, several of them as one.
    ///
    /// # Cancel safety
    ///
    /// A change counts as seen only when a wait returns it.
    ///
    /// ```
    /// # use futures_lite::future::{block_on, poll_once};
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # let slot = LazySlot::builder(Std::new(ManualClock::new()))
    /// #     .fetch_fn(|_| async { Ok::<_, std::io::Error>(Loaded::new(7)) })
    /// #     .build()?;
    /// let mut watcher = slot.watch();
    /// assert!(block_on(poll_once(watcher.changed())).is_none());
    /// slot.set(8);
    /// assert!(block_on(watcher.changed()));
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub const fn changed(&mut self) -> Changed<'_, R> {
        Changed(Some(self))
    }

    fn withdraw(&mut self) {
        drop(self.chime.notify.withdraw(&mut self.listener));
    }
}

impl<R: Runtime> fmt::Debug for Watcher<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// The future of [`Watcher::changed`].
#[must_use = "a future does nothing unless it is polled"]
pub struct Changed<'a, R: Runtime>(Option<&'a mut Watcher<R>>);

impl<R: Runtime> Future for Changed<'_, R> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(watcher) = &mut self.0 else { return Poll::Pending };
        let Watcher { chime, sees_moves, seen, listener } = &mut **watcher;
        // First listen, so that a change between the look and the wait is not missed.
        let _displaced = chime.notify.listen(listener, cx.waker());
        // Before the count: the last change comes before the end.
        let is_over = chime.is_over.load(Ordering::SeqCst);
        let changes = chime.count(*sees_moves);
        let is_changed = changes != *seen;
        if !is_changed && !is_over {
            return Poll::Pending;
        }
        *seen = changes;
        self.end();
        Poll::Ready(is_changed)
    }
}

impl<R: Runtime> Changed<'_, R> {
    fn end(&mut self) {
        if let Some(watcher) = self.0.take() {
            watcher.withdraw();
        }
    }
}

impl<R: Runtime> Drop for Changed<'_, R> {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
