//! Enters what a load or a flush has brought in the book, in the step in which it finishes.

use alloc::vec::Vec;
use core::{mem, task::Waker};

use super::{
    Fault, WriteBackError,
    share::Effects,
    shared::{BookOf, Brought, Done, EngineOf, FlightsOf, Pin, Refused, Shared, Task, TimelessOf},
    timeless::Aside,
};
use crate::{
    Failure, Instant, Key, Runtime,
    dirty::{Origin, Placed},
    flight::Woken,
    shard::{News, Step, Waiting},
    share::VisitOf,
    sync::Arc,
};

/// What a task brings, as the engine has it.
type Brings<K, V, E, R> = Option<Result<News<Done<K, V, E, R>>, Failure<Fault<K, E>>>>;

/// Finishes a task with its result, with the flights and the book locked. A value that has no place yet is stored in
/// the flight again, and is polled again at once.
pub(super) fn finish<K: Key, V: Clone, E, R: Runtime>(
    engine: &EngineOf<K, V, E, R>,
    waiting: &mut Waiting<R::Notify>,
    brings: &mut Brings<K, V, E, R>,
    now: Instant,
    visit: &VisitOf<'_, Task<K>, Done<K, V, E, R>, Fault<K, E>, TimelessOf<K, V, E, R>, Aside>,
    effects: &mut Effects<K, V, E, R>,
) -> Step {
    let Some(shared) = whose(brings) else {
        return engine.with(waiting.hash, |flights| flights.finish(waiting, brings, now, visit, effects));
    };
    shared.with_flights(|flights, book| {
        if let Some(Ok(news)) = brings {
            if let Err(refused) = enter(news.value(), waiting, flights, book, effects) {
                if let Done::Brought(brought) = mem::replace(news.value(), Done::Elsewhere) {
                    let load = (brought.resume)(*brought, waiting.seat.place_only(), refused);
                    flights.put_to_rest(&waiting.seat, effects.number, Some(load), effects);
                    waiting.after = waiting.after.min(effects.number - 1);
                    return flights.visit(waiting, visit, effects);
                }
            }
        }
        flights.finish(waiting, brings, now, visit, effects)
    })
}

/// The cache of what is to be entered in its book.
fn whose<K: Key, V: Clone, E, R: Runtime>(brings: &mut Brings<K, V, E, R>) -> Option<Arc<Shared<K, V, E, R>>> {
    let Some(Ok(news)) = brings else { return None };
    match news.value() {
        Done::Brought(brought) => Some(Arc::clone(&brought.place.shared)),
        Done::Written(writing) => Some(Arc::clone(&writing.shared)),
        _ => None,
    }
}

/// Enters in the book what a task has done; an error if it has no place there yet.
fn enter<K: Key, V: Clone, E, R: Runtime>(
    done: &mut Done<K, V, E, R>,
    waiting: &Waiting<R::Notify>,
    flights: &mut FlightsOf<K, V, E, R>,
    book: &mut BookOf<K, V, E, R>,
    effects: &mut Effects<K, V, E, R>,
) -> Result<(), Refused> {
    let (entered, wake) = match done {
        Done::Brought(brought) => {
            let flight = &flights.flights.slot(&waiting.seat).flight;
            if flight.is_over() {
                // An insertion has ended the wait for it.
                return Ok(());
            }
            let is_current = flight.is_attached();
            let (place, wake) = brought.enter(is_current, book)?;
            (Done::Loaded(Arc::new(Pin::new(&brought.place.shared, place))), wake)
        }
        Done::Written(writing) => {
            let wake = writing.end(book, true);
            // It holds user values, which are dropped when everything else is done.
            if let Some((key, why)) = book.forget_failure() {
                effects.keep_key(Some(Task::Load(key)));
                effects.keep_error(if let WriteBackError::Failed(failure) = why { Some(failure) } else { None });
            }
            (Done::Flushed, wake)
        }
        _ => return Ok(()),
    };
    let spent = mem::replace(done, entered);
    if matches!(&spent, Done::Brought(brought) if !brought.is_empty()) {
        // It holds a user value, which is dropped when everything else is done.
        effects.rest().values.push(spent);
    }
    wake.into_iter().for_each(|waker| effects.wake(Woken::Lone(waker)));
    Ok(())
}

impl<K: Key, V: Clone, E, R: Runtime> Brought<K, V, E, R> {
    /// Takes the reserved place, or pins what has come there before.
    fn enter(&mut self, is_current: bool, book: &mut BookOf<K, V, E, R>) -> Result<(u32, Vec<Waker>), Refused> {
        let origin = if is_current { Origin::Loaded } else { Origin::Outdated };
        let (placed, wake) = book.ledger.place(self.hash, &mut self.new, origin, self.place.is_clear);
        let place = match placed {
            Placed::At(place, left) => {
                self.left = left;
                place
            }
            Placed::Present(place) => place,
            Placed::Dirty => return Err(Refused::Dirty),
            Placed::Full => return Err(Refused::Full),
            Placed::Void => return Err(Refused::Void),
        };
        self.place.spend();
        Ok((place, wake))
    }

    /// Returns whether no user value is left in it.
    const fn is_empty(&self) -> bool {
        self.new.is_none() && self.left.is_none()
    }
}
