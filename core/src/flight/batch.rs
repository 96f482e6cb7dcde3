//! How far one load of many keys has come. Pure: whoever asks has it for himself.

use alloc::vec::Vec;
use core::mem;

/// How far a load `B` has come, and what it has answered to each of its keys.
pub(crate) enum Progress<B, A> {
    /// The loader has not been asked.
    New,
    /// The load rests, having been polled so often, and woken so often before the last time.
    Resting {
        load: B,
        polls: u32,
        wakes: usize,
    },
    /// Somebody polls it.
    Out,
    /// The answer to each key, until it is fetched.
    Done(Vec<Option<A>>),
    Panicked,
}

/// What there is to do for a key that is polled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<B, A> {
    /// Wait: the load has been polled so often.
    Wait(u32),
    /// Ask the loader for the load, and poll it.
    Begin,
    /// Poll the load, which has been polled so often.
    Poll(B, u32),
    /// Take the answer; there is none if it was fetched before.
    Take(Option<A>),
    /// The load has panicked.
    Panicked,
}

impl<B, A> Progress<B, A> {
    /// Decides what there is to do for key `index`, which knows of the load's polls up to `seen`.
    ///
    /// Whoever waits for several keys polls them in a row, and one poll of the load is enough: it is polled if it was
    /// woken since, or for the key that was the last to know of its polls.
    pub(crate) fn step(&mut self, index: u32, seen: u32, woken: usize) -> Step<B, A> {
        match mem::replace(self, Self::Out) {
            Self::New => Step::Begin,
            Self::Resting { load, polls, wakes } if wakes != woken || seen == polls => Step::Poll(load, polls),
            Self::Resting { load, polls, wakes } => {
                *self = Self::Resting { load, polls, wakes };
                Step::Wait(polls)
            }
            Self::Out => Step::Wait(seen),
            Self::Done(mut answers) => {
                let answer = answers.get_mut(index as usize).and_then(Option::take);
                *self = Self::Done(answers);
                Step::Take(answer)
            }
            Self::Panicked => {
                *self = Self::Panicked;
                Step::Panicked
            }
        }
    }
}

#[cfg(test)]
mod tests;
