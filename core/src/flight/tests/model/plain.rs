//! A flight without any cleverness.

use alloc::vec::Vec;

/// One flight as one would write it down.
pub(super) struct Plain {
    pub(super) key: u32,
    pub(super) attached: bool,
    pub(super) attempts: Vec<Tried>,
    pub(super) verdict: Option<Result<u32, &'static str>>,
}

pub(super) struct Tried {
    pub(super) begun: u64,
    pub(super) started: bool,
    pub(super) shared: bool,
    pub(super) load: Where,
    /// What its beginner has yet to be told.
    pub(super) failure: Option<&'static str>,
    pub(super) owned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Where {
    Fresh,
    Idle(u32),
    Out(Option<u32>),
    Lent,
    OwnOut,
    Gone,
}

impl Tried {
    pub(super) fn live(&self) -> bool {
        self.load != Where::Gone
    }

    pub(super) fn running(&self) -> bool {
        self.live() && self.started
    }

    /// Ends it; returns the load that rested.
    pub(super) fn end(&mut self) -> Option<u32> {
        match core::mem::replace(&mut self.load, Where::Gone) {
            Where::Idle(load) => Some(load),
            _ => None,
        }
    }
}

impl Plain {
    pub(super) fn live(&self) -> usize {
        self.attempts.iter().filter(|tried| tried.live()).count()
    }

    pub(super) fn running(&self) -> u64 {
        self.attempts.iter().filter(|tried| tried.running()).count() as u64
    }

    /// Ends all attempts; returns the loads that rested, and how many were running.
    pub(super) fn end(&mut self, verdict: Option<Result<u32, &'static str>>) -> (Vec<u32>, u64) {
        let running = self.running();
        self.attached = false;
        self.verdict = verdict;
        let loads = self.attempts.iter_mut().filter_map(Tried::end).collect();
        self.attempts.iter_mut().for_each(|tried| tried.failure = None);
        (loads, running)
    }

    pub(super) fn told(&self, began: Option<u32>) -> Option<Result<u32, &'static str>> {
        self.verdict.or_else(|| Some(Err(self.attempts[began? as usize - 1].failure?)))
    }
}
