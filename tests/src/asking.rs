//! The calls that most cases make, as callers of the simulation.

use larder::LookupOptions;

use crate::{Host, Scripted, Sim};

impl Sim {
    /// A plain lookup, run until nobody has anything to do.
    pub fn get<R: Host>(&mut self, cache: &Scripted<R>, key: u32) -> usize {
        self.ask(cache, key, LookupOptions::new())
    }

    /// `n` plain lookups, one after the other.
    pub fn crowd<R: Host>(&mut self, cache: &Scripted<R>, key: u32, n: usize) -> Vec<usize> {
        (0..n).map(|_| self.get(cache, key)).collect()
    }

    /// A lookup with options, run until nobody has anything to do.
    pub fn ask<R: Host>(&mut self, cache: &Scripted<R>, key: u32, options: LookupOptions) -> usize {
        let number = self.queue_up(cache, key, options);
        self.run();
        number
    }

    /// A lookup with options that is polled by the next run only.
    pub fn queue_up<R: Host>(&mut self, cache: &Scripted<R>, key: u32, options: LookupOptions) -> usize {
        let cache = cache.clone();
        self.spawn(async move { cache.lookup(&key, options).await })
    }

    /// A lookup that takes a stale value, run until nobody has anything to do.
    pub fn stale<R: Host>(&mut self, cache: &Scripted<R>, key: u32) -> usize {
        let cache = cache.clone();
        self.call(async move { cache.get_stale(&key).await })
    }

    /// Polls the ticket of caller `i` as a caller of its own, run until nobody has anything to do.
    pub fn refresh(&mut self, i: usize) -> usize {
        let ticket = self.ticket(i);
        self.call(ticket)
    }
}
