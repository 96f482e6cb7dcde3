//! The calls that most cases make, as callers of the simulation.

use larder::{Cache, LookupOptions};

use crate::{Batches, Boom, Host, Sim, V};

impl Sim {
    /// A plain lookup, run until all callers are idle.
    pub fn get<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, key: u32) -> usize {
        self.ask(cache, key, LookupOptions::new())
    }

    /// `n` plain lookups, one after another.
    pub fn crowd<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, key: u32, n: usize) -> Vec<usize> {
        (0..n).map(|_| self.get(cache, key)).collect()
    }

    /// A lookup with options, run until all callers are idle.
    pub fn ask<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, key: u32, options: LookupOptions) -> usize {
        let number = self.queue_up(cache, key, options);
        self.run();
        number
    }

    /// A lookup with options that is polled by the next run only.
    pub fn queue_up<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, key: u32, options: LookupOptions) -> usize {
        let cache = cache.clone();
        self.spawn(async move { cache.lookup(&key).options(options).await })
    }

    /// A lookup of many keys, run until all callers are idle.
    pub fn many<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, keys: &[u32]) -> usize {
        self.ask_many(cache, keys, LookupOptions::new())
    }

    /// A lookup of many keys with options, run until all callers are idle.
    pub fn ask_many<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, keys: &[u32], options: LookupOptions) -> usize {
        let (cache, keys) = (cache.clone(), keys.to_vec());
        self.call(async move { cache.lookup_many(&keys).options(options).await })
    }

    /// A lookup of many keys with a closure, run until all callers are idle.
    pub fn many_with<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, keys: &[u32], batches: &Batches) -> usize {
        let (cache, keys, batches) = (cache.clone(), keys.to_vec(), batches.clone());
        self.call(async move {
            let options = LookupOptions::new();
            cache.lookup_many(&keys).options(options).by(|keys| batches.begin(keys)).await
        })
    }

    /// A lookup that accepts a stale value, run until all callers are idle.
    pub fn stale<R: Host>(&mut self, cache: &Cache<u32, V, Boom, R>, key: u32) -> usize {
        let cache = cache.clone();
        self.call(async move { cache.get_stale(&key).await })
    }

    /// Polls the ticket of caller `i` as its own caller, run until all callers are idle.
    pub fn refresh(&mut self, i: usize) -> usize {
        let ticket = self.ticket(i);
        self.call(ticket)
    }
}
