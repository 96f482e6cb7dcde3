//! The lease of a load, given back when it is dropped.

use std::{sync::Arc, time::Duration};

use larder::{Instant, Loaded, Ttl};

use crate::{
    decide::{Found, Life, Release, held},
    host::lock,
    link::Link,
    names::Id,
    random,
    settings::millis,
    stats::count,
};

/// A lease that was asked for, and may or may not have been granted.
pub(crate) struct Lease {
    link: Arc<Link>,
    pub(crate) id: Id,
    pub(crate) token: String,
    epoch: Vec<u8>,
    attempt: i64,
    pub(crate) asked: Instant,
    /// The server may think that it is ours.
    is_live: bool,
    /// How long nobody is to load once it is given back.
    cool_down: Duration,
    /// When its load is over its budget: dropped from then on, it has failed.
    overdue: Instant,
}

impl Lease {
    /// To be made before it is asked for: without an answer we may hold it and not know.
    pub(crate) fn new(link: &Arc<Link>, id: Id) -> Self {
        let (token, asked) = (random::token(), link.now());
        Self {
            link: Arc::clone(link),
            id,
            token,
            epoch: Vec::new(),
            attempt: 0,
            asked,
            is_live: true,
            cool_down: Duration::ZERO,
            overdue: Instant::NEVER,
        }
    }

    /// The server has answered.
    pub(crate) fn answered(&mut self, found: &Found) {
        self.is_live = found.is_lease();
        (self.epoch, self.attempt) = (found.epoch.clone(), found.attempt);
    }

    /// The server has begun an epoch whose first attempt is this one.
    pub(crate) fn begins_epoch(&mut self) {
        (self.epoch, self.attempt) = (self.token.clone().into_bytes(), 1);
    }

    /// Publishes; `None` in place of a payload says that each process loads its own. Returns for how long the first tier
    /// holds the value.
    pub(crate) async fn publish(
        mut self,
        fingerprint: &str,
        payload: Option<Vec<u8>>,
        life: Life,
        terms: &Loaded<()>,
    ) -> Ttl {
        let link = Arc::clone(&self.link);
        let (sent, age) = (link.now(), terms.get_age());
        let Some(line) = link.line() else { return held(None, life, age, sent, sent) };
        let fresh = match life {
            Life::For(length) => millis(length),
            Life::Endless => String::from("-1"),
            Life::Unshared => return Ttl::NotStored,
        };
        let is_shared = payload.is_some();
        let arguments = vec![
            self.token.clone().into(),
            fingerprint.into(),
            link.names.compared(&self.id).into(),
            if is_shared { "v" } else { "x" }.into(),
            payload.unwrap_or_default(),
            fresh.into(),
            if is_shared { millis(link.settings.stale) } else { String::from("0") }.into(),
            self.epoch.clone(),
            self.attempt.to_string().into(),
            millis(age).into(),
            terms.get_weight().unwrap_or(0).to_string().into(),
        ];
        let stored = link.publish(&line, &self.id, arguments).await;
        // (The server has ended it, also if it has refused the value.)
        self.is_live = stored.is_none();
        match stored {
            Some(true) => count(&link.counters.published),
            Some(false) => count(&link.counters.refused),
            None => {}
        }
        held(stored, life, age, sent, link.now())
    }

    /// Does a part of the load, which has failed if that panics.
    pub(crate) fn during<T>(&mut self, part: impl FnOnce() -> T) -> T {
        self.fails();
        let done = part();
        self.cool_down = Duration::ZERO;
        done
    }

    /// The load has failed: once the lease is given back, nobody is to load for a while.
    pub(crate) fn fails(&mut self) {
        self.cool_down = self.link.settings.cool_down;
    }

    /// Its load begins, for a lookup that the first tier began then.
    pub(crate) fn load_begins(&mut self, begun: Instant) {
        // (The first tier has counted from a moment before.)
        let budget = self.link.settings.budget.map(|budget| budget - budget / 64);
        self.overdue = budget.map_or(Instant::NEVER, |budget| begun.saturating_add(budget));
    }

    /// Its load has ended.
    pub(crate) const fn load_ended(&mut self) {
        self.overdue = Instant::NEVER;
    }

    /// Gives the lease back.
    pub(crate) async fn release(mut self) {
        let link = Arc::clone(&self.link);
        // (If the server does not hear of it now, it is told so with the rest.)
        if let Some(line) = link.line() {
            self.is_live = link.release(&line, &self.as_release(), link.deadline()).await != Some(true);
        }
    }

    fn as_release(&self) -> Release {
        let settings = &self.link.settings;
        let until = self.asked.saturating_add(settings.lease);
        let cool_down = if self.overdue <= self.link.now() { settings.cool_down } else { self.cool_down };
        Release { name: self.id.name.clone(), token: self.token.clone(), cool_down, until }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_live {
            // The task of the connection says so: there may be no runtime at hand here.
            let release = self.as_release();
            lock(&self.link.outbox).release(release);
            self.link.work.notify(usize::MAX);
        }
    }
}
