//! Loads that are made by the call of a caller who leads: for many keys at once, or for a refresh.

use alloc::vec::Vec;
use core::{mem, task::Waker};

use crate::{
    Key, Runtime, Tuning,
    cache::{
        inner::{FlightOf, Handle, Inner},
        means::Means,
        ride::Ride,
        waiter::{Polling, Waiter},
    },
};

impl<K: Key, V: Clone, E, R: Runtime, S: Tuning, I> Waiter<K, V, E, R, S, I>
where
    I: Handle<Inner<K, V, E, R, S>>,
{
    /// Has the load of a refresh be made by the call that has found it necessary, and rest in the flight.
    pub(crate) fn make<M: Means<K, V, E, R::Threads>>(&mut self, means: &mut M) {
        let making = Polling(self);
        let stay = &mut making.0.stay;
        stay.driving = stay.waiting.as_ref().and_then(|waiting| waiting.seat.began());
        let load = means.make();
        making.0.stay.driving = None;
        if let Some(load) = load {
            making.0.bring(Some(Ride::Own(load)), None);
        }
    }

    /// Has the load that this caller leads rest in the flight, or be asked for by whoever drives first.
    ///
    /// `inside` is what a load is polled with that answers other keys as well.
    pub(crate) fn bring(&mut self, load: Option<Ride<K, V, E, R>>, inside: Option<Waker>) {
        let Some(waiting) = &self.stay.waiting else { return };
        let _left_over = self.inner.get().with(waiting.hash, |shard| {
            let load = shard.flights.bring(&waiting.seat, load);
            let inside = inside.zip(waiting.seat.began());
            (
                load,
                inside.map(|(waker, number)| {
                    set_inside::<K, V, E, R>(shard.flights.seated(&waiting.seat), number, waker)
                }),
            )
        });
    }

    /// Has the others who wait look for themselves: this caller may not carry on what he was about to.
    pub(crate) fn rouse(&self) {
        let Some(waiting) = &self.stay.waiting else { return };
        let hub = self.inner.get().with(waiting.hash, |shard| shard.flights.seated(&waiting.seat).crowd.hub());
        hub.into_iter().for_each(|(hub, _)| hub.notify_all());
    }

    /// Tells everybody that the load which this caller keeps has panicked.
    pub(crate) fn panicked(&mut self) {
        self.stay.driving = self.stay.waiting.as_ref().and_then(|waiting| waiting.seat.began());
        self.contain_panic();
    }
}

fn set_inside<K: Key, V: Clone, E, R: Runtime>(
    flight: &mut FlightOf<K, V, E, R>,
    number: u32,
    waker: Waker,
) -> Vec<(u32, Waker)> {
    let mut crowd = mem::take(&mut flight.crowd);
    let over = crowd.set_inside(number, waker, |number| flight.is_live(number));
    flight.crowd = crowd;
    over
}
