//! Callers of the cache, each of which checks its results.

use std::collections::{BTreeSet, VecDeque};

use larder::{LoadError, LookupOptions, OnTimeout, Outcome, Status};
use larder_tests::*;

use super::{
    plain::{Call, Key, Saw, Seat, Sees},
    world::{Boxed, Fault, Polled, Val, World},
};

type Found = Result<Outcome<Val, Fault>, LoadError<Fault>>;

/// One caller. When it is dropped, it has left, in the model as well.
struct Caller<R: Host> {
    world: Rc<World<R>>,
    number: usize,
    call: Call,
    keys: Vec<Key>,
    has_come: bool,
    has_ended: bool,
}

impl<R: Host> Caller<R> {
    fn new(world: &Rc<World<R>>, call: Call, keys: Vec<Key>) -> Self {
        let number = world.number() as usize;
        Self { world: world.clone(), number, call, keys, has_come: false, has_ended: false }
    }

    /// Polls one of the caller's futures, which asks for all its keys at once.
    fn poll<F: Future + Unpin>(&mut self, future: &mut F, context: &mut Context<'_>) -> Poll<F::Output> {
        // This is the first poll, or it looks at its keys one after another.
        let may_miss_writes = !self.has_come || self.keys.len() > 1;
        let coming = if self.has_come { VecDeque::new() } else { self.keys.iter().copied().collect() };
        self.has_come = true;
        self.world.polled.borrow_mut().push(Polled { caller: self.number, call: self.call, coming });
        let polled = Popped(&self.world);
        self.world.model.borrow_mut().poll_begins(self.number);
        self.world.come(None);
        let poll = Pin::new(future).poll(context);
        self.world.come(None);
        drop(polled);
        if poll.is_pending() {
            self.world.model.borrow_mut().poll_ends(self.number, may_miss_writes, self.world.time.ms());
        }
        poll
    }

    /// Checks what the caller got for `key`.
    fn end(&self, key: Key, found: &Found) -> bool {
        let (seat, now) = ((self.number, key), self.world.time.ms());
        match self.world.seen.borrow_mut().remove(&seat).expect("it has come") {
            Sees::Waits => {
                let is_one_of_many = self.keys.len() > 1;
                self.world.model.borrow_mut().end(seat, &saw(found), is_one_of_many, now);
                false
            }
            sees => {
                assert_eq!(seen(found, matches!(sees, Sees::Stale { ticket: true, .. })), sees, "{seat:?} at {now}");
                matches!(sees, Sees::Stale { ticket: true, .. })
            }
        }
    }
}

impl<R: Host> Drop for Caller<R> {
    fn drop(&mut self) {
        let seats: Vec<Seat> = self.keys.iter().map(|key| (self.number, *key)).collect();
        if self.has_come && !self.has_ended {
            seats.iter().for_each(|seat| self.world.model.borrow_mut().leave(*seat));
            seats.iter().for_each(|seat| _ = self.world.seen.borrow_mut().remove(seat));
        }
    }
}

/// A caller that is being polled.
struct Popped<'a, R: Host>(&'a World<R>);

impl<R: Host> Drop for Popped<'_, R> {
    fn drop(&mut self) {
        // If the stack unwinds, it has not asked for the rest of its keys.
        self.0.polled.borrow_mut().pop();
    }
}

fn why(failure: &larder::Failure<Fault>) -> Option<u32> {
    failure.error().map(|fault| fault.0)
}

/// What was seen at once.
fn seen(found: &Found, ticket: bool) -> Sees {
    match found {
        Ok(outcome) => {
            let id = outcome.value().id();
            match outcome.status() {
                Status::Hit => Sees::Hit(id),
                Status::Stale(age) => {
                    Sees::Stale { id, age: age.as_millis() as u64, failed: outcome.error().map(why), ticket }
                }
                other => panic!("{other} at once"),
            }
        }
        Err(LoadError::Failed(failure)) if failure.is_cached() => Sees::Cached(why(failure)),
        Err(LoadError::Reentrant) => Sees::Reentrant,
        Err(other) => panic!("{other} at once"),
    }
}

/// What was seen in the end.
fn saw(found: &Found) -> Saw {
    match found {
        Ok(outcome) => {
            let id = outcome.value().id();
            match outcome.status() {
                Status::Stale(age) => Saw::Stale { id, age: age.as_millis() as u64, failed: outcome.error().map(why) },
                status => {
                    let expired = status == Status::Expired;
                    Saw::Value { id, led: expired || status == Status::Miss, expired }
                }
            }
        }
        Err(LoadError::Failed(failure)) => Saw::Failed(why(failure)),
        Err(LoadError::LockTimeout) => Saw::LockTimeout,
        Err(other) => panic!("{other} in the end"),
    }
}

fn options(call: Call) -> LookupOptions {
    let options = LookupOptions::new();
    let options = if call.reload { options.reload() } else { options };
    match call.timeout {
        Some((patience, then)) => options.lock_timeout(ms(patience), then),
        None => options,
    }
}

/// A caller of one key.
pub(crate) async fn lookup<R: Host>(world: Rc<World<R>>, key: Key, call: Call) {
    let cache = world.cache();
    // The caller is dropped before its future, so it has left when the loads are dropped.
    let mut future = cache.lookup(&key).options(options(call));
    let mut caller = Caller::new(&world, call, vec![key]);
    let found = core::future::poll_fn(|context| caller.poll(&mut future, context)).await;
    caller.end(key, &found);
    caller.has_ended = true;
}

/// A caller of one key that accepts stale values; it leaves the refresh to the world.
pub(crate) async fn stale<R: Host>(world: Rc<World<R>>, key: Key) {
    let cache = world.cache();
    let call = Call { takes_stale: true, ..Call::default() };
    let mut future = cache.get_stale(&key);
    let mut caller = Caller::new(&world, call, vec![key]);
    let found = core::future::poll_fn(|context| caller.poll(&mut future, context)).await;
    let (found, refresh) = match found {
        Ok(stale) => (Ok(stale.outcome), stale.refresh),
        Err(error) => (Err(error), None),
    };
    let ticket = caller.end(key, &found);
    assert_eq!(refresh.is_some(), ticket, "a ticket for key {key}");
    match refresh {
        // From now on its seat is that of this refresh.
        Some(refresh) => {
            let ticket: Boxed = Box::pin(Ticket { caller, refresh: Box::pin(refresh) });
            world.tickets.borrow_mut().push(ticket);
        }
        None => caller.has_ended = true,
    }
}

/// A refresh that a caller got.
struct Ticket<R: Host> {
    caller: Caller<R>,
    refresh: Boxed,
}

impl<R: Host> Future for Ticket<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { caller, refresh } = &mut *self;
        let poll = caller.poll(refresh, context);
        if poll.is_ready() {
            caller.world.model.borrow_mut().leave((caller.number, caller.keys[0]));
        }
        poll
    }
}

/// A caller of many keys.
pub(crate) async fn many<R: Host>(world: Rc<World<R>>, keys: Vec<Key>, call: Call) {
    let cache = world.cache();
    let mut once = BTreeSet::new();
    let distinct: Vec<_> = keys.iter().copied().filter(|key| once.insert(*key)).collect();
    let mut future = cache.lookup_many(&keys).options(options(call));
    let mut caller = Caller::new(&world, call, distinct);
    let _one_more = OneMore::new(&world);
    let found = core::future::poll_fn(|context| caller.poll(&mut future, context)).await;
    assert_eq!(found.len(), keys.len());
    for key in &caller.keys {
        let of_key: Vec<_> =
            keys.iter().zip(&found).filter(|(asked, _)| *asked == key).map(|(_, found)| found).collect();
        caller.end(*key, of_key[0]);
        assert!(of_key.iter().all(|found| same(found, of_key[0])), "key {key} was answered in two ways");
    }
    caller.has_ended = true;
}

/// Counts callers of many keys: the cache has counted some of these before the model has.
struct OneMore<R: Host>(Rc<World<R>>);

impl<R: Host> OneMore<R> {
    fn new(world: &Rc<World<R>>) -> Self {
        world.many.set(world.many.get() + 1);
        Self(world.clone())
    }
}

impl<R: Host> Drop for OneMore<R> {
    fn drop(&mut self) {
        self.0.many.set(self.0.many.get() - 1);
    }
}

fn same(one: &Found, other: &Found) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one.value().id() == other.value().id() && one.status() == other.status(),
        (Err(one), Err(other)) => one.to_string() == other.to_string(),
        _ => false,
    }
}

/// What a caller does when its lock timeout has passed.
pub(crate) fn on_timeout(number: u64) -> OnTimeout {
    match number {
        0 => OnTimeout::Load,
        1 => OnTimeout::Stale,
        _ => OnTimeout::Fail,
    }
}
