//! The one connection: made, listened to, given up, made again.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::join};

use crate::{
    decide::{Hearing, Next},
    flag::Flag,
    host::{first, lock, within},
    link::Link,
    random,
    say::{deliver, give_back, say},
    stats::count,
    wire::{Heard, Line, Wire},
};

/// Keeps a connection as long as the tier has a handle.
pub(crate) async fn keep(link: Arc<Link>, wire: Box<dyn Wire>) {
    // (Also if the runtime ends before the tier does.)
    let deaf = GoDeaf(&link);
    first(link.closing.wait(), again_and_again(&link, &*wire)).await;
    let mut line = link.line();
    drop(deaf);
    // What is still to be said is said, though nobody has a handle any more.
    let mut pauses = Hearing::new(link.settings.hearing_limit, link.settings.ping_every);
    loop {
        if let Some(line) = line.take() {
            // (Whatever its calls wait for: it may hang.)
            let end = link.now().saturating_add(patience(&link));
            within(&*link.host, end, join(deliver(&link, &line), give_back(&link, &line))).await;
        }
        if !lock(&link.outbox).has_writes() {
            return;
        }
        link.host.sleep_until(link.now().saturating_add(pauses.pause(random::share()))).await;
        line = open(&link, &*wire, Box::new(|_| ())).await;
    }
}

struct GoDeaf<'a>(&'a Link);

impl Drop for GoDeaf<'_> {
    fn drop(&mut self) {
        self.0.go_deaf();
    }
}

async fn again_and_again(link: &Arc<Link>, wire: &dyn Wire) {
    let mut hearing = Hearing::new(link.settings.hearing_limit, link.settings.ping_every);
    loop {
        // (Whatever panics there has cost the connection, and no more.)
        drop(AssertUnwindSafe(one_connection(link, wire, &mut hearing)).catch_unwind().await);
        if link.line().is_some() {
            link.go_deaf();
            count(&link.counters.deaf);
        }
        let now = link.now();
        lock(&link.outbox).drop_releases(now);
        link.host.sleep_until(now.saturating_add(hearing.pause(random::share()))).await;
    }
}

/// Goes on for as long as a connection does, if there is one to be had.
async fn one_connection(link: &Arc<Link>, wire: &dyn Wire, hearing: &mut Hearing) {
    let Some((line, ended)) = connect(link, wire, hearing).await else { return };
    link.set_line(Some(Arc::clone(&line)));
    link.hears.notify(usize::MAX);
    count(&link.counters.connected);
    first(ended.wait(), first(hear(link, &line, hearing), say(link, &line))).await;
}

/// Returns a connection on which everything is heard, and what tells of its end.
async fn connect(link: &Arc<Link>, wire: &dyn Wire, hearing: &mut Hearing) -> Option<(Arc<dyn Line>, Arc<Flag>)> {
    let ended = Arc::new(Flag::default());
    let (weak, tell) = (Arc::downgrade(link), Arc::clone(&ended));
    let hear = Box::new(move |heard: Heard<'_>| {
        if matches!(heard, Heard::Ended) {
            tell.set();
        } else if let Some(link) = weak.upgrade() {
            link.hear(&heard);
        }
    });
    let line = open(link, wire, hear).await?;
    // What nobody has acknowledged is said first, for a while. That the server refuses some of it, or that it is a lot, is no
    // reason to be deaf to all others: of these keys nothing is asked until it is said.
    let end = link.now().saturating_add(link.settings.hearing_limit);
    within(&*link.host, end, deliver(link, &line)).await;
    let asked = link.now();
    let end = asked.saturating_add(link.settings.hearing_limit);
    within(&*link.host, end, line.ping()).await?.ok()?;
    // What was held before was not watched: it goes before anybody asks on this connection, and not before it is known to
    // be one.
    link.forget_all();
    hearing.connected(asked);
    link.trust_until(hearing.trusted_until());
    Some((line, ended))
}

/// How long a connection may take for what is not a matter of hearing.
fn patience(link: &Link) -> Duration {
    link.settings.hearing_limit.max(Duration::from_secs(1))
}

/// Returns a connection.
async fn open(link: &Link, wire: &dyn Wire, hear: Box<dyn Fn(Heard<'_>) + Send + Sync>) -> Option<Arc<dyn Line>> {
    let end = link.now().saturating_add(patience(link));
    within(&*link.host, end, wire.connect(link.names.prefix(), hear)).await?.ok()
}

/// Asks again and again whether everything has been heard, until there is no answer in time.
async fn hear(link: &Link, line: &Arc<dyn Line>, hearing: &mut Hearing) {
    loop {
        let now = link.now();
        match hearing.next(now) {
            Next::Deaf => return,
            Next::Wait(until) => link.host.sleep_until(until).await,
            Next::Ping(end) => match within(&*link.host, end, line.ping()).await {
                Some(Ok(())) => {
                    hearing.answered(now);
                    link.trust_until(hearing.trusted_until());
                }
                Some(Err(_)) => return,
                None => {}
            },
        }
    }
}

#[cfg(test)]
mod tests;
