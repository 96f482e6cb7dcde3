//! The handle of a cache.

use crate::{Key, Runtime, Standard, Tuning, share::Engine, source::sealed::Sealed, sync::Arc};

/// A read-through cache.
///
/// Ask for a key; on a miss, one caller's load serves all callers. Cloning the cache is cheap, and all clones share one
/// cache. `E` is the error of a failed load, `R` the runtime, and `S` holds the eviction policy and the hasher. Made by
/// [`Cache::builder`].
///
/// ```
/// use futures_lite::future::{block_on, yield_now, zip};
/// use larder::{Cache, ManualClock, parts::Std};
///
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .load_fn(|id: u32| async move {
///         yield_now().await; // the slow part
///         Ok::<_, std::io::Error>(format!("user {id}"))
///     })
///     .build()?;
/// let (one, other) = block_on(zip(cache.get(&7), cache.get(&7)));
/// assert_eq!(one?, "user 7");
/// assert_eq!(other?, "user 7");
/// assert_eq!(cache.stats().loads_begun, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | I want to ... | call |
/// |---|---|
/// | get a value, loading it with the cache's loader | [`get`](Self::get) |
/// | get it with a load that this call brings | [`get_or_load`](Self::get_or_load); [`get_with`](Self::get_with) if the load has to borrow |
/// | know how it was found, how old it is and how long it lives | [`lookup`](Self::lookup), whose [`options`](crate::futures::Lookup::options) are this call's own limits |
/// | get many values, with as few loads as possible | [`get_many`](Self::get_many), [`get_many_or_load`](Self::get_many_or_load), [`lookup_many`](Self::lookup_many) |
/// | not wait: an old value now, the refresh later | [`get_stale`](Self::get_stale), [`get_stale_spawn`](Self::get_stale_spawn) |
/// | load it again, although it is fresh | [`refresh`](Self::refresh) |
/// | look without loading | [`get_if_present`](Self::get_if_present), [`lookup_if_present`](Self::lookup_if_present); [`peek`](Self::peek) and [`contains`](Self::contains) do not count as a use |
/// | store a value that is at hand | [`get_or_insert`](Self::get_or_insert), [`insert`](Self::insert), [`insert_with`](Self::insert_with) |
/// | store, replace or remove a value depending on what is there | [`compute`](Self::compute) |
/// | remove a value | [`remove`](Self::remove); [`invalidate_if`](Self::invalidate_if) it is still that one; [`expire`](Self::expire), which keeps it as a stale one |
/// | make all values stale | [`expire_all`](Self::expire_all); [`trust_until`](Self::trust_until) a time |
/// | remove many | [`remove_if`](Self::remove_if) by key, [`retain`](Self::retain) by value, [`clear`](Self::clear) |
/// | see all that is stored | [`iter`](Self::iter), [`entries`](Self::entries), [`len`](Self::len), [`weight`](Self::weight) |
/// | know how well it works | [`stats`](Self::stats) |
/// | give memory back, or allow more | [`set_capacity`](Self::set_capacity), [`sweep`](Self::sweep), [`next_deadline`](Self::next_deadline) |
/// | hold the cache without keeping it alive | [`downgrade`](Self::downgrade) |
///
/// With `std`, `get_blocking` blocks the calling thread until the value is there.
///
/// # What holds for every lookup
///
/// * Callers of a missing key share one load. Looking into the store and claiming the load are one step, so there is no
///   moment in which a second load could begin.
/// * A caller that is dropped, even the one that began the load, neither fails nor slows the others, and leaves nothing
///   behind. Any waiting caller that is polled drives the load. Once no caller waits any more, the load is dropped.
///   Loads that borrow, as those of [`get_with`](Self::get_with), are the exception: they stay with their caller.
/// * All waiting callers get the outcome of the load itself, even if its value expires at once, is refused or is
///   evicted.
/// * A failure is shared by the callers that waited for it. So is a panic: it unwinds through the caller that polled
///   the load, and the others get it as an error. A caller that asks later starts afresh.
/// * A hit allocates nothing. A slow load of one key does not slow a hit on another.
///
/// # Keys
///
/// Full keys are compared: two keys with equal hashes never share a value, an error or a load. `Hash`, `Eq` and
/// `Borrow` of keys and `Clone` of keys and values may run under a shard's lock, so they must not call the cache. No
/// other user code runs under a lock: none is held over an await, a closure or the drop of a value. Values are cloned
/// for each caller; put large ones into an `Arc`.
///
/// # Writes
///
/// [`insert`](Self::insert), [`remove`](Self::remove), [`clear`](Self::clear) and [`retain`](Self::retain) are never
/// undone by a load that began before them. An insert ends the wait of all callers of the key: they get its value. The
/// others detach a load from its key: callers that wait already get what the load returns, it is not stored, and a
/// later caller begins a new load at once. [`expire`](Self::expire) does the same, [`remove_if`](Self::remove_if) for
/// the keys that match, and [`invalidate_if`](Self::invalidate_if) and [`compute`](Self::compute) if they change
/// something. A [`listener`](crate::Builder::listener) is told of every value that leaves.
///
/// # Time
///
/// A lookup that need not wait reads the runtime's clock at most once, and once more when its load is published; calls
/// over many entries read it as they go. A hit in a cache where nothing expires does not read it. A lifetime counts
/// from publication. A deadline is reached at its very instant, and a limit for stale values includes its last instant.
/// Clocks that stand still or jump only make lives and waits longer or shorter.
///
/// # Memory
///
/// The stored weight never exceeds the capacity. The memory of expired values is given back bit by bit by later calls,
/// at a bounded cost for each; a host without traffic may [`sweep`](Self::sweep). No background task is needed.
///
/// # Loads that use the cache
///
/// A load is polled from the task of whichever waiter is polled: its task-locals and spans are those of that task.
///
/// A load may ask for other keys. If it asks for its own key, it would wait for itself: that call fails with
/// [`LoadError::Reentrant`](crate::LoadError::Reentrant), or gets a stale value if the limits allow one. Such a call is
/// recognized by the waker that the load is polled with, or that its driver is polled with. With `std`, the thread has
/// to match as well, because callers on two threads may share one waker (`now_or_never` uses the same one for all).
/// Without `std`, a caller with a shared waker may be told that it asks from inside.
///
/// Not recognized are calls from a task that the load has spawned, calls through a combinator that polls with its own
/// wakers, and rings in which the load of one key waits for another key and that one's load for the first. Only a
/// [`load_budget`](crate::Builder::load_budget) or a [`lock_timeout`](crate::Builder::lock_timeout), with a timer to
/// notice it, ends such waits: set one if loads ask the cache.
///
/// ```
/// use futures_lite::future::block_on;
/// use larder::{Cache, LoadError, ManualClock, parts::Std};
///
/// let cache = Cache::<u32, u32, String, _>::builder(Std::new(ManualClock::new())).build()?;
/// let inside = cache.clone();
/// let load = move || async move {
///     let value = inside.get_or_load(&1, || async { Ok(7) }).await; // its own key
///     value.map_err(|error| error.to_string())
/// };
/// let error = block_on(cache.get_or_load(&1, load)).unwrap_err();
/// assert_eq!(error.error(), Some(&LoadError::<String>::Reentrant.to_string()));
/// # Ok::<(), larder::ConfigError>(())
/// ```
///
/// # Threads
///
/// The cache is `Send` and `Sync` if its parts are: `parts::Std` makes a cache for many threads,
/// [`parts::Local`](crate::parts::Local) one for a single thread, whose values need not be `Send`.
pub struct Cache<K, V, E, R: Runtime, S: Tuning = Standard> {
    pub(crate) inner: Arc<Engine<K, V, E, R, S>>,
}

impl<K, V, E, R: Runtime, S: Tuning> Clone for Cache<K, V, E, R, S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// A cache as one type parameter, for the futures of its calls.
///
/// Implemented by [`Cache`] alone.
pub trait AnyCache: Sealed {
    /// The keys.
    type Key: Key;
    /// The stored values.
    type Value: Clone;
    /// The error of a failed load.
    type Error;
    /// The host.
    type Runtime: Runtime;
    /// The eviction policy and the hasher.
    type Tuning: Tuning;
}

impl<K, V, E, R: Runtime, S: Tuning> Sealed for Cache<K, V, E, R, S> {}

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning> AnyCache for Cache<K, V, E, R, S> {
    type Key = K;
    type Value = V;
    type Error = E;
    type Runtime = R;
    type Tuning = S;
}
