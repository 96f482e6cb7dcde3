//! What all handles of a tier and the task that keeps its connection have in common.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

use event_listener::Event;
use larder::Instant;

use crate::{
    decide::{Found, Kind, Outbox, Release, Sent, Wanted},
    flag::Flag,
    host::{Host, lock, within},
    mutant,
    names::{Id, Names, Notice},
    scripts::Script,
    settings::{Settings, millis},
    stats::{Counters, count},
    waits::Waits,
    wire::{Call, Heard, Line, Lost, Reply},
};

/// The first tier, as far as the second has to do with it; keys go by their names.
pub(crate) trait FirstTier: Send + Sync {
    fn invalidate(&self, name: &str);
    fn expire(&self, name: &str);
    /// Forgets everything.
    fn clear(&self);
    /// Makes everything stale.
    fn expire_all(&self);
    /// From then on nothing is to be taken for fresh.
    fn trust_until(&self, end: Instant);
}

/// The same first tier by its keys: one whose key does not come back from its name is held there as well.
pub(crate) trait FirstOf<K>: Send + Sync {
    fn invalidate(&self, key: &K);
    fn expire(&self, key: &K);
    /// Returns how old the value is that is held, if it is fresh.
    fn age(&self, key: &K) -> Option<Duration>;
}

pub(crate) struct Link {
    pub(crate) settings: Settings,
    pub(crate) names: Names,
    pub(crate) host: Box<dyn Host>,
    pub(crate) first_tier: Box<dyn FirstTier>,
    pub(crate) counters: Counters,
    pub(crate) waits: Waits,
    /// The connection, while this process hears.
    line: Mutex<Option<Arc<dyn Line>>>,
    pub(crate) outbox: Mutex<Outbox>,
    /// There is something in the outbox.
    pub(crate) work: Event,
    /// The process hears.
    pub(crate) hears: Event,
    /// The last handle is gone.
    pub(crate) closing: Flag,
}

impl Link {
    pub(crate) fn new(settings: Settings, host: Box<dyn Host>, first_tier: Box<dyn FirstTier>) -> Self {
        Self {
            names: settings.names.clone(),
            settings,
            host,
            first_tier,
            counters: Counters::default(),
            waits: Waits::default(),
            line: Mutex::default(),
            outbox: Mutex::default(),
            work: Event::new(),
            hears: Event::new(),
            closing: Flag::default(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.host.now()
    }

    /// The connection, if this process hears.
    pub(crate) fn line(&self) -> Option<Arc<dyn Line>> {
        lock(&self.line).clone()
    }

    pub(crate) fn set_line(&self, line: Option<Arc<dyn Line>>) {
        let before = std::mem::replace(&mut *lock(&self.line), line);
        drop(before);
    }

    /// Marks a write as under way: dropped without an acknowledgement, it is to be sent again.
    pub(crate) fn sending<'a>(&'a self, name: impl Into<Cow<'a, str>>, sent: Sent) -> Sending<'a> {
        Sending { link: self, name: name.into(), sent, is_done: false }
    }

    /// From now on this process goes on by itself.
    ///
    /// What it holds becomes stale, for limits of staleness to judge, and loads that are under way are not kept. What it
    /// loads from then on is trusted for as long as it says.
    pub(crate) fn go_deaf(&self) {
        self.set_line(None);
        if !mutant::is("no-flush") {
            self.act(|first_tier| first_tier.expire_all());
        }
        self.trust_until(Instant::NEVER);
        self.waits.wake_all();
    }

    /// From then on nothing is to be taken for fresh.
    pub(crate) fn trust_until(&self, end: Instant) {
        self.act(|first_tier| first_tier.trust_until(end));
    }

    /// Acts on the first tier; returns whether it has done it.
    ///
    /// There may be user code in it that panics, such as the listener of a cache or the drop of a value. It must not end the
    /// task that keeps the connection, nor the reader of that.
    fn act(&self, act: impl FnOnce(&dyn FirstTier)) -> bool {
        catch_unwind(AssertUnwindSafe(|| act(&*self.first_tier))).is_ok()
    }

    /// Acts on what is heard. It runs inside the reader of the connection.
    pub(crate) fn hear(&self, heard: &Heard<'_>) {
        match heard {
            Heard::Touched(key) => {
                count(&self.counters.notices);
                let Some((notice, name)) = self.names.heard(key) else { return };
                let done = match notice {
                    Notice::Invalidated => self.act(|first_tier| first_tier.invalidate(&name)),
                    Notice::Expired => self.act(|first_tier| first_tier.expire(&name)),
                    Notice::Ended => true,
                };
                if !done {
                    // Whether the key was understood is not known.
                    self.act(|first_tier| first_tier.clear());
                }
                self.waits.wake(&name);
            }
            Heard::Flushed => {
                self.act(|first_tier| first_tier.clear());
                self.waits.wake_all();
            }
            Heard::Ended => {}
        }
    }

    /// Nothing that is held was watched: it goes, and so do the loads that are under way.
    pub(crate) fn forget_all(&self) {
        if !mutant::is("no-flush") {
            self.act(|first_tier| first_tier.clear());
        }
        self.waits.wake_all();
    }

    /// When a call that begins now has to be answered.
    pub(crate) fn deadline(&self) -> Instant {
        self.now().saturating_add(self.settings.deadline)
    }

    /// Calls a script, and waits for the deadline at most.
    async fn call(
        &self,
        line: &Arc<dyn Line>,
        script: Script,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
    ) -> Option<Reply> {
        self.call_until(self.deadline(), line, Call { script, keys, arguments }).await?.ok()
    }

    /// Calls a script, and waits until then at most; `None` without an answer.
    async fn call_until(&self, end: Instant, line: &Arc<dyn Line>, call: Call) -> Option<Result<Reply, Lost>> {
        let reply = within(&*self.host, end, line.call(call)).await;
        if !matches!(reply, Some(Ok(_))) {
            count(&self.counters.failed_calls);
        }
        reply
    }

    /// Looks a value up, or asks for the lease of its load. An empty fingerprint is no value's.
    pub(crate) async fn look(
        &self,
        line: &Arc<dyn Line>,
        id: &Id,
        token: &str,
        fingerprint: &str,
        wanted: Wanted,
        would_wait: bool,
    ) -> Option<Found> {
        let (names, settings) = (&self.names, &self.settings);
        let arguments = vec![
            token.into(),
            millis(settings.lease).into(),
            fingerprint.into(),
            names.compared(id).into(),
            wanted.age().map_or(String::new(), millis).into(),
            if would_wait { "1" } else { "0" }.into(),
            millis(settings.epoch_memory()).into(),
            if matches!(wanted, Wanted::Loaded(_)) { "1" } else { "0" }.into(),
        ];
        match self
            .call(line, Script::Lookup, vec![names.value(id), names.lease(id), names.epoch(id)], arguments)
            .await?
        {
            Reply::Found(found) => Some(found),
            Reply::Done(_) => None,
        }
    }

    /// Returns whether the value is stored; `None` if nobody knows.
    pub(crate) async fn publish(&self, line: &Arc<dyn Line>, id: &Id, arguments: Vec<Vec<u8>>) -> Option<bool> {
        let names = &self.names;
        let keys = vec![names.value(id), names.lease(id), names.notice(id, Notice::Ended), names.epoch(id)];
        self.done(line, Script::Publish, keys, arguments).await
    }

    /// Returns whether the server knows that this lease is over; `None` without an answer until then.
    pub(crate) async fn release(&self, line: &Arc<dyn Line>, release: &Release, end: Instant) -> Option<bool> {
        let (names, id) = (&self.names, self.names.id(release.name.clone()));
        let keys = vec![names.value(&id), names.lease(&id), names.notice(&id, Notice::Ended)];
        let arguments = vec![release.token.clone().into(), millis(release.cool_down).into()];
        Some(self.call_until(end, line, Call { script: Script::Release, keys, arguments }).await?.is_ok())
    }

    /// Returns whether the server has acknowledged the write.
    pub(crate) async fn void(&self, line: &Arc<dyn Line>, id: &Id, kind: Kind) -> bool {
        let (script, notice) = match kind {
            Kind::Invalidate => (Script::Invalidate, Notice::Invalidated),
            Kind::Expire => (Script::Expire, Notice::Expired),
        };
        let names = &self.names;
        let keys = vec![names.value(id), names.lease(id), names.notice(id, notice), names.epoch(id)];
        self.done(line, script, keys, Vec::new()).await.is_some()
    }

    /// Returns whether the server has acknowledged the write, and holds the epoch for the value that follows.
    pub(crate) async fn store(&self, line: &Arc<dyn Line>, id: &Id, token: &str) -> bool {
        let (names, settings) = (&self.names, &self.settings);
        let keys = vec![names.value(id), names.lease(id), names.notice(id, Notice::Invalidated), names.epoch(id)];
        let arguments = vec![token.into(), millis(settings.lease).into(), millis(settings.epoch_memory()).into()];
        self.done(line, Script::Store, keys, arguments).await.is_some()
    }

    async fn done(
        &self,
        line: &Arc<dyn Line>,
        script: Script,
        keys: Vec<String>,
        arguments: Vec<Vec<u8>>,
    ) -> Option<bool> {
        match self.call(line, script, keys, arguments).await? {
            Reply::Done(done) => Some(done),
            Reply::Found(_) => None,
        }
    }
}

/// A write that is under way.
pub(crate) struct Sending<'a> {
    link: &'a Link,
    name: Cow<'a, str>,
    sent: Sent,
    is_done: bool,
}

impl Sending<'_> {
    pub(crate) fn acknowledged(mut self) {
        self.is_done = true;
        lock(&self.link.outbox).acknowledged(&self.name, self.sent);
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            lock(&self.link.outbox).failed(&self.name, self.sent);
            self.link.work.notify(usize::MAX);
        }
    }
}
