//! The shell of the lazy slot: a cache of one key by the rules of a slot.
//!
//! Where a slot differs from a cache, the decisions are made in the same place as the cache's: which callers are served
//! a stale value and which refreshes it ([`Takes`](crate::shard::Takes)), when a refresh is due
//! ([`Margin`](crate::shard::Margin)), and how long a failure delays it ([`Backoff`](crate::store::Backoff)).

mod builder;
mod direct;
mod fetch;
mod get;
mod keep_fresh;
mod one_key;
mod per_call;
mod stale;
mod state;
mod watch;
mod weak;

#[cfg(feature = "std")]
mod blocking;

use core::fmt;

pub use builder::SlotBuilder;
pub use fetch::{Answer, FetchFn};
pub use get::SlotLookup;
pub use stale::{SlotAbandoned, SlotRefresh, StaleValue};
pub use watch::{Changed, Watcher};
pub use weak::WeakSlot;

use crate::{Cache, Runtime, Tuned, policy::Lru};
use one_key::OneKey;

/// One value that is costly to get, and is fetched again once it has expired.
///
/// One caller fetches it; the others go on with the old one. Made by [`LazySlot::builder`]; cloning it is cheap, and
/// all clones are one slot. `V` is the value, `E` the error of a failed fetch and `R` the runtime.
///
/// ```
/// use core::time::Duration;
/// use futures_lite::future::block_on;
/// use larder::{LazySlot, Loaded, ManualClock, Previous, parts::Std};
///
/// let clock = ManualClock::new();
/// let token = LazySlot::builder(Std::new(clock.clone()))
///     .fetch_fn(|previous: Option<Previous<u32>>| async move {
///         let number = previous.map_or(1, |previous| previous.value() + 1); // the slow part
///         Ok::<_, std::io::Error>(Loaded::new(number).ttl(Duration::from_secs(3600)))
///     })
///     .build()?;
/// assert_eq!(block_on(token.get())?, 1); // fetched
/// assert_eq!(block_on(token.get())?, 1); // found
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(block_on(token.get())?, 2); // fetched again
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What holds
///
/// * All callers that ask during the first fetch share it, and its failure. Their waits are cancellable, and
///   [`lock_timeout`](SlotBuilder::lock_timeout) bounds them. A caller that asks later fetches at once.
/// * Once the value has expired, the first caller that [gets](Self::get) it refreshes it; all others get the old one at
///   once, as its [`Status`](crate::Status) shows. [`get_stale`](Self::get_stale) hands the refresh out instead, so no
///   caller waits, and [`get_stale_spawn`](Self::get_stale_spawn) lets the runtime run it.
/// * A failed refresh keeps the old value: the caller that refreshed gets it, together with the error. The next refresh
///   begins after a [delay](SlotBuilder::retry_after) that grows with each failure in a row. A panic is a failure.
/// * Dropping a caller is not a failure: the next one refreshes at once.
/// * [`stale_limit`](SlotBuilder::stale_limit) says how old a value may be; beyond it callers wait for the fetch, or
///   get its error. By default a value is never too old.
/// * A fetch that asks its own slot gets the old value, or a typed error if there is none; it does not wait for itself.
///
/// Everything that holds for lookups of a [`Cache`] holds here, too: progress as long as any caller is polled, no lock
/// over user code, a hit that allocates nothing.
///
/// # Tokens
///
/// With [`refresh_ahead`](SlotBuilder::refresh_ahead) the refresh is due by a margin before the value expires. It is
/// made by [`get_stale_spawn`](Self::get_stale_spawn) or the holder of a [`get_stale`](Self::get_stale) refresh, by the
/// task of [`keep_fresh`](Self::keep_fresh), or with [`refresh_inline`](SlotBuilder::refresh_inline) by
/// [`get`](Self::get). A plain `get` alone does not refresh early. While the old value is good, a refresh that stalls
/// or fails affects no caller. If a service refuses a token, report it with [`invalidate_if`](Self::invalidate_if): a
/// hundred callers that are refused at once cost one new token. A source that returns values which have expired already
/// is asked at the pace of the retries, not in a loop; a value that is still good stays meanwhile.
///
/// What users of other token caches ask for, and where it is here:
///
/// | asked for | elsewhere | here |
/// |---|---|---|
/// | early refresh without a task | [aws-smithy-runtime 1] waits for it within 10 s of expiry | [`get_stale`](Self::get_stale), or [`get_stale_spawn`](Self::get_stale_spawn) |
/// | refresh without any call | [requested there][eager]; [google-cloud-auth] has a task on tokio | [`keep_fresh`](Self::keep_fresh), on any runtime |
/// | a failed refresh keeps a good value | [fixed in google-cloud-auth][displaced] in 2026 | always |
/// | paced retries | by a fixed sleep, or not at all | [`retry_backoff`](SlotBuilder::retry_backoff) with jitter |
/// | a source of expired values does not cause a loop | [fixed in google-cloud-auth][loop] in 2026 | asked at the pace of retries |
/// | drop a token that was refused, once | by hand | [`invalidate_if`](Self::invalidate_if) |
/// | a separate time limit for the refresh | the caller waits up to the load's timeout | [`fetch_budget`](SlotBuilder::fetch_budget) |
///
/// [aws-smithy-runtime 1]: https://docs.rs/aws-smithy-runtime/1/aws_smithy_runtime/client/identity/struct.LazyCacheBuilder.html
/// [eager]: https://github.com/smithy-lang/smithy-rs/issues/2376
/// [google-cloud-auth]: https://github.com/googleapis/google-cloud-rust/issues/1210
/// [displaced]: https://github.com/googleapis/google-cloud-rust/issues/5809
/// [loop]: https://github.com/googleapis/google-cloud-rust/pull/6932
///
/// # Origin
///
/// The rules are those of `lazyslot` of LUCI; [`migration::from_lazyslot`](crate::migration::from_lazyslot) lists what
/// differs, and why, behaviour by behaviour.
pub struct LazySlot<V, E, R: Runtime> {
    cache: Cache<(), V, E, R, OfSlots>,
}

/// The policy and the hasher of slots: there is only one key.
type OfSlots = Tuned<Lru, OneKey>;

/// Its one key.
const KEY: &() = &();

impl<V, E, R: Runtime> Clone for LazySlot<V, E, R> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone() }
    }
}

impl<V: Clone, E, R: Runtime> fmt::Debug for LazySlot<V, E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazySlot").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
