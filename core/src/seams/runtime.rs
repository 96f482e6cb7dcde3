//! The seams to a runtime.

use core::{future::Future, task::Waker};

use crate::Instant;

/// Tells the time.
///
/// Implementors MUST ensure that `now` is cheap, never fails and never blocks. It SHOULD be monotonic; a clock that
/// stands still or jumps does no harm beyond longer or shorter lives and waits.
///
/// ```
/// use larder::{Clock, Instant};
///
/// /// A clock that somebody else advances, say an interrupt.
/// struct Ticks(core::sync::atomic::AtomicU32);
///
/// impl Clock for Ticks {
///     fn now(&self) -> Instant {
///         let millis = self.0.load(core::sync::atomic::Ordering::Relaxed);
///         Instant::from_nanos(u64::from(millis) * 1_000_000)
///     }
/// }
/// ```
pub trait Clock {
    /// Returns the time since the clock's own origin.
    fn now(&self) -> Instant;
}

/// Waits until a point in time.
///
/// Implementors MUST ensure that a sleep ends at or after its deadline as [`Clock::now`] tells it, and that its last
/// waker is woken then. A sleep whose deadline has passed MUST be ready at its first poll. Creating or polling one MUST
/// not panic where no runtime is at hand. Where there is no timer at all, [`parts::NoTimer`](crate::parts::NoTimer)
/// stands in: deadlines are then noticed at the next poll.
pub trait Timer: Clock {
    /// The wait: ready once the deadline has passed.
    type Sleep: Future<Output = ()> + Unpin;

    /// Returns a future that ends at or after `deadline`.
    fn sleep_until(&self, deadline: Instant) -> Self::Sleep;
}

/// Mutual exclusion whose guard cannot be held across an await: a closure.
///
/// Implementors MUST run the closure once, alone, and MUST stay usable after it has panicked. The cache never runs
/// a closure of its user in it, nor drops a user's value, and never takes two shards' locks at once.
pub trait Lock<T> {
    /// Wraps `value`.
    fn new(value: T) -> Self;

    /// Runs `f` on the value, alone.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R;
}

/// Wakes those who wait.
///
/// Implementors MUST ensure that every listener who called [`listen`](Self::listen) and has not withdrawn is woken by
/// the next [`notify_all`](Self::notify_all), once, in the order in which they first listened, with no lock held and
/// even if the waker of another panics. `notify_all` may be called from any context in which a waker may be woken, so it
/// MUST use a lock that such a context can take: on bare metal with interrupts, a critical section.
pub trait Notify: Default + Send + Sync + 'static {
    /// What a listener keeps between its polls.
    type Listener: Default + Unpin;

    /// Sees to it that the next `notify_all` wakes `waker` for this listener; returns the waker that it displaces.
    fn listen(&self, listener: &mut Self::Listener, waker: &Waker) -> Option<Waker>;

    /// Ends the listening; returns the waker that is no longer needed.
    fn withdraw(&self, listener: &mut Self::Listener) -> Option<Waker>;

    /// Wakes all who listen.
    fn notify_all(&self);
}

/// What an adapter supplies, as one type parameter.
///
/// See [`parts`](crate::parts) for runtimes that are ready to use.
pub trait Runtime: Timer {
    /// The lock around each shard.
    type Lock<T>: Lock<T>;

    /// What wakes the callers who wait for one load.
    type Notify: Notify;
}

/// Runs futures in the background.
///
/// Only optional features ask for it: finishing abandoned loads, and refreshing stale values without the caller.
pub trait Spawn<F> {
    /// Starts `future` in the background.
    ///
    /// # Errors
    ///
    /// Gives the future back where no runtime is at hand. Implementors MUST NOT panic instead.
    fn spawn(&self, future: F) -> Result<(), F>;
}
