//! A list of wakers with its own lock.

use alloc::vec::Vec;
use core::{mem, num::NonZeroU64, task::Waker};

use crate::{Lock, Notify, contain::each};

/// Wakes its listeners in the order in which they first listened.
///
/// `L` guards the list; if an interrupt may wake a load, it is a critical section and never a spin lock. Each call
/// costs amortised constant time, in whatever order listeners come again. If that is not the order in which they first
/// came, a notification sorts them. After many have withdrawn, the next look for one is a binary search.
///
/// ```
/// use larder::{Notify, parts::{Ticket, WakerList, Wakers}};
/// use std::{sync::Mutex, task::Waker};
///
/// let list = WakerList::<Mutex<Wakers>>::default();
/// let mut ticket = Ticket::default();
/// list.listen(&mut ticket, Waker::noop());
/// list.notify_all();
/// assert!(list.withdraw(&mut ticket).is_none()); // nothing is left to withdraw
/// ```
pub struct WakerList<L>(L);

/// A listener's place in a [`WakerList`].
///
/// It keeps its turn for as long as it listens.
///
/// ```
/// use larder::parts::{Ticket, WakerList, Wakers};
///
/// // A runtime's `Notify`; see `WakerList` for its use.
/// type Bell = WakerList<std::sync::Mutex<Wakers>>;
/// let (bell, ticket) = (Bell::default(), Ticket::default());
/// ```
#[derive(Debug, Default)]
pub struct Ticket(Option<Number>);

/// Tells listeners apart, in the order in which they first listened, and says where one was put last.
#[derive(Clone, Copy, Debug)]
struct Number {
    of: NonZeroU64,
    place: u32,
}

/// What a [`WakerList`] guards, with whatever lock.
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
    /// `None` for a listener that has withdrawn.
    waiting: Vec<(NonZeroU64, Option<Waker>)>,
    /// How many of them are in order. The others are where their tickets say.
    ordered: usize,
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
        let mut taken = self.0.with(Wakers::take);
        taken.sort();
        let mut waiting = taken.waiting;
        // One task that listens for many things is in the list many times in a row, and is woken once.
        waiting
            .dedup_by(|(_, next), (_, waker)| waker.as_ref().zip(next.as_ref()).is_some_and(|(a, b)| a.will_wake(b)));
        each(waiting.into_iter().filter_map(|(_, waker)| waker), Waker::wake);
    }
}

impl Wakers {
    fn listen(&mut self, ticket: &mut Ticket, waker: &Waker) -> Option<Waker> {
        let number = ticket.0.get_or_insert_with(|| {
            self.issued += 1;
            Number { of: NonZeroU64::new(self.issued).unwrap_or(NonZeroU64::MAX), place: u32::MAX }
        });
        if let Some(place) = self.place(*number) {
            let present = &mut self.waiting[place].1;
            if present.as_ref().is_some_and(|present| present.will_wake(waker)) {
                return None;
            }
            return present.replace(waker.clone());
        }
        let waker = waker.clone();
        let len = self.waiting.len();
        if self.ordered == len && self.waiting.last().is_none_or(|(last, _)| *last < number.of) {
            self.ordered += 1;
        }
        number.place = len as u32;
        self.waiting.push((number.of, Some(waker)));
        None
    }

    fn withdraw(&mut self, number: Number) -> Option<Waker> {
        let place = self.place(number)?;
        let waker = self.waiting[place].1.take();
        self.withdrawn += 1;
        // Half of the list is dead: as many removals have paid for clearing it away.
        if self.withdrawn * 2 > self.waiting.len() {
            let (former, mut at) = (self.ordered, 0);
            self.waiting.retain(|(_, waker)| {
                let stays = waker.is_some();
                self.ordered -= usize::from(at < former && !stays);
                at += 1;
                stays
            });
            self.sort();
            self.waiting.shrink_to(self.waiting.len() * 2);
            self.withdrawn = 0;
        }
        waker
    }

    /// Where a listener is: at the place that it was given or, moved since, in order.
    fn place(&self, Number { of, place }: Number) -> Option<usize> {
        if self.waiting.get(place as usize).is_some_and(|(number, _)| *number == of) {
            return Some(place as usize);
        }
        let ordered = &self.waiting[..self.ordered];
        ordered.last().filter(|(last, _)| *last >= of)?;
        ordered.binary_search_by_key(&of, |(number, _)| *number).ok()
    }

    fn sort(&mut self) {
        if self.ordered != self.waiting.len() {
            sort(&mut self.waiting);
            self.ordered = self.waiting.len();
        }
    }

    fn take(&mut self) -> Self {
        mem::replace(self, Self { issued: self.issued, ..Self::default() })
    }
}

/// Sorts by number, with a heap: in few bytes, because it is rarely needed but part of every program.
fn sort<T>(list: &mut [(NonZeroU64, T)]) {
    // Makes the part of the heap below `top` one again, whose largest is on top.
    let sift = |heap: &mut [(NonZeroU64, T)], mut top: usize| {
        while let Some(left) = heap.get(2 * top + 1) {
            let is_right = heap.get(2 * top + 2).is_some_and(|right| right.0 > left.0);
            let larger = 2 * top + 1 + usize::from(is_right);
            if heap[larger].0 <= heap[top].0 {
                break;
            }
            heap.swap(larger, top);
            top = larger;
        }
    };
    for top in (0..list.len() / 2).rev() {
        sift(list, top);
    }
    for last in (1..list.len()).rev() {
        list.swap(0, last);
        sift(&mut list[..last], 0);
    }
}

#[cfg(test)]
mod tests;
