//! A read-through cache, a lazy slot and a write-back cache for async Rust that work on any runtime or none.
//!
//! ```
//! use core::time::Duration;
//! use futures_lite::future::block_on;
//! use larder::{Cache, parts::{NoTimer, Std, StdClock}};
//!
//! let cache = Cache::builder(Std::new(NoTimer::new(StdClock::new())))
//!     .ttl(Duration::from_secs(60))
//!     .load_fn(|id: u64| async move { Ok::<_, std::io::Error>(format!("user {id}")) })
//!     .build()?;
//! assert_eq!(block_on(cache.get(&7))?, "user 7"); // loaded
//! assert_eq!(block_on(cache.get(&7))?, "user 7"); // found
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What holds for every lookup, and what else a user has to know, is documented at [`Cache`].
//!
//! # The story of a lookup
//!
//! 1. The first poll of [`Cache::get`] reads the clock, if anything can expire, hashes the key and locks one shard.
//! 2. If the store says *hit*, the value is returned; nothing has been allocated, and nothing else has been set up.
//! 3. Otherwise, under the same lock, the caller begins a load (it *leads*) or waits for one (it *joins*): there is no moment
//!    in which a second load could begin. The shard is unlocked.
//! 4. The load is stored in the *flight*, which is all that goes on for one key. A caller that is polled takes it out, polls it and puts it back, so no caller
//!    is special: any of them may be dropped, or never be polled again.
//! 5. The first answer is published under the lock: it is stored, and kept as the outcome for all callers of the
//!    flight. All waiting callers are woken.
//!
#![doc = include_str!("../docs/map.md")]
//!
//! # Coming from another cache
//!
//! * [`migration::from_pingora`]: from pingora-memory-cache 0.9.1, call by call. [`Coalescing::pingora`] sets its rules
//!   about slow loads.
//! * [`migration::from_moka`]: the same for moka 0.12. [`migration::from_lazyslot`] for the slot of LUCI, and
//!   [`migration::from_imago`] for its cache of pages.
//!
//! <details><summary>Everything that pingora-memory-cache 0.9.1 does, line by line: its name here, and which defaults
//! differ and why</summary>
//!
#![doc = include_str!("../docs/pingora_table.md")]
//!
//! </details>
//!
//! # Without an operating system
//!
//! See [`firmware`]: a whole program, what it costs, what to choose.
//!
//! # Features
//!
//! * `std` (default): the standard library's mutex and clock in [`parts`], randomly seeded hashing, and
//!   panics of wakers, listeners and drops contained while another panic is under way. Without it the crate is `no_std`
//!   and needs only `alloc`.
//! * `critical-section`: a lock that an interrupt may take as well.
//! * `event-listener`: wakes waiters through `event_listener::Event`.
//! * `portable-atomic`: for targets without compare-and-swap; on all others it changes nothing. The program chooses how
//!   `portable-atomic` gets it, by one of that crate's own features, `critical-section` or `unsafe-assume-single-core`.
//! * `coarse-clock`: a clock that is cheaper to read and a few milliseconds coarse; it needs `std`.

#![cfg_attr(docsrs, feature(doc_cfg))]
// Always, so that everything that needs std is visible by its path; std itself is linked only by the feature.
#![no_std]
#![forbid(unsafe_code)]
// Here and not for the whole workspace: the other crates have std, and nothing to gain from the other paths.
#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(feature = "std")]
mod blocked;
mod cache;
mod contain;
mod dirty;
mod error;
mod few;
mod flight;
mod hasher;
mod jitter;
mod outcome;
mod runtime;
mod shard;
mod share;
mod slot;
mod source;
mod store;
mod sync;
mod time;
mod write_back;

/// Bounds for code that is generic over whether values and loads move between threads.
#[doc(hidden)]
pub mod bounds {
    pub use crate::{
        slot::FetchFn,
        source::{
            Chance, Expiry, Keeper, Listener, LoadEachFn, LoadFn, LoadManyFn, LoadOf, LoadedFn, LoadedManyFn, Loader,
            ManyLoader, RevalidateFn, Revalidator, WallClock, Weigher,
        },
    };
}

/// Futures that hardly anybody names: what calls return, and what a runtime is given to run.
///
/// They are awaited, or told more before that ([`Lookup`](futures::Lookup)); or stand in the bounds of what is generic over
/// runtimes. The refreshes, which callers hold, are with the rest: [`Refresh`] and [`SlotRefresh`].
pub mod futures {
    pub use crate::{
        cache::{Abandoned, Lookup, LookupMany},
        slot::{Changed, SlotAbandoned, SlotLookup},
        write_back::Flush,
    };
}

pub mod firmware;
pub mod guide;
pub mod migration;
pub mod parts;
#[doc = include_str!("../docs/recipes.md")]
pub mod recipes {}
pub mod testing;
/// Eviction policies, and the trait for custom ones.
pub mod policy {
    pub use crate::store::policy::{GatedFifo, Lru, Nodes, Policy};
}

pub use cache::{
    Builder, Cache, Change, Coalescing, ComputeError, Computed, ConfigError, LookupOptions, Refresh, StaleOutcome,
    Stats, WeakCache,
};
pub use error::{BoxError, Cause, Failure, LoadError};
pub use hasher::DefaultHasher;
pub use outcome::{Entry, Generation, Outcome, RemovalCause, Status};
pub use parts::ManualClock;
pub use runtime::{Clock, Lock, Notify, Runtime, Spawn, Timer};
pub use shard::OnTimeout;
pub use share::{Standard, Tuned, Tuning};
pub use slot::{Answer, LazySlot, SlotBuilder, SlotRefresh, StaleValue, Watcher, WeakSlot};
pub use source::{
    AnswerSink, Backend, BoxIo, BoxLoad, BoxRevalidate, Failed, Keeps, Key, Load, LoadMany, Loaded, LocalBoxIo,
    LocalBoxLoad, LocalBoxRevalidate, ManyThreads, OneThread, Previous, Revalidate, Revalidated, Stores, Takes,
    Threads,
};
pub use time::{Instant, TimeLeft, Ttl};
pub use write_back::{
    CircleError, DependError, Fault, FlushError, FlushFirst, Pinned, Room, Unflushed, WeakWriteBack, WriteBack,
    WriteBackBuilder, WriteBackError,
};
