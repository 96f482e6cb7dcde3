//! The interfaces to a runtime.

use core::{future::Future, task::Waker};

use crate::{Instant, Threads};

/// Tells the time.
///
/// Implementors MUST ensure that `now` is cheap, never fails and never blocks. It SHOULD be monotonic; a clock that
/// stands still or jumps only makes lives and waits longer or shorter. Its documentation
/// SHOULD say whether it keeps running while the machine sleeps. One that counts from its making SHOULD begin at
/// [`Instant::START`]: a value that is older than zero cannot be told from one as old as that.
///
/// # Suspension
///
/// While a machine sleeps, most clocks stand still on most systems, so values live longer by that time. Where they must
/// not, take `parts::BootClock`, which needs `std`. `parts::StdClock` and `parts::CoarseClock` stand still on Linux; a
/// [`ManualClock`](crate::ManualClock) does what the test says.
///
/// ```
/// use larder::{Clock, Instant};
///
/// /// A clock that is advanced from elsewhere, in milliseconds since its making.
/// // (One of 32 bits would begin anew every 50 days, and then nothing of before would ever expire: count its rounds. Where
/// // there are no atomics of 64 bits, a critical section around a counter does.)
/// struct Ticks(core::sync::atomic::AtomicU64);
///
/// impl Clock for Ticks {
///     fn now(&self) -> Instant {
///         let millis = self.0.load(core::sync::atomic::Ordering::Relaxed);
///         Instant::START.saturating_add(core::time::Duration::from_millis(millis))
///     }
/// }
/// ```
pub trait Clock {
    /// Returns the time since the clock's own origin.
    fn now(&self) -> Instant;

    /// Returns the time as it was some milliseconds ago at most, if that is cheaper to know.
    ///
    /// A cache in which nothing expires reads this for what is only told: since when a value is there, and how long loads
    /// take that are ready at once. So where a host provides it, ages may be that much too high. It MUST NOT be later than
    /// [`now`](Self::now).
    ///
    /// ```
    /// use larder::{Clock, parts::StdClock};
    ///
    /// let clock = StdClock::new();
    /// assert!(clock.about_now().is_none_or(|about| about <= clock.now()));
    /// ```
    #[inline]
    fn about_now(&self) -> Option<Instant> {
        None
    }
}

/// Waits until a point in time.
///
/// Implementors MUST ensure that a sleep ends at or after its deadline as [`Clock::now`] tells it, and that its last
/// waker is woken then. A sleep whose deadline has passed MUST be ready at its first poll. Creating or polling one MUST
/// NOT panic if no runtime is at hand. Where there is no timer at all, use [`parts::NoTimer`](crate::parts::NoTimer):
/// deadlines are then noticed at the next poll.
///
/// ```
/// use std::{pin::Pin, task::{Context, Poll}, thread, time::Duration};
/// use larder::{Clock, Instant, Timer};
///
/// /// A timer that uses threads only: expensive, but correct.
/// #[derive(Clone, Copy)]
/// struct Threads(std::time::Instant);
///
/// struct Nap(Threads, Instant);
///
/// impl Clock for Threads {
///     fn now(&self) -> Instant {
///         Instant::START.saturating_add(self.0.elapsed())
///     }
/// }
///
/// impl Timer for Threads {
///     type Sleep = Nap;
///
///     fn sleep_until(&self, deadline: Instant) -> Nap {
///         Nap(*self, deadline)
///     }
/// }
///
/// impl Future for Nap {
///     type Output = ();
///
///     fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
///         let left = self.1.saturating_since(self.0.now());
///         if left.is_zero() {
///             return Poll::Ready(());
///         }
///         let waker = cx.waker().clone();
///         thread::spawn(move || {
///             thread::sleep(left);
///             waker.wake();
///         });
///         Poll::Pending
///     }
/// }
///
/// let timer = Threads(std::time::Instant::now());
/// let deadline = timer.now().saturating_add(Duration::from_millis(1));
/// futures_lite::future::block_on(timer.sleep_until(deadline));
/// assert!(timer.now() >= deadline);
/// ```
pub trait Timer: Clock {
    /// The wait: ready once the deadline has passed.
    type Sleep: Future<Output = ()> + Unpin;

    /// Returns a future that ends at or after `deadline`.
    fn sleep_until(&self, deadline: Instant) -> Self::Sleep;
}

/// Mutual exclusion whose guard cannot be held across an await.
///
/// It takes a closure instead of returning a guard. Implementors MUST run the closure once, alone, and MUST stay usable
/// after it has panicked. The cache never runs a user's closure under it, never drops a user's value under it, and
/// never takes two shards' locks at once. It does run `Hash`, `Eq`, `Borrow` and `Clone` of keys and values under it.
///
/// ```
/// use std::sync::{Mutex, PoisonError};
/// use larder::Lock;
///
/// struct Guarded<T>(Mutex<T>);
///
/// impl<T> Lock<T> for Guarded<T> {
///     fn new(value: T) -> Self {
///         Self(Mutex::new(value))
///     }
///
///     fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
///         f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
///     }
/// }
///
/// let counter = Guarded::new(1);
/// counter.with(|count| *count += 1);
/// assert_eq!(counter.with(|count| *count), 2);
/// ```
pub trait Lock<T> {
    /// Wraps `value`.
    fn new(value: T) -> Self;

    /// Runs `f` on the value, alone.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R;
}

/// Wakes listeners.
///
/// Implementors MUST ensure that every listener that called [`listen`](Self::listen) and has not withdrawn is woken by
/// the next [`notify_all`](Self::notify_all), once, in the order in which they first listened, with no lock held and
/// even if the waker of another panics. `notify_all` may be called from any context in which a waker may be woken, so
/// it MUST use a lock that such a context can take: on bare metal with interrupts, a critical section.
///
/// ```
/// use std::{
///     panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
///     sync::Mutex,
///     task::Waker,
/// };
/// use larder::Notify;
///
/// /// A list of wakers for few listeners; the places of former ones are not used again.
/// #[derive(Default)]
/// struct Bell(Mutex<Vec<Option<Waker>>>);
///
/// impl Notify for Bell {
///     type Listener = Option<usize>;
///
///     fn listen(&self, place: &mut Option<usize>, waker: &Waker) -> Option<Waker> {
///         let waker = waker.clone();
///         let mut wakers = self.0.lock().unwrap();
///         let place = *place.get_or_insert_with(|| {
///             wakers.push(None);
///             wakers.len() - 1
///         });
///         wakers[place].replace(waker)
///     }
///
///     fn withdraw(&self, place: &mut Option<usize>) -> Option<Waker> {
///         let place = place.take()?;
///         self.0.lock().unwrap()[place].take()
///     }
///
///     fn notify_all(&self) {
///         let wakers: Vec<_> = self.0.lock().unwrap().iter_mut().filter_map(Option::take).collect();
///         let wake = |waker: Waker| catch_unwind(AssertUnwindSafe(|| waker.wake())).err();
///         let mut panics: Vec<_> = wakers.into_iter().filter_map(wake).collect();
///         if let Some(panic) = panics.pop() {
///             resume_unwind(panic);
///         }
///     }
/// }
///
/// let (bell, mut place) = (Bell::default(), None);
/// assert!(bell.listen(&mut place, Waker::noop()).is_none());
/// bell.notify_all();
/// assert!(bell.withdraw(&mut place).is_none()); // used up
/// ```
pub trait Notify: Default + Send + Sync + 'static {
    /// What a listener keeps between its polls.
    type Listener: Default + Unpin;

    /// Registers `waker` for the next `notify_all`; returns the waker that it replaces.
    fn listen(&self, listener: &mut Self::Listener, waker: &Waker) -> Option<Waker>;

    /// Stops listening; returns the waker that is no longer needed.
    fn withdraw(&self, listener: &mut Self::Listener) -> Option<Waker>;

    /// Wakes all listeners.
    fn notify_all(&self);
}

/// What an adapter provides, as one type parameter.
///
/// See [`parts`](crate::parts) for ready-made runtimes. A custom one usually borrows from them: to adapt an executor, a
/// [`Host`](crate::parts::Host) is all that has to be written. This one has the lock of a cache for one thread, and a
/// clock and timer from elsewhere.
///
/// ```
/// use larder::{Cache, Clock, Instant, ManualClock, Runtime, Timer, parts::Local};
///
/// struct Bare<T>(T);
///
/// impl<T: Timer> Clock for Bare<T> {
///     fn now(&self) -> Instant {
///         self.0.now()
///     }
/// }
///
/// impl<T: Timer> Timer for Bare<T> {
///     type Sleep = T::Sleep;
///
///     fn sleep_until(&self, deadline: Instant) -> T::Sleep {
///         self.0.sleep_until(deadline)
///     }
/// }
///
/// impl<T: Timer> Runtime for Bare<T> {
///     type Lock<S> = std::cell::RefCell<S>;
///     type Notify = <Local<T> as Runtime>::Notify;
///     type Threads = larder::OneThread;
/// }
///
/// let cache = Cache::<u32, u32, (), _>::builder(Bare(ManualClock::new())).build()?;
/// # cache.insert(1, 7);
/// # Ok::<(), larder::ConfigError>(())
/// ```
///
/// # Conformance
///
/// The test suite of the adapters checks whether caches keep their promises on a runtime, and whether its lock and its
/// notification keep their obligations. It is the crate
/// `larder-conformance`: in a file of `tests/`, say how a future is run to its end, and its macro makes the tests.
///
/// ```text
/// impl larder_conformance::Executor for MyExecutor {
///     type Runtime = MyRuntime;
///     type Value = Arc<u32>; // `Rc<u32>` if everything stays on one thread
///
///     fn run<F: Future<Output = ()>>(check: impl FnOnce(MyRuntime) -> F) {
///         my_executor::block_on(check(MyRuntime::new()));
///     }
/// }
///
/// larder_conformance::suite!(MyExecutor);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a runtime for caches",
    note = "every adapter has one, such as `larder_tokio::Tokio`; `larder::parts` has `Std`, `Spin` and `Local`, around a clock"
)]
pub trait Runtime: Timer {
    /// The lock around each shard.
    type Lock<T>: Lock<T>;

    /// What wakes the callers that wait for one load.
    type Notify: Notify;

    /// Whether loads and stored values may move between threads.
    type Threads: Threads;

    /// Returns whether the calling thread may be blocked.
    ///
    /// False if it is known to run tasks. By default it may.
    fn may_block(&self) -> bool {
        true
    }
}

/// Runs futures in the background.
///
/// Only optional features require it: finishing abandoned loads
/// ([`Builder::finish_abandoned`](crate::Builder::finish_abandoned)), and refreshing stale values without the caller
/// ([`Cache::get_stale_spawn`](crate::Cache::get_stale_spawn)). Implement it for the type that is the [`Runtime`].
///
/// ```
/// use futures_lite::future::block_on;
/// use larder::Spawn;
///
/// struct Threads;
///
/// impl<F: Future<Output = ()> + Send + 'static> Spawn<F> for Threads {
///     fn spawn(&self, future: F) -> Result<(), F> {
///         std::thread::spawn(move || block_on(future));
///         Ok(())
///     }
/// }
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// Threads.spawn(async move { sender.send(7).unwrap() }).ok();
/// assert_eq!(receiver.recv(), Ok(7));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run this in the background",
    note = "use a runtime that spawns, such as that of an adapter; futures spawned on threads have to be `Send` and `'static`"
)]
pub trait Spawn<F> {
    /// Starts `future` in the background.
    ///
    /// # Errors
    ///
    /// Returns the future if no runtime is at hand. Implementors MUST NOT panic instead.
    fn spawn(&self, future: F) -> Result<(), F>;
}
