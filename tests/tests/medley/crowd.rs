//! The callers of a cache or of a slot.

use std::rc::Rc;

use larder::Stats;
use larder_tests::*;

use super::{asking::tasks, world::World};

pub(crate) struct Crowd {
    pub(crate) world: Rc<World>,
    pub(crate) sim: Sim,
    pub(crate) waiting: Vec<usize>,
    tickets: Vec<Ticket>,
}

/// In so many moments everything ends that can.
pub(crate) const LAST: u64 = 40;

impl Crowd {
    pub(crate) fn new(world: Rc<World>, sim: Sim) -> Self {
        Self { world, sim, waiting: Vec::new(), tickets: Vec::new() }
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.world.below(bound)
    }

    /// One more comes.
    pub(crate) fn ask<A: Into<Answer>>(&mut self, future: impl Future<Output = A> + 'static) -> usize {
        let caller = self.sim.spawn(future);
        self.waiting.push(caller);
        caller
    }

    pub(crate) fn with_one_who_waits(&mut self, act: fn(&mut Sim, usize)) {
        if !self.waiting.is_empty() {
            let i = self.waiting[self.below(self.waiting.len() as u64) as usize];
            act(&mut self.sim, i);
        }
    }

    /// A ticket is used or dropped.
    pub(crate) fn use_a_ticket(&mut self) {
        if !self.tickets.is_empty() {
            let ticket = self.tickets.swap_remove(self.below(self.tickets.len() as u64) as usize);
            if self.below(2) == 0 {
                self.ask(ticket);
            }
        }
    }

    /// Moves the clock on a little.
    pub(crate) fn wait(&mut self) {
        let to = self.sim.time.ms() + self.below(25);
        self.sim.to(to);
    }

    /// Moves the clock back.
    pub(crate) fn jump_back(&mut self) {
        let back = self.sim.time.ms().saturating_sub(self.below(60));
        self.sim.jump(back);
    }

    /// Polls those that are awake, at most steps.
    pub(crate) fn run(&mut self) {
        if self.below(4) > 0 {
            self.sim.run();
        }
    }

    /// Takes in what was spawned, and the tickets of those that are done; returns those that have unwound.
    pub(crate) fn settle(&mut self) -> Vec<usize> {
        for task in tasks(&self.world) {
            if self.below(4) > 0 {
                self.ask(task);
            }
        }
        let ended: Vec<_> = self.waiting.iter().copied().filter(|i| self.sim.end(*i).is_some()).collect();
        self.waiting.retain(|i| self.sim.end(*i).is_none());
        let mut unwound = Vec::new();
        for i in ended {
            match self.sim.end(i) {
                Some(Saw::Answer(Answer::Outcome(_, Some(_)))) => {
                    let ticket = self.sim.ticket(i);
                    self.tickets.push(ticket);
                }
                Some(Saw::Bang(_)) => unwound.push(i),
                Some(Saw::Panic(message)) => panic!("caller {i}: {message}"),
                _ => {}
            }
        }
        unwound
    }

    /// Goes on to this one of the [last](LAST) moments, in which nobody is parked, and no ticket is used.
    pub(crate) fn last(&mut self, moment: u64) {
        if moment == 0 {
            return self.sim.run();
        }
        self.tickets.clear();
        if moment == 1 {
            self.waiting.iter().for_each(|i| self.sim.unpark(*i));
        }
        let to = self.sim.time.ms() + 100;
        self.sim.to(to);
    }

    /// Nobody waits any more, and nothing is asked from inside.
    pub(crate) fn end(&mut self, stats: &Stats) {
        self.tickets.clear();
        for i in &self.waiting {
            println!("caller {i} {}", self.sim.saw(*i));
        }
        assert_eq!(self.waiting.len(), 0, "waits for ever: {stats:?}");
        self.world.inside.take();
        self.world.peeks.take();
    }
}

/// How many lookups were counted, each by its end.
pub(crate) fn counted(stats: &Stats) -> u64 {
    stats.hits + stats.misses + stats.expired + stats.joined + stats.stale + stats.errors + stats.abandoned
}
