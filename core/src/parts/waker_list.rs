//! A list of wakers under a lock of its own.

use alloc::vec::Vec;
use core::{mem, num::NonZeroU64, task::Waker};

use crate::{Lock, Notify, contain::each};

/// Wakes its listeners in the order in which they first listened.
///
/// `L` guards the list; where an interrupt may wake a load, it is a critical section and never a spin lock.
/// Listening again costs a binary search, everything else amortised constant time.
///
/// ```
/// use larder::{Notify, parts::{Ticket, WakerList, Wakers}};
/// use std::{sync::Mutex, task::Waker};
///
/// let list = WakerList::<Mutex<Wakers>>::default();
/// let mut ticket = Ticket::default();
/// list.listen(&mut ticket, Waker::noop());
/// list.notify_all();
/// assert!(list.withdraw(&mut ticket).is_none()); // nothing is left to be withdrawn
/// ```
pub struct WakerList<L>(L);

/// A listener's place in a [`WakerList`].
///
/// It keeps its turn for as long as it listens.
///
/// ```
/// use larder::parts::{Ticket, WakerList, Wakers};
///
/// // What a runtime's `Notify` is made of; see `WakerList` for how it is used.
/// type Bell = WakerList<std::sync::Mutex<Wakers>>;
/// let (bell, ticket) = (Bell::default(), Ticket::default());
/// ```
#[derive(Debug, Default)]
pub struct Ticket(Option<NonZeroU64>);

/// What a [`WakerList`] guards, by whatever lock there is.
///
/// ```
/// use larder::{Lock, parts::{WakerList, Wakers}};
///
/// fn list<L: Lock<Wakers>>() -> WakerList<L> {
///     WakerList::default()
/// }
/// list::<std::sync::Mutex<Wakers>>();
/// ```
#[derive(Debug, Default)]
pub struct Wakers {
    issued: u64,
    /// Ordered by ticket. `None` where a listener has withdrawn.
    waiting: Vec<(NonZeroU64, Option<Waker>)>,
    withdrawn: usize,
}

impl<L: Lock<Wakers>> Default for WakerList<L> {
    fn default() -> Self {
        Self(L::new(Wakers::default()))
    }
}

impl<L: Lock<Wakers> + Send + Sync + 'static> Notify for WakerList<L> {
    type Listener = Ticket;

    fn listen(&self, ticket: &mut Ticket, waker: &Waker) -> Option<Waker> {
        self.0.with(|wakers| wakers.listen(ticket, waker))
    }

    fn withdraw(&self, ticket: &mut Ticket) -> Option<Waker> {
        let ticket = ticket.0.take()?;
        self.0.with(|wakers| wakers.withdraw(ticket))
    }

    fn notify_all(&self) {
        // The list is taken out, so that a waker may listen, withdraw or notify.
        let mut waiting = self.0.with(|wakers| {
            wakers.withdrawn = 0;
            mem::take(&mut wakers.waiting)
        });
        // One task that listens for many things lines up many times in a row, and is woken once.
        waiting
            .dedup_by(|(_, next), (_, waker)| waker.as_ref().zip(next.as_ref()).is_some_and(|(a, b)| a.will_wake(b)));
        each(waiting.into_iter().filter_map(|(_, waker)| waker), Waker::wake);
    }
}

impl Wakers {
    fn listen(&mut self, ticket: &mut Ticket, waker: &Waker) -> Option<Waker> {
        let number = *ticket.0.get_or_insert_with(|| {
            self.issued += 1;
            NonZeroU64::new(self.issued).unwrap_or(NonZeroU64::MAX)
        });
        let place = match self.waiting.last() {
            Some((last, _)) if *last >= number => self.waiting.binary_search_by_key(&number, |(number, _)| *number),
            _ => Err(self.waiting.len()),
        };
        match place {
            Ok(place) => {
                let present = &mut self.waiting[place].1;
                if present.as_ref().is_some_and(|present| present.will_wake(waker)) {
                    return None;
                }
                present.replace(waker.clone())
            }
            Err(place) => {
                self.waiting.insert(place, (number, Some(waker.clone())));
                None
            }
        }
    }

    fn withdraw(&mut self, ticket: NonZeroU64) -> Option<Waker> {
        let place = self.waiting.binary_search_by_key(&ticket, |(number, _)| *number).ok()?;
        let waker = self.waiting[place].1.take();
        self.withdrawn += 1;
        // Half of the list is dead: as many removals have paid for clearing it away.
        if self.withdrawn * 2 > self.waiting.len() {
            self.waiting.retain(|(_, waker)| waker.is_some());
            self.waiting.shrink_to(self.waiting.len() * 2);
            self.withdrawn = 0;
        }
        waker
    }
}

#[cfg(test)]
mod tests;
