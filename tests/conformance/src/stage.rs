//! What each check runs on: a runtime, its loads and its tasks.

use core::future::Future;
use core::time::Duration;

use larder::{Cache, Clock, Instant, LookupOptions, OnTimeout, Runtime, Spawn, Stats, Timer};

use super::{Batched, Cached, Caller, Loads, Seat, Setup, Subject};
use crate::{Answer, Boom, assert_clean};

/// A runtime, and the loads of the caches that a check makes on it.
pub struct Stage<E: Subject> {
    /// The runtime under test.
    pub runtime: E::Runtime,
    /// The loads of all its caches.
    pub loads: Loads<E::Value>,
}

/// The key that most checks ask for.
pub(super) const KEY: u32 = 7;

impl<E: Subject> Stage<E> {
    /// A stage on which nothing has happened yet.
    pub fn new(runtime: E::Runtime) -> Self {
        Self { runtime, loads: Loads::default() }
    }

    /// A cache that is never dropped.
    ///
    /// The futures of its calls are `'static`, so a runtime can name them in the types that it spawns.
    pub fn cache(
        &self,
        setup: impl FnOnce(Setup<E::Runtime, E::Value>) -> Setup<E::Runtime, E::Value>,
    ) -> &'static Cached<E::Runtime, E::Value> {
        let builder = setup(Cache::builder(self.runtime.clone()).loader(self.loads.clone()));
        Box::leak(Box::new(builder.build().expect("the configuration is valid")))
    }

    /// A cache that loads many keys at once and is never dropped.
    pub fn batched(&self) -> &'static Batched<E::Runtime, E::Value> {
        self.batched_with(|setup| setup)
    }

    /// The same, with the settings that `setup` adds.
    pub fn batched_with(
        &self,
        setup: impl FnOnce(Setup<E::Runtime, E::Value>) -> Setup<E::Runtime, E::Value>,
    ) -> &'static Batched<E::Runtime, E::Value> {
        let builder = setup(Cache::builder(self.runtime.clone()).many_loader(self.loads.clone()));
        Box::leak(Box::new(builder.build().expect("the configuration is valid")))
    }

    /// A task that asks for the key.
    pub fn ask(&self, cache: &'static Cached<E::Runtime, E::Value>) -> Seat {
        self.ask_with(cache, LookupOptions::new())
    }

    /// A task that asks for the key with these options.
    pub fn ask_with(&self, cache: &'static Cached<E::Runtime, E::Value>, options: LookupOptions) -> Seat {
        self.spawn(cache.lookup(&KEY).options(options))
    }

    /// A task that asks for these keys.
    pub fn ask_many(&self, cache: &'static Batched<E::Runtime, E::Value>, keys: &'static [u32]) -> Seat {
        self.ask_many_with(cache, keys, LookupOptions::new())
    }

    /// A task that asks for these keys with these options.
    pub fn ask_many_with(
        &self,
        cache: &'static Batched<E::Runtime, E::Value>,
        keys: &'static [u32],
        options: LookupOptions,
    ) -> Seat {
        self.spawn(cache.lookup_many(keys).options(options))
    }

    /// `n` tasks that ask for the key and wait for its load; none of them is being polled any more.
    pub async fn crowd(&self, cache: &'static Cached<E::Runtime, E::Value>, n: u64) -> Vec<Seat> {
        let waiters = cache.stats().waiters + n;
        let crowd: Vec<_> = (0..n).map(|_| self.ask(cache)).collect();
        self.until(|| cache.stats().waiters == waiters && crowd.iter().all(Seat::waits)).await;
        crowd
    }

    pub(super) fn spawn<F: Future + Unpin>(&self, call: F) -> Seat
    where
        E::Runtime: Spawn<Caller<F, E::Value>>,
        Answer<E::Value>: From<F::Output>,
    {
        let (caller, seat) = Caller::new(call);
        assert!(self.runtime.spawn(caller).is_ok(), "the runtime spawns it");
        seat
    }

    /// Ends once `time` has passed.
    pub fn pass(&self, time: Duration) -> <E::Runtime as Timer>::Sleep {
        self.runtime.sleep_until(self.now().saturating_add(time))
    }

    /// The current time.
    pub fn now(&self) -> Instant {
        self.runtime.now()
    }

    /// Ends once `condition` holds.
    pub async fn until(&self, condition: impl Fn() -> bool) {
        while !condition() {
            self.pass(Duration::from_millis(1)).await;
        }
    }

    /// Adds callers until `condition` holds, for a load whose end wakes no task. Each new caller looks whether the load
    /// is ready. Another thread may be looking just then, too early; in that case it takes one more caller, and one that
    /// cannot wait for that look fails.
    pub async fn come_until(&self, condition: impl Fn() -> bool, come: impl Fn() -> Seat) -> Vec<Seat> {
        let mut seats = Vec::new();
        while !condition() {
            seats.push(come());
            self.pass(Duration::from_millis(1)).await;
        }
        seats
    }

    /// Whether each of these callers in a hurry found the load ready, or came while another thread looked.
    ///
    /// Who had waited may look as well, if a wake from before the load was ready comes late; then there may be no caller.
    pub async fn found_or_late(&self, seats: &[Seat]) -> bool {
        self.saw_all(seats).await.iter().all(|saw| saw.starts_with("V1 ") || saw == "LockTimeout")
    }

    /// Ends once the `n`-th load has begun.
    pub async fn begun(&self, n: usize) {
        self.until(|| self.loads.begun() == n).await;
    }

    /// What a task saw, once it has ended.
    pub async fn saw(&self, seat: &Seat) -> String {
        self.until(|| seat.saw().is_some()).await;
        seat.saw().unwrap_or_default()
    }

    /// What each of these tasks saw, in alphabetical order.
    pub async fn saw_all(&self, seats: &[Seat]) -> Vec<String> {
        let mut saw = Vec::new();
        for seat in seats {
            saw.push(self.saw(seat).await);
        }
        saw.sort();
        saw
    }

    /// Ends once nothing is under way, and asserts that nothing is left. (P2)
    pub async fn ends_clean<R: Runtime>(&self, cache: &Cache<u32, E::Value, Boom, R>) {
        self.settles(|| cache.stats()).await;
    }

    pub(super) async fn settles(&self, stats: impl Fn() -> Stats) {
        self.until(|| (stats().flights, stats().waiters, self.loads.live()) == (0, 0, 0)).await;
        assert_clean(&stats());
    }
}

/// The options of a call that polls the load once and does not wait.
pub(super) fn in_a_hurry() -> LookupOptions {
    LookupOptions::new().lock_timeout(Duration::ZERO, OnTimeout::Fail)
}
