//! One lookup of the first tier, all the way through the second.

use std::{
    future::poll_fn,
    sync::Arc,
    time::{Duration, SystemTime},
};

use larder::{Failed, Instant, Loaded, Previous, Revalidate, Revalidated, Ttl};

use crate::{
    Codec, TierError, TierKey,
    alone::Places,
    decide::{self, Found, Life, Step, Times, Wanted, held_alone, life_of, step, unshared},
    host::{BoxFuture, lock, within},
    lease::Lease,
    link::{FirstOf, Link},
    origin::One,
    random, record,
    stats::count,
    wire::Line,
};

/// What a tier consists of, beside its connection.
pub(crate) struct Shared<K, V, E> {
    pub(crate) link: Arc<Link>,
    pub(crate) codec: Arc<dyn Codec<V>>,
    pub(crate) fingerprint: String,
    pub(crate) origin: One<K, V, E>,
    pub(crate) first_tier: Box<dyn FirstOf<K>>,
    /// For loads that begin without the second tier.
    pub(crate) alone: Places,
}

/// How the first tier asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) begun: Instant,
    /// The value is to be loaded in any case.
    pub(crate) is_reload: bool,
}

/// A value that there is already.
enum Old<V> {
    /// The first tier holds it.
    Held(Previous<V>),
    /// It was found in the second tier, with all that is said of it, where it was stale for this long; and it has come a
    /// long way since.
    Found(Loaded<V>, Duration),
}

impl<V: Clone> Old<V> {
    fn value(&self) -> V {
        match self {
            Self::Held(held) => held.value().clone(),
            Self::Found(found, _) => found.value().clone(),
        }
    }
}

/// What a lookup of the first tier ends with.
pub(crate) type Answer<V, E> = Result<Revalidated<V>, Failed<V, TierError<E>>>;

impl<K, V, E> Drop for Shared<K, V, E> {
    fn drop(&mut self) {
        self.link.closing.set();
    }
}

impl<K, V, E> Shared<K, V, E>
where
    K: TierKey,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Finds the value of a key, loads it, or waits for the process that loads it.
    pub(crate) async fn lookup(self: Arc<Self>, key: K, held: Option<Previous<V>>, asked: Asked) -> Answer<V, E> {
        let (link, name) = (&self.link, key.name());
        if K::from_name(&name).as_ref() != Some(&key) {
            // No notice of it would be understood.
            count(&link.counters.nameless);
            return self.load_alone(key, held).await;
        }
        let id = link.names.id(name);
        let mut is_blind = false;
        loop {
            let Some(line) = self.line_for(&id.name) else { return self.load_alone(key, held).await };
            // Before the question, so that no notice is missed.
            let waiting = link.waits.begin(&id.name);
            let mut lease = Lease::new(link, id.clone());
            // What could not be read is as if it were not there.
            let fingerprint = if is_blind { "" } else { &*self.fingerprint };
            let age = || held.as_ref().and_then(|held| age_of_fresh(held, lease.asked));
            let wanted = self.wanted(asked, lease.asked, age);
            let found = link.look(&line, &id, &lease.token, fingerprint, wanted, true).await;
            // (A load may take long, and the connection may be another one by then.)
            drop(line);
            let Some(found) = found else {
                // (It may have been granted, and nobody is to wait for it.)
                drop(lease);
                return self.load_alone(key, held).await;
            };
            lease.answered(&found);
            let read = |bytes: &[u8]| lease.during(|| self.codec.read(bytes));
            match step(&found, read, link.settings.poll_every, random::share()) {
                Step::Serve(value) => {
                    count(&link.counters.fresh);
                    return Ok(self.fresh(value, &found, lease.asked).into());
                }
                Step::ServeStale(value) => {
                    count(&link.counters.stale);
                    return Ok(self.stale(weighed(value, &found), found.stale_since, lease.asked).into());
                }
                Step::Lead(old) => {
                    count(&link.counters.leased);
                    let old = old.map(|old| Old::Found(weighed(old, &found), found.stale_since));
                    let old = old.or_else(|| held.map(Old::Held));
                    return self.lead(key, lease, old, asked.begun).await;
                }
                Step::LoadOwn => {
                    count(&link.counters.unshared);
                    return self.load_own(key, held).await;
                }
                Step::LookBlind => {
                    count(&link.counters.unreadable);
                    is_blind = true;
                }
                Step::Fail(left) => {
                    count(&link.counters.elsewhere);
                    return Err(TierError::Elsewhere(left).into());
                }
                Step::Wait(longest) => {
                    count(&link.counters.waited);
                    let end = link.now().saturating_add(longest);
                    if within(&*link.host, end, waiting.notice_heard()).await.is_some() {
                        count(&link.counters.woken);
                    }
                    is_blind = false;
                }
            }
        }
    }

    /// Returns the connection that a key is looked up by.
    ///
    /// None while this process does not hear; nor if a write of the key has not been acknowledged: what the second tier
    /// holds is what was written over.
    pub(crate) fn line_for(&self, name: &str) -> Option<Arc<dyn Line>> {
        let line = self.link.line()?;
        if lock(&self.link.outbox).is_unsaid(name) { None } else { Some(line) }
    }

    /// Returns what a lookup is content with; `age` is that of a fresh value which the first tier holds, and so is to be
    /// refreshed early.
    pub(crate) fn wanted(&self, asked: Asked, now: Instant, age: impl FnOnce() -> Option<Duration>) -> Wanted {
        if asked.is_reload {
            return Wanted::Loaded(now.saturating_since(asked.begun));
        }
        age().map_or(Wanted::Fresh, |age| Wanted::newer_than(age, self.link.settings.deadline))
    }

    /// Loads, with the lease of it.
    async fn lead(&self, key: K, mut lease: Lease, old: Option<Old<V>>, lookup: Instant) -> Answer<V, E> {
        lease.load_begins(lookup);
        let (asked, begun) = (lease.asked, self.link.now());
        let begin = || record::during(asked, begun, || (self.origin)(key, old.as_ref().map(Old::value)));
        let mut load = lease.during(begin);
        let loaded = poll_fn(|cx| lease.during(|| load.as_mut().poll(cx))).await;
        lease.during(|| drop(load));
        lease.load_ended();
        match loaded {
            Ok(Revalidated::New(loaded)) => {
                let (value, terms) = loaded.into_parts();
                let ttl = self.publish(lease, &value, &terms, begun).await;
                Ok(terms.map(|()| value).ttl(ttl).into())
            }
            Ok(Revalidated::Unchanged(said)) => match old {
                Some(Old::Held(held)) => {
                    let terms = Loaded::new(()).ttl(said).weight(held.weight());
                    Ok(Revalidated::Unchanged(self.publish(lease, held.value(), &terms, begun).await))
                }
                Some(Old::Found(found, _)) => {
                    let (value, terms) = found.into_parts();
                    let terms = terms.ttl(said);
                    let ttl = self.publish(lease, &value, &terms, begun).await;
                    Ok(terms.map(|()| value).ttl(ttl).into())
                }
                // (There was nothing to be unchanged: the cache says so.)
                None => Ok(Revalidated::Unchanged(said)),
            },
            Err(error) => {
                lease.fails();
                lease.release().await;
                // (What the first tier holds it has at hand.)
                Err(match old {
                    Some(Old::Found(found, since)) => Failed::new(error).instead(self.stale(found, since, asked)),
                    _ => error.into(),
                })
            }
        }
    }

    /// Publishes what was loaded under a lease; returns for how long the first tier holds it.
    pub(crate) async fn publish(&self, mut lease: Lease, value: &V, terms: &Loaded<()>, begun: Instant) -> Ttl {
        let life = self.life(terms, begun);
        if life == Life::Unshared {
            // It is its caller's alone; the lease is given back by being dropped.
            return unshared(terms.get_ttl(), self.link.settings.ttl);
        }
        let payload = lease.during(|| self.codec.write(value));
        let payload = payload.filter(|payload| payload.len() <= self.link.settings.max_size);
        if payload.is_none() {
            count(&self.link.counters.unshared);
        }
        lease.publish(&self.fingerprint, payload, life, terms).await
    }

    pub(crate) fn life(&self, terms: &Loaded<()>, begun: Instant) -> Life {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let times = Times { begun, now: self.link.now(), wall, age: terms.get_age() };
        life_of(terms.get_ttl(), self.link.settings.ttl, times)
    }

    /// A fresh value that was found in the second tier, when it was asked for then.
    pub(crate) fn fresh(&self, value: V, found: &Found, asked: Instant) -> Loaded<V> {
        let (ttl, age) = decide::found(found.life, found.age, asked, self.link.now());
        weighed(value, found).ttl(ttl).aged(age)
    }

    /// A stale one, since it is being refreshed elsewhere or its load has failed.
    pub(crate) fn stale(&self, value: Loaded<V>, since: Duration, asked: Instant) -> Loaded<V> {
        value.stale(decide::stale_since(since, asked, self.link.now()))
    }

    /// Loads without the second tier: not too many at once, and nothing is held for long.
    async fn load_alone(&self, key: K, held: Option<Previous<V>>) -> Answer<V, E> {
        count(&self.link.counters.alone);
        let Link { host, settings, .. } = &*self.link;
        self.alone.load(&**host, self.load_unleased(key, held, settings.alone_ttl)).await
    }

    /// Loads what is not shared. It is heard of, so it is held for as long as it lives.
    async fn load_own(&self, key: K, held: Option<Previous<V>>) -> Answer<V, E> {
        self.load_unleased(key, held, Duration::MAX).await
    }

    async fn load_unleased(&self, key: K, held: Option<Previous<V>>, longest: Duration) -> Answer<V, E> {
        let begun = self.link.now();
        let answer = (self.origin)(key, held.map(Previous::into_value)).await?;
        Ok(match answer {
            Revalidated::New(loaded) => self.hold_unleased(loaded, begun, longest).into(),
            Revalidated::Unchanged(said) => {
                Revalidated::Unchanged(self.hold_unleased(Loaded::new(()).ttl(said), begun, longest).get_ttl())
            }
        })
    }

    pub(crate) fn hold_unleased<T>(&self, loaded: Loaded<T>, begun: Instant, longest: Duration) -> Loaded<T> {
        let (value, terms) = loaded.into_parts();
        let ttl = match self.life(&terms, begun) {
            Life::Unshared => unshared(terms.get_ttl(), self.link.settings.ttl),
            life => held_alone(life, terms.get_age(), longest),
        };
        terms.ttl(ttl).map(|()| value)
    }
}

/// How old a value is that the first tier holds, if it is fresh.
fn age_of_fresh<V>(held: &Previous<V>, now: Instant) -> Option<Duration> {
    if held.deadline().saturating_since(now).is_zero() { None } else { Some(now.saturating_since(held.published())) }
}

/// A value that was found, with the weight that its load has said.
pub(crate) fn weighed<V>(value: V, found: &Found) -> Loaded<V> {
    let loaded = Loaded::new(value);
    if found.weight == 0 { loaded } else { loaded.weight(found.weight) }
}

/// The loader of a first tier.
pub(crate) struct Lookup<K, V, E>(pub(crate) Arc<Shared<K, V, E>>);

impl<K, V, E> Revalidate<K> for Lookup<K, V, E>
where
    K: TierKey,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    type Value = V;
    type Error = TierError<E>;
    type Future = BoxFuture<Answer<V, E>>;

    // (It is handed what is held, to tell early refreshes from misses.)
    fn revalidate(&self, key: K, held: Option<Previous<V>>) -> Self::Future {
        let asked = Asked { begun: self.0.link.now(), is_reload: false };
        Box::pin(Arc::clone(&self.0).lookup(key, held, asked))
    }

    fn reload(&self, key: K, held: Option<Previous<V>>) -> Self::Future {
        let asked = Asked { begun: self.0.link.now(), is_reload: true };
        Box::pin(Arc::clone(&self.0).lookup(key, held, asked))
    }
}
