//! Lookups of many keys at once.
//!
//! What a batch leads is loaded and published before it waits for what others lead, so batches that overlap in any order
//! cannot wait for each other in a ring. Each key is answered as soon as its answer is known: what is found waits for no
//! load, and what is loaded for no other process.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{join, join_all},
};
use larder::{Failed, Instant, Loaded, Revalidated};

use crate::{
    TierError, TierKey,
    decide::{Step, step},
    lease::Lease,
    origin::Many,
    random, record,
    shared::{Asked, Shared, weighed},
    stats::count,
};

/// The answer for one key.
pub(crate) type Answer<V, E> = Result<Loaded<V>, Failed<V, TierError<E>>>;

/// How one key of a batch is loaded.
enum Load<V> {
    /// Under this lease, in place of this value, which has been stale for so long.
    Leased(Lease, Option<Loaded<V>>, Duration),
    /// Each process for itself.
    Own,
    /// Without the second tier.
    Alone,
}

impl<V> Load<V> {
    const fn lease(&self) -> Option<&Lease> {
        if let Self::Leased(lease, ..) = self { Some(lease) } else { None }
    }

    const fn lease_mut(&mut self) -> Option<&mut Lease> {
        if let Self::Leased(lease, ..) = self { Some(lease) } else { None }
    }
}

/// What one key of a batch is to be answered with.
enum Turn<V, E> {
    Answer(Answer<V, E>),
    Load(Load<V>),
    /// To be looked up by itself, once the batch has loaded what it leads.
    Later,
}

impl<K, V, E> Shared<K, V, E>
where
    K: TierKey,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Looks many keys up, or loads them in any case, and sends the answer for each.
    pub(crate) async fn lookup_many(
        self: Arc<Self>,
        many: Many<K, V, E>,
        keys: Vec<K>,
        asked: Asked,
        send: impl Fn(K, Answer<V, E>) + Send + Sync,
    ) {
        let turns = join_all(keys.into_iter().map(|key| async {
            match self.turn(&key, asked).await {
                Turn::Answer(answer) => {
                    send(key, answer);
                    None
                }
                turn => Some((key, turn)),
            }
        }));
        let turns = turns.await;
        let granted = self.link.now();
        let (mut leads, mut alone, mut later) = (Vec::new(), Vec::new(), Vec::new());
        for (key, turn) in turns.into_iter().flatten() {
            match turn {
                // (It may have to wait for its place, and no lease waits with it.)
                Turn::Load(Load::Alone) => alone.push((key, Load::Alone)),
                Turn::Load(load) => leads.push((key, load)),
                Turn::Answer(_) | Turn::Later => later.push(key),
            }
        }
        let led = async {
            if !leads.is_empty() {
                self.load_many(&many, leads, (asked.begun, granted), &send).await;
            }
        };
        let loaded_alone = async {
            if !alone.is_empty() {
                self.alone.load(&*self.link.host, self.load_many(&many, alone, (asked.begun, granted), &send)).await;
            }
        };
        join(led, loaded_alone).await;
        join_all(later.into_iter().map(|key| async {
            match Arc::clone(&self).lookup(key.clone(), None, asked).await {
                Ok(Revalidated::New(loaded)) => send(key, Ok(loaded)),
                // (Not answered: the cache says so.)
                Ok(Revalidated::Unchanged(_)) => {}
                Err(failed) => answer(key, Err(failed), &send),
            }
        }))
        .await;
    }

    /// Looks one key up, and decides its turn.
    async fn turn(&self, key: &K, asked: Asked) -> Turn<V, E> {
        let (link, name) = (&self.link, key.name());
        if K::from_name(&name).as_ref() != Some(key) {
            count(&link.counters.nameless);
            return self.alone();
        }
        let Some(line) = self.line_for(&name) else { return self.alone() };
        let id = link.names.id(name);
        let mut lease = Lease::new(link, id.clone());
        let wanted = self.wanted(asked, lease.asked, || self.first_tier.age(key));
        let Some(found) = link.look(&line, &id, &lease.token, &self.fingerprint, wanted, false).await else {
            return self.alone();
        };
        lease.answered(&found);
        let read = |bytes: &[u8]| lease.during(|| self.codec.read(bytes));
        match step(&found, read, link.settings.poll_every, random::share()) {
            Step::Serve(value) => {
                count(&link.counters.fresh);
                Turn::Answer(Ok(self.fresh(value, &found, lease.asked)))
            }
            Step::ServeStale(value) => {
                count(&link.counters.stale);
                Turn::Answer(Ok(self.stale(weighed(value, &found), found.stale_since, lease.asked)))
            }
            Step::Lead(old) => {
                count(&link.counters.leased);
                let old = old.map(|old| weighed(old, &found));
                Turn::Load(Load::Leased(lease, old, found.stale_since))
            }
            Step::LoadOwn => {
                count(&link.counters.unshared);
                Turn::Load(Load::Own)
            }
            Step::Fail(left) => {
                count(&link.counters.elsewhere);
                Turn::Answer(Err(TierError::Elsewhere(left).into()))
            }
            Step::LookBlind | Step::Wait(_) => Turn::Later,
        }
    }

    fn alone(&self) -> Turn<V, E> {
        count(&self.link.counters.alone);
        Turn::Load(Load::Alone)
    }

    /// Loads keys in one load, and publishes those that the batch leads.
    async fn load_many(
        &self,
        many: &Many<K, V, E>,
        mut loads: Vec<(K, Load<V>)>,
        (lookup, granted): (Instant, Instant),
        send: &(impl Fn(K, Answer<V, E>) + Send + Sync),
    ) {
        let begun = self.link.now();
        let asked = loads.iter().find_map(|(_, load)| Some(load.lease()?.asked));
        loads.iter_mut().filter_map(|(_, load)| load.lease_mut()).for_each(|lease| lease.load_begins(lookup));
        let keys = loads.iter().map(|(key, _)| key.clone()).collect();
        let load = async {
            let load = match asked {
                Some(asked) => record::during(asked, granted, || many(keys)),
                None => many(keys),
            };
            // (Surplus is dropped: it could be older than a write that has been heard of.)
            load.await.map(first_answers)
        };
        let ended = AssertUnwindSafe(load).catch_unwind().await;
        loads.iter_mut().filter_map(|(_, load)| load.lease_mut()).for_each(Lease::load_ended);
        let (mut loaded, failure) = match ended {
            Ok(Ok(answers)) => (answers, None),
            Ok(Err(error)) => (HashMap::new(), Some(TierError::Load(Arc::new(error)))),
            Err(panic) => {
                loads.iter_mut().filter_map(|(_, load)| load.lease_mut()).for_each(Lease::fails);
                resume_unwind(panic)
            }
        };
        let ends = loads.into_iter().map(|(key, mut load)| {
            let result = match loaded.remove(&key) {
                Some(result) => result.map_err(|error| TierError::Load(Arc::new(error))),
                None => Err(failure.clone().unwrap_or(TierError::Missing)),
            };
            if result.is_err() {
                // (Not all of the futures may be polled.)
                load.lease_mut().into_iter().for_each(Lease::fails);
            }
            async move { answer(key, self.end(load, result, begun).await, send) }
        });
        join_all(ends).await;
    }

    async fn end(&self, load: Load<V>, result: Result<Loaded<V>, TierError<E>>, begun: Instant) -> Answer<V, E> {
        let settings = &self.link.settings;
        match (load, result) {
            (Load::Leased(lease, ..), Ok(loaded)) => {
                let (value, terms) = loaded.into_parts();
                let ttl = self.publish(lease, &value, &terms, begun).await;
                Ok(terms.map(|()| value).ttl(ttl))
            }
            (Load::Leased(lease, old, since), Err(error)) => {
                let asked = lease.asked;
                lease.release().await;
                Err(match old {
                    Some(old) => Failed::new(error).instead(self.stale(old, since, asked)),
                    None => error.into(),
                })
            }
            (Load::Own, Ok(loaded)) => Ok(self.hold_unleased(loaded, begun, Duration::MAX)),
            (Load::Alone, Ok(loaded)) => Ok(self.hold_unleased(loaded, begun, settings.alone_ttl)),
            (Load::Own | Load::Alone, Err(error)) => Err(error.into()),
        }
    }
}

/// Sends an answer; that a key is missing the cache says itself.
fn answer<K, V, E>(key: K, answer: Answer<V, E>, send: &impl Fn(K, Answer<V, E>)) {
    match answer {
        Err(failed) => match failed.into_parts() {
            (TierError::Missing, None) => {}
            (error, None) => send(key, Err(error.into())),
            (error, Some(old)) => send(key, Err(Failed::new(error).instead(old))),
        },
        loaded => send(key, loaded),
    }
}

/// The first answer for a key counts.
fn first_answers<K: Eq + std::hash::Hash, A>(answers: Vec<(K, A)>) -> HashMap<K, A> {
    let mut first = HashMap::with_capacity(answers.len());
    for (key, answer) in answers {
        first.entry(key).or_insert(answer);
    }
    first
}

#[cfg(test)]
mod tests;
