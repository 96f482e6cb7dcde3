//! What is said on a connection by itself: writes that nobody has acknowledged, and leases that are given back.

use std::sync::Arc;

use futures_util::future::join_all;
use larder::Instant;

use crate::{decide::Release, host::lock, link::Link, stats::count, wire::Line};

/// How many are said at once.
const AT_ONCE: usize = 64;

/// Says what comes into the outbox.
pub(crate) async fn say(link: &Link, line: &Arc<dyn Line>) {
    loop {
        let work = link.work.listen();
        let has_work = lock(&link.outbox).has_work();
        if !has_work {
            work.await;
        } else if !deliver(link, line).await {
            // It is slow, or out of order: no faster than we ask whether it is there.
            link.host.sleep_until(link.now().saturating_add(link.settings.ping_every)).await;
        }
    }
}

/// Says what is in the outbox; returns whether all of the writes have been acknowledged.
pub(crate) async fn deliver(link: &Link, line: &Arc<dyn Line>) -> bool {
    loop {
        let now: Instant = link.now();
        let (due, releases) = {
            let mut outbox = lock(&link.outbox);
            (outbox.take_due(AT_ONCE), outbox.take_releases(now))
        };
        if due.is_empty() && releases.is_empty() {
            return true;
        }
        // The guards come before the futures: of these, some may be dropped before they were polled.
        let writes = due.into_iter().map(|write| {
            let sending = link.sending(write.name.clone(), write.sent);
            async move {
                let id = link.names.id(write.name);
                let is_done = link.void(line, &id, write.kind).await;
                if is_done {
                    sending.acknowledged();
                    count(&link.counters.resent);
                }
                is_done
            }
        });
        let releases = releases.into_iter().map(|release| {
            let unsaid = Unsaid { link, release, is_done: false };
            async move {
                let is_done = link.release(line, &unsaid.release).await;
                if is_done {
                    unsaid.done();
                }
                is_done
            }
        });
        let (written, released) = futures_util::future::join(join_all(writes), join_all(releases)).await;
        if written.contains(&false) || released.contains(&false) {
            return false;
        }
    }
}

/// A lease that is being given back; if nobody has heard of that, it is said again as long as it matters.
struct Unsaid<'a> {
    link: &'a Link,
    release: Release,
    is_done: bool,
}

impl Unsaid<'_> {
    fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Unsaid<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            lock(&self.link.outbox).release(self.release.clone());
        }
    }
}

#[cfg(test)]
mod tests;
