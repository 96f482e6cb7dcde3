//! The handle of a tier.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use larder::{Loaded, Ttl};

use crate::{
    TierKey, TierStats,
    decide::{Kind, Life},
    host::{lock, within},
    lease::Lease,
    link::Sending,
    shared::Shared,
    stats::count,
};

/// The second tier of a cache: writes that the whole fleet hears of.
///
/// Made by [`TierBuilder`](crate::TierBuilder), together with the cache, which does the reading. Clones are handles of the
/// same tier. The connection is kept as long as the cache or the tier has a handle, and closed after the last.
///
/// Write the source first, then say so here: what is loaded after an acknowledged [`invalidate`](Self::invalidate) is
/// what was written, and nothing that was loaded before is kept anywhere. The cache's own `insert`, `remove`, `expire`
/// and `clear` change this process alone: the next miss takes the old value from the server again.
///
/// ```
/// use std::{io, time::Duration};
/// use larder_redis::{Json, TierBuilder};
/// use larder_tokio::{Cache, Tokio};
///
/// # async fn query(id: u64) -> io::Result<String> { Ok(format!("user {id}")) }
/// # async fn update(id: u64) -> io::Result<()> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (users, tier) = TierBuilder::new("redis://127.0.0.1/", Json::new("user/1"))
///     .namespace("users")
///     .ttl(Duration::from_secs(300))
///     .load_fn(Cache::builder(Tokio::new()).capacity(10_000), query)?;
/// assert_eq!(users.get(&7).await?, "user 7");
///
/// update(7).await?;
/// if !tier.invalidate(&7).await.is_acknowledged() {
///     // It is done here; the others will hear of it.
/// }
/// # Ok(())
/// # }
/// ```
pub struct Tier<K, V, E> {
    pub(crate) shared: Arc<Shared<K, V, E>>,
}

/// How far a write has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a write that is pending has not been heard of elsewhere"]
pub enum Written {
    /// The server has acknowledged it.
    ///
    /// No load that began before is ever stored in the second tier, or kept by a process that hears, and every
    /// process that hears has heard of it or is about to.
    Acknowledged,
    /// It is done in this process, and will be sent until it is acknowledged, as long as the process lives.
    Pending,
}

impl Written {
    /// Returns whether the server has acknowledged it.
    pub const fn is_acknowledged(self) -> bool {
        matches!(self, Self::Acknowledged)
    }
}

impl<K, V, E> Tier<K, V, E>
where
    K: TierKey,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Voids a key everywhere: its values, and the loads that are under way.
    ///
    /// It waits for the [`deadline`](crate::TierBuilder::deadline) at most, and not at all while the process does not
    /// hear. Whether anything was there does not matter.
    ///
    /// # Cancel safety
    ///
    /// From its first poll on, the write will be sent, whether or not the call is dropped.
    pub async fn invalidate(&self, key: &K) -> Written {
        self.void(key, Kind::Invalidate).await
    }

    /// Makes a key stale everywhere, and voids the loads that are under way.
    ///
    /// As [`invalidate`](Self::invalidate), but the value stays for the limits of staleness to judge: in the second tier
    /// for as long as [`stale_for`](crate::TierBuilder::stale_for) says, and in each first tier as `Cache::expire` leaves
    /// it. So there is something to be served while one process refreshes it.
    ///
    /// # Cancel safety
    ///
    /// As [`invalidate`](Self::invalidate).
    pub async fn expire(&self, key: &K) -> Written {
        self.void(key, Kind::Expire).await
    }

    /// Writes a value through to the second tier, where every process finds it.
    ///
    /// What there was, and the loads that are under way, are void as after [`invalidate`](Self::invalidate). Its lifetime
    /// is its own or else that of the tier; one that is not to be stored is an invalidation. Of two writers the later one
    /// wins. The first tier forgets the key, and takes the value from the second when it is asked for: put in here, it
    /// could be older than a write that has just been heard of.
    ///
    /// If it is [`Pending`](Written::Pending), what will be sent again is the invalidation, and the value is not stored:
    /// when it arrives, it might be an old one.
    ///
    /// # Cancel safety
    ///
    /// As [`invalidate`](Self::invalidate); dropped in between, the value may be missing in the second tier.
    pub async fn insert(&self, key: &K, value: impl Into<Loaded<V>>) -> Written {
        let (link, name) = (&self.shared.link, key.name());
        let (value, terms) = value.into().into_parts();
        let begun = link.now();
        if self.shared.life(&terms, begun) == Life::Unshared {
            return self.invalidate(key).await;
        }
        let (sent, _) = lock(&link.outbox).begin(&name, Kind::Invalidate);
        let write = Write { tier: self, key, kind: Kind::Invalidate, sending: Some(link.sending(&name, sent)) };
        self.void_here(key, Kind::Invalidate);
        let Some(line) = link.line() else { return self.pending() };
        let mut lease = Lease::new(link, link.names.id(name.clone()));
        if !link.store(&line, &lease.id, &lease.token).await {
            return self.pending();
        }
        write.acknowledged();
        lease.begins_epoch();
        let _: Ttl = self.shared.publish(lease, &value, &terms, begun).await;
        Written::Acknowledged
    }

    async fn void(&self, key: &K, kind: Kind) -> Written {
        let (link, name) = (&self.shared.link, key.name());
        // Noted first: it is sent whatever happens here, a listener that panics included.
        let (sent, strongest) = lock(&link.outbox).begin(&name, kind);
        let write = Write { tier: self, key, kind, sending: Some(link.sending(&name, sent)) };
        self.void_here(key, kind);
        let Some(line) = link.line() else { return self.pending() };
        if !link.void(&line, &link.names.id(name.clone()), strongest).await {
            return self.pending();
        }
        write.acknowledged();
        Written::Acknowledged
    }

    /// Does it in this process.
    fn void_here(&self, key: &K, kind: Kind) {
        match kind {
            Kind::Invalidate => self.shared.first_tier.invalidate(key),
            Kind::Expire => self.shared.first_tier.expire(key),
        }
    }

    fn pending(&self) -> Written {
        count(&self.shared.link.counters.pending);
        Written::Pending
    }
}

impl<K, V, E> Tier<K, V, E> {
    /// Returns whether this process hears of what others write.
    ///
    /// While it does not, each lookup that the first tier cannot answer loads by itself.
    pub fn hears(&self) -> bool {
        self.shared.link.line().is_some()
    }

    /// Waits until this process hears, for this long at most; returns whether it does.
    ///
    /// There is no need to: a cache may be used at once. It is for programs that would rather not begin alone, and for
    /// tests.
    pub async fn wait_until_it_hears(&self, longest: Duration) -> bool {
        let link = &self.shared.link;
        let hears = async {
            while link.line().is_none() {
                let begun = link.hears.listen();
                if link.line().is_none() {
                    begun.await;
                }
            }
        };
        within(&*link.host, link.now().saturating_add(longest), hears).await.is_some()
    }

    /// Returns what the tier has done so far in this process.
    pub fn stats(&self) -> TierStats {
        let link = &self.shared.link;
        TierStats { unacknowledged: lock(&link.outbox).unsaid() as u64, ..link.counters.read() }
    }
}

/// A write of a caller. If it ends without an acknowledgement, the second tier is not asked for its key from then on, and what
/// was found there meanwhile goes again.
struct Write<'a, K, V, E>
where
    K: TierKey,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    tier: &'a Tier<K, V, E>,
    key: &'a K,
    kind: Kind,
    sending: Option<Sending<'a>>,
}

impl<K, V, E> Write<'_, K, V, E>
where
    K: TierKey,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    fn acknowledged(mut self) {
        self.sending.take().into_iter().for_each(Sending::acknowledged);
    }
}

impl<K, V, E> Drop for Write<'_, K, V, E>
where
    K: TierKey,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    fn drop(&mut self) {
        if let Some(sending) = self.sending.take() {
            drop(sending);
            // (A listener that panics has panicked before, and this may be why the write ends.)
            drop(catch_unwind(AssertUnwindSafe(|| self.tier.void_here(self.key, self.kind))));
        }
    }
}

impl<K, V, E> Clone for Tier<K, V, E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, V, E> fmt::Debug for Tier<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tier").field("hears", &self.hears()).field("stats", &self.stats()).finish_non_exhaustive()
    }
}
