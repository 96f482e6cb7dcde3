//! One lookup of the first tier, all the way through the second.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_lock::Semaphore;
use larder::{Failed, Instant, Loaded, Previous, Revalidate, Revalidated, Ttl};

use crate::{
    Codec, TierError, TierKey,
    decide::{self, Found, Life, Step, held_alone, life_of, step},
    host::{BoxFuture, within},
    lease::Lease,
    link::Link,
    origin::One,
    random, record,
    stats::count,
};

/// What a tier consists of, beside its connection.
pub(crate) struct Shared<K, V, E> {
    pub(crate) link: Arc<Link>,
    pub(crate) codec: Arc<dyn Codec<V>>,
    pub(crate) fingerprint: String,
    pub(crate) origin: One<K, V, E>,
    /// Loads that may begin without the second tier.
    pub(crate) alone: Semaphore,
}

/// A value that there is already.
enum Old<V> {
    /// The first tier holds it.
    Held(V),
    /// It was found in the second tier, where it was stale for this long, and it has come a long way since.
    Found(V, Duration),
}

impl<V: Clone> Old<V> {
    fn value(&self) -> V {
        let (Self::Held(value) | Self::Found(value, _)) = self;
        value.clone()
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
    pub(crate) async fn lookup(self: Arc<Self>, key: K, held: Option<Previous<V>>) -> Answer<V, E> {
        let (link, name) = (&self.link, key.name());
        if K::from_name(&name).as_ref() != Some(&key) {
            // No notice of it would be understood.
            count(&link.counters.nameless);
            return self.load_alone(key, held).await;
        }
        let id = link.names.id(name);
        let mut is_blind = false;
        loop {
            let Some(line) = link.line() else { return self.load_alone(key, held).await };
            // Before the question, so that no notice is missed.
            let waiting = link.waits.begin(&id.name);
            let mut lease = Lease::new(link, id.clone());
            // What could not be read is as if it were not there.
            let fingerprint = if is_blind { "" } else { &*self.fingerprint };
            let below = held.as_ref().map_or(0, |held| self.refresh_below(held, lease.asked));
            let Some(found) = link.look(&line, &id, &lease.token, fingerprint, below, true).await else {
                return self.load_alone(key, held).await;
            };
            lease.answered(&found);
            match step(&found, |bytes| self.codec.read(bytes), link.settings.poll_every, random::share()) {
                Step::Serve(value) => {
                    count(&link.counters.fresh);
                    return Ok(self.fresh(value, &found, lease.asked).into());
                }
                Step::ServeStale(value) => {
                    count(&link.counters.stale);
                    return Ok(self.stale(value, found.stale_since, lease.asked).into());
                }
                Step::Lead(old) => {
                    count(&link.counters.leased);
                    let old = old.map(|old| Old::Found(old, found.stale_since));
                    let old = old.or_else(|| held.map(|held| Old::Held(held.into_value())));
                    return self.lead(key, lease, old).await;
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
                    drop(line);
                    let end = link.now().saturating_add(longest);
                    if within(&*link.host, end, waiting.notice_heard()).await.is_some() {
                        count(&link.counters.woken);
                    }
                    is_blind = false;
                }
            }
        }
    }

    /// Returns how much fresh life, in milliseconds, a value in the second tier must have beyond what the first tier's
    /// still has: a value that is still fresh there is looked up only to be refreshed early.
    fn refresh_below(&self, held: &Previous<V>, now: Instant) -> u64 {
        let left = held.deadline().saturating_since(now);
        if left.is_zero() || held.deadline() == Instant::NEVER {
            return 0;
        }
        // (The two differ by the way there and back, which is shorter than the deadline of a call.)
        u64::try_from((left + self.link.settings.deadline).as_millis()).unwrap_or(u64::MAX)
    }

    /// Loads, with the lease of it.
    async fn lead(&self, key: K, lease: Lease, old: Option<Old<V>>) -> Answer<V, E> {
        let (asked, begun) = (lease.asked, self.link.now());
        let load = record::during(asked, begun, || (self.origin)(key, old.as_ref().map(Old::value)));
        match load.await {
            Ok(Revalidated::New(loaded)) => {
                let (value, terms) = loaded.into_parts();
                let ttl = self.publish(lease, &value, terms.get_ttl(), begun).await;
                Ok(terms.map(|()| value).ttl(ttl).into())
            }
            Ok(Revalidated::Unchanged(said)) => match old {
                Some(Old::Held(value)) => Ok(Revalidated::Unchanged(self.publish(lease, &value, said, begun).await)),
                Some(Old::Found(value, _)) => {
                    let ttl = self.publish(lease, &value, said, begun).await;
                    Ok(Loaded::new(value).ttl(ttl).into())
                }
                // (There was nothing to be unchanged: the cache says so.)
                None => Ok(Revalidated::Unchanged(said)),
            },
            Err(error) => {
                lease.release(self.link.settings.cool_down).await;
                // (What the first tier holds it has at hand.)
                Err(match old {
                    Some(Old::Found(value, since)) => Failed::new(error).instead(self.stale(value, since, asked)),
                    _ => error.into(),
                })
            }
        }
    }

    /// Publishes what was loaded under a lease; returns for how long the first tier holds it.
    pub(crate) async fn publish(&self, lease: Lease, value: &V, said: Ttl, begun: Instant) -> Ttl {
        let life = self.life(said, begun);
        if life == Life::Unshared {
            // It is its caller's alone; the lease is given back by being dropped.
            return said;
        }
        let payload = self.codec.write(value).filter(|payload| payload.len() <= self.link.settings.max_size);
        if payload.is_none() {
            count(&self.link.counters.unshared);
        }
        lease.publish(&self.fingerprint, payload, life).await
    }

    pub(crate) fn life(&self, said: Ttl, begun: Instant) -> Life {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        life_of(said, self.link.settings.ttl, begun, self.link.now(), wall)
    }

    /// A fresh value that was found in the second tier, when it was asked for then.
    pub(crate) fn fresh(&self, value: V, found: &Found, asked: Instant) -> Loaded<V> {
        let (ttl, age) = decide::found(found.life, found.age, asked, self.link.now());
        Loaded::new(value).ttl(ttl).aged(age)
    }

    /// A stale one, since it is being refreshed elsewhere or its load has failed.
    pub(crate) fn stale(&self, value: V, since: Duration, asked: Instant) -> Loaded<V> {
        Loaded::new(value).stale(decide::stale_since(since, asked, self.link.now()))
    }

    /// Loads without the second tier: not too many at once, and nothing is held for long.
    async fn load_alone(&self, key: K, held: Option<Previous<V>>) -> Answer<V, E> {
        count(&self.link.counters.alone);
        let place = self.alone.acquire().await;
        let answer = self.load_unleased(key, held, self.link.settings.alone_ttl).await;
        drop(place);
        answer
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
            Revalidated::Unchanged(said) => Revalidated::Unchanged(held_alone(said, self.life(said, begun), longest)),
        })
    }

    pub(crate) fn hold_unleased(&self, loaded: Loaded<V>, begun: Instant, longest: Duration) -> Loaded<V> {
        let said = loaded.get_ttl();
        loaded.ttl(held_alone(said, self.life(said, begun), longest))
    }
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
        Box::pin(Arc::clone(&self.0).lookup(key, held))
    }
}
