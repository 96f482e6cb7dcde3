//! The configuration of a tier.

use std::{fmt, sync::Arc, time::Duration};

use larder::Ttl;

use crate::{Codec, settings::Settings};

/// The configuration of a second tier; its last call makes the cache and the tier, bound to each other.
///
/// All processes of a fleet have the same server and the same [namespace](Self::namespace), and should have the same
/// times. What is said of a fleet is said of the processes with one namespace.
///
/// The last call takes the builder of the first tier, and the loader (a loader that was set before is replaced):
/// [`load_fn`](Self::load_fn) and [`loaded_fn`](Self::loaded_fn) closures for one key, [`loader`](Self::loader) a
/// [`Load`](larder::Load), [`revalidate_fn`](Self::revalidate_fn) a closure that is handed what there is,
/// [`many_loader`](Self::many_loader) and [`loaded_many_fn`](Self::loaded_many_fn) loads of many keys. It has to be called
/// where the runtime can spawn: one task keeps the connection.
///
/// **Lifetimes are the tier's**: a loaded value lives as long as its load says, else as [`ttl`](Self::ttl) here says.
/// The `ttl` and `expire_after` of the cache's builder, and the `ttl` of a call's options, have no effect on loaded
/// values. All else is the first tier's own: capacity, weigher, idle time, jitter, timeouts, limits for stale values.
///
/// **Loads that a call brings** (`get_or_load`, `get_many_or_load`, `get_with`, `by`) are this process's alone: they ask nobody
/// for a lease, and nothing of them is shared. They and what is inserted into the cache are held for
/// [`alone_ttl`](Self::alone_ttl) at most, or for the cache's `ttl` if that is shorter, unless they, their call or the cache's
/// `expire_after` say for how long: whether anybody tells this process when they change, nobody knows at that time.
///
/// **Threads that block**: `get_blocking` keeps all times of the tier, also where no runtime is at hand; for other calls take
/// [`larder::parts::block_on`]. Any other `block_on`, on a thread without the runtime's timer, would wait without an end
/// for a process that has died.
///
/// **Writes go through the [`Tier`](crate::Tier)**: `insert`, `remove`, `expire` and `clear` of the cache change this
/// process alone, and the next miss takes the old value from the server again.
///
/// ```
/// use std::{io, time::Duration};
/// use larder_redis::{Json, TierBuilder};
/// use larder_tokio::{Cache, Tokio};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (names, tier) = TierBuilder::new("redis://127.0.0.1/", Json::new("name/1"))
///     .namespace("names")
///     .ttl(Duration::from_secs(300))
///     .load_fn(
///         Cache::builder(Tokio::new()).capacity(10_000),
///         |id: u64| async move { io::Result::Ok(format!("user {id}")) },
///     )?;
/// assert_eq!(names.get(&7).await?, "user 7"); // with a server or without
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it does nothing before its last call"]
pub struct TierBuilder<V> {
    pub(crate) url: String,
    pub(crate) codec: Arc<dyn Codec<V>>,
    pub(crate) settings: Settings,
}

impl<V> TierBuilder<V> {
    /// Begins the configuration of a tier on the server at this address, with values written by this codec.
    ///
    /// Addresses are those of the crate `redis`: `redis://user:password@host:port/database`, or
    /// `unix:///path/to/socket`. For `rediss://`, add that crate with one of its features for TLS to your program. The
    /// server has to know RESP3: Redis 6 or newer, or Valkey.
    pub fn new(url: &str, codec: impl Codec<V>) -> Self {
        Self { url: url.into(), codec: Arc::new(codec), settings: Settings::new() }
    }

    /// Sets what the server's keys begin with; `larder` by default.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.settings.names.namespace = namespace.into();
        self
    }

    /// Lets hashes stand in for names in the server's keys.
    ///
    /// For names that are long. The full name lies beside each value and is compared, so two names with one hash cost
    /// loads and never wrong values. By default names are part of the keys, for people to read. Change the namespace with
    /// this: processes that name keys in another way do not understand each other's notices.
    pub fn hashed_names(mut self) -> Self {
        self.settings.names.hashed = true;
        self
    }

    /// Sets how long other processes wait for one that loads; 2 s by default.
    ///
    /// It is the lock age across machines: a process that dies while it loads holds the others back for this long at
    /// most. A load that takes longer is not lost, and harms nothing: it is stored if nothing newer was.
    ///
    /// Within that time nobody begins another load of the key, the process that has the lease included. So it is the least that
    /// the first tier's own [`lock_age`](larder::Builder::lock_age), and a
    /// [`lock_timeout`](larder::Builder::lock_timeout) after which a caller loads for itself, come to: what they begin earlier
    /// waits until the lease is over. A caller that would rather fail, or take a stale value, does so when its time is over.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// Sets how long after its last lease a load may still be stored; by default 30 s, or two leases if that is longer.
    ///
    /// A load that takes longer is served to those who wait for it, and not stored.
    pub fn epoch_memory(mut self, memory: Duration) -> Self {
        self.settings.epoch_memory = Some(memory);
        self
    }

    /// Sets how long values are fresh whose load does not say; 60 s by default.
    ///
    /// In both tiers: the `ttl` of the cache's builder has no effect on loaded values.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.settings.ttl = ttl.into();
        self
    }

    /// Sets how long after that a value is kept, to be served while one process refreshes it; 30 s by default.
    ///
    /// Callers elsewhere get it at once, with the status [`Stale`](larder::Status::Stale). That is every call, `get` as well,
    /// whatever the first tier's own limits for stale values are; zero keeps none, and they wait. The one process whose refresh
    /// fails gets the error, or this value, as its cache's own
    /// [`stale_if_error`](larder::Builder::stale_if_error) says.
    pub fn stale_for(mut self, stale: Duration) -> Self {
        self.settings.stale = stale;
        self
    }

    /// Sets how long no process tries again after a failed load; not at all by default.
    ///
    /// Meanwhile they are served the stale value, if there is one, or fail with
    /// [`TierError::Elsewhere`](crate::TierError::Elsewhere). A load that panics, or takes longer than the
    /// [`load_budget`](larder::Builder::load_budget) of its cache, has failed as well.
    pub fn cool_down(mut self, cool_down: Duration) -> Self {
        self.settings.cool_down = cool_down;
        self
    }

    /// Sets how long the server's answer to a call is waited for; 150 ms by default.
    ///
    /// Without one, a lookup loads as if there were no second tier.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// Sets how long this process goes on without having heard from the server; 400 ms by default.
    ///
    /// It is the bound of staleness of a process that is cut off or was stopped: beyond it, nothing that it holds is
    /// served as fresh, and it loads by itself.
    pub fn hearing_limit(mut self, limit: Duration) -> Self {
        self.settings.hearing_limit = limit;
        self
    }

    /// Sets how often the server is asked whether everything was heard; every 100 ms by default.
    pub fn ping_every(mut self, pause: Duration) -> Self {
        self.settings.ping_every = pause;
        self
    }

    /// Sets how often those who wait for another process look, if they hear of nothing; every 250 ms by default.
    pub fn poll_every(mut self, pause: Duration) -> Self {
        self.settings.poll_every = pause;
        self
    }

    /// Sets how many loads this process begins at once while it does not hear; 8 by default.
    ///
    /// So that a source that was spared by the second tier is not overrun when that is gone. What a load asks of its own
    /// cache while it is polled is a part of it. If others have waited for a [`lease`](Self::lease)'s time, one of them goes on
    /// nevertheless, and after as long again the next: some loads may be waiting for them.
    pub fn alone(mut self, loads: usize) -> Self {
        self.settings.alone = loads;
        self
    }

    /// Sets how long the first tier holds what was loaded without the second; 500 ms by default.
    ///
    /// Nobody tells this process when it changes. It holds for loads that a call brings, and for what is inserted into the
    /// cache, if they do not say for how long.
    pub fn alone_ttl(mut self, ttl: Duration) -> Self {
        self.settings.alone_ttl = ttl;
        self
    }

    /// Sets how many bytes a value may have to be shared; 1 MiB by default.
    ///
    /// So that one value does not hold up all others on the connection. Larger ones are loaded by each process that
    /// needs them.
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.settings.max_size = bytes;
        self
    }
}

impl<V> fmt::Debug for TierBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // (The address may have a password in it.)
        f.debug_struct("TierBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
