//! What is said on a connection by itself: writes that nobody has acknowledged, and leases that are given back.

use std::sync::Arc;

use futures_util::{
    FutureExt, StreamExt,
    future::{join, join_all},
    stream::FuturesUnordered,
};

use crate::{
    decide::Release,
    host::{first, lock},
    link::Link,
    stats::count,
    wire::Line,
};

/// How many of each are said at once.
const AT_ONCE: usize = 64;

/// Says what comes into the outbox.
pub(crate) async fn say(link: &Link, line: &Arc<dyn Line>) {
    let writes = async {
        loop {
            let work = link.work.listen();
            let has_due = lock(&link.outbox).has_due();
            if !has_due {
                work.await;
            } else if !deliver(link, line).await {
                // It is slow, or out of order: no faster than we ask whether it is there.
                pause(link).await;
            }
        }
    };
    let releases = async {
        loop {
            let work = link.work.listen();
            give_back(link, line).await;
            work.await;
        }
    };
    let ((), ()) = join(writes, releases).await;
}

/// Says the writes in the outbox until there are none; returns false if one of them was not acknowledged.
pub(crate) async fn deliver(link: &Link, line: &Arc<dyn Line>) -> bool {
    loop {
        let due = lock(&link.outbox).take_due(AT_ONCE);
        if due.is_empty() {
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
        if join_all(writes).await.contains(&false) {
            return false;
        }
    }
}

/// Gives the leases in the outbox back until there are none.
///
/// Each is said once on a connection, since asking again makes a slow server slower, and its answer is waited for as long as
/// it matters: the client library sends nothing for those who have ceased to wait.
pub(crate) async fn give_back(link: &Link, line: &Arc<dyn Line>) {
    let mut said = FuturesUnordered::new();
    loop {
        let (work, now) = (link.work.listen(), link.now());
        let releases = lock(&link.outbox).take_releases(now, AT_ONCE - said.len());
        // (Guarded before any of them is polled, as above.)
        said.extend(releases.into_iter().map(|release| Unsaid { link, release, is_over: false }.say(line)));
        if said.is_empty() {
            return;
        }
        first(work, said.next().map(drop)).await;
    }
}

async fn pause(link: &Link) {
    link.host.sleep_until(link.now().saturating_add(link.settings.ping_every)).await;
}

/// A lease that is being given back; if nobody has heard of that, it is said again as long as it matters.
struct Unsaid<'a> {
    link: &'a Link,
    release: Release,
    is_over: bool,
}

impl Unsaid<'_> {
    async fn say(mut self, line: &Arc<dyn Line>) {
        match self.link.release(line, &self.release, self.release.until).await {
            // (Without an answer until then, the server has forgotten it.)
            Some(true) | None => self.is_over = true,
            Some(false) => pause(self.link).await,
        }
    }
}

impl Drop for Unsaid<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            lock(&self.link.outbox).release(self.release.clone());
        }
    }
}

#[cfg(test)]
mod tests;
