//! The one connection: made, listened to, given up, made again.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{
    FutureExt, StreamExt,
    future::{join, pending},
    stream::FuturesUnordered,
};
use larder::Instant;

use crate::{
    decide::{Hearing, Next},
    flag::Flag,
    host::{BoxFuture, first, lock, within},
    link::Link,
    random,
    say::{deliver, give_back, say},
    stats::count,
    wire::{Heard, Line, Lost, Wire},
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
            let leases = within(&*link.host, link.deadline(), give_back(&link, &line));
            within(&*link.host, end, join(deliver(&link, &line), leases)).await;
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
    let ended = Arc::new(Flag::default());
    let Some(line) = connect(link, wire, &ended).await else { return };
    let mut pings = Pings { link, line: &line, hearing, asked: FuturesUnordered::new() };
    if !pings.begin().await {
        return;
    }
    // What was held before was not watched: it goes before anybody asks on this connection, and not before it is known to
    // be one.
    link.forget_all();
    pings.trust();
    link.set_line(Some(Arc::clone(&line)));
    link.hears.notify(usize::MAX);
    count(&link.counters.connected);
    first(ended.wait(), first(pings.go_on(), say(link, &line))).await;
}

/// Returns a connection that listens, and on which has been said what nobody had acknowledged.
async fn connect(link: &Arc<Link>, wire: &dyn Wire, ended: &Arc<Flag>) -> Option<Arc<dyn Line>> {
    let (weak, tell) = (Arc::downgrade(link), Arc::clone(ended));
    let hear = Box::new(move |heard: Heard<'_>| {
        if matches!(heard, Heard::Ended) {
            tell.set();
        } else if let Some(link) = weak.upgrade() {
            link.hear(&heard);
        }
    });
    let line = open(link, wire, hear).await?;
    // For a while only: that the server refuses some of it, or that it is a lot, is no reason to be deaf to all others. Of
    // keys of which something is still unsaid nothing is asked.
    let end = link.now().saturating_add(link.settings.hearing_limit);
    within(&*link.host, end, deliver(link, &line)).await;
    Some(line)
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

/// What asks again and again whether everything has been heard.
struct Pings<'a> {
    link: &'a Link,
    line: &'a Arc<dyn Line>,
    hearing: &'a mut Hearing,
    asked: FuturesUnordered<BoxFuture<(Instant, Result<(), Lost>)>>,
}

impl Pings<'_> {
    /// Returns whether the first one was answered in time.
    async fn begin(&mut self) -> bool {
        let now = self.link.now();
        self.hearing.connected(now);
        self.ask(now);
        self.answered().await
    }

    /// Ends when there was no answer in time.
    async fn go_on(&mut self) {
        while self.answered().await {
            self.trust();
        }
    }

    /// Returns whether there was an answer in time.
    async fn answered(&mut self) -> bool {
        loop {
            let now = self.link.now();
            let until = match self.hearing.next(now) {
                Next::Deaf => return false,
                Next::Ping => {
                    self.hearing.asked(now);
                    self.ask(now);
                    continue;
                }
                Next::Wait(until) => until,
            };
            let answer = async {
                match self.asked.next().await {
                    Some(answer) => answer,
                    None => pending().await,
                }
            };
            match within(&*self.link.host, until, answer).await {
                Some((asked, Ok(()))) => {
                    self.hearing.answered(asked);
                    return true;
                }
                Some((_, Err(_))) => return false,
                None => {}
            }
        }
    }

    fn ask(&self, now: Instant) {
        let answer = self.line.ping();
        self.asked.push(Box::pin(async move { (now, answer.await) }));
    }

    fn trust(&self) {
        self.link.trust_until(self.hearing.trusted_until());
    }
}

#[cfg(test)]
mod tests;
