//! What a call of many keys does for a caller of one of them who leads.

use core::{hash::BuildHasher, task::Waker};

use crate::{
    Key, Runtime, Source,
    cache::{
        crowd::Crowd,
        inner::{Handle, Inner},
        ride::Ride,
        waiter::Waiter,
    },
    policy::Policy,
};

impl<K: Key, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher, I> Waiter<K, L, R, P, H, I>
where
    I: Handle<Inner<K, L, R, P, H>>,
{
    /// Has the load that this caller leads rest in the flight, or be asked for by whoever drives first.
    ///
    /// `inside` is what a load is polled with that answers other keys as well.
    pub(crate) fn bring(&mut self, load: Option<Ride<K, L, R>>, inside: Option<Waker>) {
        let Some(waiting) = &self.stay.waiting else { return };
        let _left_over = self.inner.get().with(waiting.hash, |shard| {
            let load = shard.flights.bring(&waiting.seat, load);
            let crowd = &mut shard.flights.seated(&waiting.seat).crowd;
            (load, inside.and_then(|waker| crowd.set_inside(waker)))
        });
    }

    /// Has the others who wait look for themselves: this caller may not carry on what he was about to.
    pub(crate) fn rouse(&self) {
        let Some(waiting) = &self.stay.waiting else { return };
        let hub = self.inner.get().with(waiting.hash, |shard| shard.flights.seated(&waiting.seat).crowd.hub());
        hub.into_iter().for_each(|(hub, _)| hub.notify_all());
    }

    /// Notes what a load is polled with that this caller keeps and that answers other keys as well.
    pub(crate) fn set_inside(&mut self, waker: Waker) {
        let Some(waiting) = &self.stay.waiting else { return };
        let set = |crowd: &mut Crowd<R::Notify>| crowd.set_inside(waker);
        let _displaced =
            self.inner.get().with(waiting.hash, |shard| set(&mut shard.flights.seated(&waiting.seat).crowd));
    }

    /// Tells everybody that the load which this caller keeps has panicked.
    pub(crate) fn panicked(&mut self) {
        self.stay.driving = self.stay.waiting.as_ref().and_then(|waiting| waiting.seat.began());
        self.contain_panic();
    }
}
