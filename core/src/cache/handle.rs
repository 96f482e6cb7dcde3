//! The handle of a cache.

use alloc::sync::Arc;

use crate::{Key, Runtime, Standard, Tuning, share::Engine, source::sealed::Sealed};

/// A read-through cache.
///
/// Ask for a key, and on a miss one caller's load serves everybody. Cloning the cache is cheap, and all clones are one
/// cache. `E` is what a failed load says, `R` the runtime, and `S` has the eviction policy and the hasher. Made by
/// [`Cache::builder`].
///
/// ```
/// use futures_lite::future::{block_on, yield_now, zip};
/// use larder::{Cache, ManualClock, parts::Std};
///
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .load_fn(|id: u32| async move {
///         yield_now().await; // whatever takes long
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
/// | have a value, by the cache's loader | [`get`](Self::get) |
/// | have it by a load that this call brings | [`get_or_load`](Self::get_or_load); [`get_with`](Self::get_with) if the load has to borrow |
/// | know how it came, how old it is and how long it lives | [`lookup`](Self::lookup), whose [`options`](crate::Lookup::options) are this call's own limits |
/// | have many values, with as few loads as can be | [`get_many`](Self::get_many), [`get_many_or_load`](Self::get_many_or_load), [`lookup_many`](Self::lookup_many) |
/// | wait for nobody: an old value now, the refresh later | [`get_stale`](Self::get_stale), [`get_stale_spawn`](Self::get_stale_spawn) |
/// | load it anew, though it is fresh | [`refresh`](Self::refresh) |
/// | look without loading | [`get_if_present`](Self::get_if_present), [`lookup_if_present`](Self::lookup_if_present); [`peek`](Self::peek) and [`contains`](Self::contains) count as no use |
/// | bring a value that is at hand | [`get_or_insert`](Self::get_or_insert), [`insert`](Self::insert), [`insert_with`](Self::insert_with) |
/// | change what is there, or not, by what it is | [`compute`](Self::compute) |
/// | be rid of a value | [`remove`](Self::remove); [`invalidate_if`](Self::invalidate_if) it is still that one; [`expire`](Self::expire), and it serves as a stale one |
/// | be rid of many | [`remove_if`](Self::remove_if) by key, [`retain`](Self::retain) by value, [`clear`](Self::clear) |
/// | see all that is there | [`iter`](Self::iter), [`entries`](Self::entries), [`len`](Self::len), [`weight`](Self::weight) |
/// | know how it fares | [`stats`](Self::stats) |
/// | give memory back, or allow for more | [`set_capacity`](Self::set_capacity), [`sweep`](Self::sweep), [`next_deadline`](Self::next_deadline) |
/// | hold it without keeping it alive | [`downgrade`](Self::downgrade) |
///
/// With `std`, `get_blocking` waits on a thread of its own.
///
/// # What holds for every lookup
///
/// * Callers of a missing key share one load. The look at the store and the claim of the load are one step, so there is
///   no moment in which a second one could begin.
/// * A caller who is dropped, the first included, neither fails nor slows the others, and leaves nothing behind. Any
///   one of them that is polled carries the load on. Once nobody waits, the load is dropped.
/// * All who wait get the outcome of the load itself, though its value may expire at once, be refused or be evicted.
/// * A failure is shared by those who waited for it; so is a panic, which the one who polled the load has, and the
///   others as an error. Who asks later starts afresh.
/// * A hit allocates nothing. A slow load of one key does not slow a hit on another.
///
/// # Keys
///
/// Full keys are compared: two keys of equal hash never share a value, an error or a load. `Hash`, `Eq` and `Borrow` of
/// keys and `Clone` of keys and values may run under a shard's lock, so they must not call the cache. Nothing else of
/// the user's does: no lock is held over an await, a closure or the drop of a value. Values are cloned for each caller;
/// large ones go into an `Arc`.
///
/// # Writes
///
/// [`insert`](Self::insert), [`remove`](Self::remove), [`clear`](Self::clear) and [`retain`](Self::retain) are never
/// undone by a load that began before them. An insert ends the wait of all who wait for the key: they get its value.
/// The others detach a load from its key: those who wait get what it answers, it is not stored, and who comes later
/// begins a new one at once. So does [`expire`](Self::expire), so does [`remove_if`](Self::remove_if) for keys that match, and
/// so do [`invalidate_if`](Self::invalidate_if) and [`compute`](Self::compute) if they change something. A [`listener`](crate::Builder::listener) hears of every value
/// that leaves.
///
/// # Time
///
/// The runtime's clock is read at most once in a call, and once more when a load is published; not at all for a hit,
/// where nothing expires. A lifetime counts from publication. A deadline is reached at its very instant, and a limit
/// for stale values includes its last one. Clocks that stand still or jump only make lives and waits longer or shorter.
///
/// # Memory
///
/// The stored weight never exceeds the capacity. What has expired is given back bit by bit by whatever calls come, at a
/// bounded cost for each; a host without traffic may [`sweep`](Self::sweep). Nothing needs a background task.
///
/// # Loads that use the cache
///
/// A load is polled from the task of whichever waiter is polled: its task-locals and spans are that task's.
///
/// It may ask for other keys. If it asks for its own, it would wait for itself: that call fails with
/// [`LoadError::Reentrant`](crate::LoadError::Reentrant), or takes a stale value that is within the limit for those.
/// This is seen by the waker with which the load is being polled, or the one who polls it is; where there is `std`, by the
/// thread as well, as callers on two threads may have one waker between them (`now_or_never` has one for all). Without
/// `std`, such a caller may be told that it asks from inside. Not seen are calls from a task that the load has
/// spawned, or through a combinator that polls with wakers of its own, nor a ring in which the load of one key waits
/// for another and that one's for the first. Only a [`load_budget`](crate::Builder::load_budget) or a
/// [`lock_timeout`](crate::Builder::lock_timeout), with a timer to notice it, ends such waits: set one where loads ask
/// the cache.
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
/// The cache is `Send` and `Sync` if its parts are: [`parts::Std`](crate::parts::Std) gives one for threads,
/// [`parts::Local`](crate::parts::Local) one for a single thread, whose values need not be `Send`.
pub struct Cache<K, V, E, R: Runtime, S: Tuning = Standard> {
    pub(crate) inner: Arc<Engine<K, V, E, R, S>>,
}

impl<K, V, E, R: Runtime, S: Tuning> Clone for Cache<K, V, E, R, S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// A cache, as one type parameter: there so that the futures of its calls have few. Only [`Cache`] is one.
pub trait AnyCache: Sealed {
    /// What values are found by.
    type Key: Key;
    /// What is kept.
    type Value: Clone;
    /// What a failed load says.
    type Error;
    /// The host.
    type Runtime: Runtime;
    /// Policy and hasher.
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
