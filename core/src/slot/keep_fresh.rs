//! Refreshing a slot without any call.

use core::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use super::LazySlot;
use crate::{Instant, LookupOptions, Runtime, share::Once};

impl<V: Clone, E, R: Runtime> LazySlot<V, E, R> {
    /// Returns a task that fetches the value at once and refreshes it when due.
    ///
    /// Spawn it once; calls then need not refresh, but may. It sleeps until the value expires or the
    /// [margin](crate::SlotBuilder::refresh_ahead) before that is reached, retries after failures as the slot does, and
    /// notices at once when the value is set, expired or dropped. It waits for each fetch without a limit: set a
    /// [budget](crate::SlotBuilder::fetch_budget). It fetches at most once a second, whatever the source and the
    /// settings say. It ends once all clones of the slot are gone; a fetch under way keeps the slot alive until it
    /// ends.
    ///
    /// A fetch that panics ends the task, unless another caller polled it. Without a timer, as with
    /// [`NoTimer`](crate::parts::NoTimer), it does not wake by itself when time has passed: such a host polls it at
    /// [`refresh_at`](Self::refresh_at).
    ///
    /// # Cancel safety
    ///
    /// Dropping it is like dropping a call of [`refresh`](Self::refresh).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, poll_once};
    /// # use larder::{LazySlot, Loaded, ManualClock, parts::Std};
    /// # use std::io;
    /// let clock = ManualClock::new();
    /// let slot = LazySlot::builder(Std::new(clock.clone()))
    ///     .fetch_fn(|_| async { Ok::<_, io::Error>(Loaded::new("token")) })
    ///     .ttl(Duration::from_secs(60))
    ///     .refresh_ahead(Duration::from_secs(10))
    ///     .build()?;
    /// // In an async program: `spawn(slot.keep_fresh())`
    /// let mut task = Box::pin(slot.keep_fresh());
    /// assert!(block_on(poll_once(&mut task)).is_none());
    /// for fetches in 1..10 {
    ///     assert_eq!(slot.stats().loads_succeeded, fetches);
    ///     clock.advance(Duration::from_secs(50));
    ///     assert!(block_on(poll_once(&mut task)).is_none());
    /// }
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    pub fn keep_fresh(&self) -> impl Future<Output = ()> + use<V, E, R> {
        let slot = self.downgrade();
        Once::new(move || {
            let slot = slot.clone();
            Some(async move {
                let Some(mut watcher) = slot.upgrade().map(|slot| slot.watcher(true)) else { return };
                let mut earliest = Instant::ZERO;
                while let Some(slot) = slot.upgrade() {
                    let now = slot.runtime().now();
                    // If the clock has jumped back, it is not put off for longer.
                    earliest = earliest.min(now.saturating_add(PACE));
                    let at = slot.refresh_at().max(earliest);
                    if at.reached(now) {
                        // Callers' timeouts do not apply to it. Whatever the result, the slot has noted it.
                        let _told = slot.lookup(LookupOptions::new().reload().no_lock_timeout()).await;
                        earliest = slot.runtime().now().saturating_add(PACE);
                        continue;
                    }
                    let mut sleep = (at != Instant::NEVER).then(|| slot.runtime().sleep_until(at));
                    drop(slot);
                    let mut changed = watcher.changed();
                    poll_fn(|cx| match sleep.as_mut().map(|sleep| Pin::new(sleep).poll(cx)) {
                        Some(Poll::Ready(())) => Poll::Ready(()),
                        _ => Pin::new(&mut changed).poll(cx).map(drop),
                    })
                    .await;
                }
            })
        })
    }
}

/// The shortest time between two fetches of a slot that is kept fresh.
const PACE: Duration = Duration::from_secs(1);
