//! Those who wait for one flight, and the waker that wakes them all.

use alloc::{sync::Arc, task::Wake, vec::Vec};
use core::{
    sync::atomic::{AtomicUsize, Ordering},
    task::Waker,
};

use crate::Notify;

/// How the callers of one flight are woken.
///
/// While there is one caller, his load is polled with his own waker, and nothing is allocated for waking. With the second
/// one comes a hub: from then on loads are polled with its waker, which wakes all who are registered, so that whoever of
/// them is not parked carries the load on.
pub(crate) struct Crowd<N: Notify> {
    /// What the only caller was last polled with.
    alone: Option<Waker>,
    hub: Option<(Arc<Hub<N>>, Waker)>,
    /// The registration of the caller who was alone, until he is polled again.
    first: Option<N::Listener>,
    /// What the load of an attempt is polled with that answers other keys as well: who asks with it, asks from inside.
    inside: Option<(u32, Waker)>,
    /// The same of attempts that were overtaken.
    overtaken: Vec<(u32, Waker)>,
}

/// What wakes a whole crowd.
pub(crate) struct Hub<N> {
    /// Counts the wakes of loads, so that whoever polls one sees whether it was woken meanwhile.
    wakes: AtomicUsize,
    notify: N,
}

/// One caller's registration in a crowd.
pub(crate) struct Registration<N: Notify> {
    listener: N::Listener,
    /// Whether he came while nobody else was there.
    was_alone: bool,
}

impl<N: Notify> Wake for Hub<N> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_all();
    }
}

impl<N> Hub<N> {
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }
}

impl<N: Notify> Hub<N> {
    /// Makes a hub and the waker that wakes it.
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let hub = Arc::new(Self { wakes: AtomicUsize::new(0), notify: N::default() });
        (Arc::clone(&hub), Waker::from(hub))
    }

    pub(crate) fn notify_all(&self) {
        self.notify.notify_all();
    }

    /// Sees to it that `waker` is woken with the others; returns what it displaces.
    pub(crate) fn listen(&self, listener: &mut N::Listener, waker: &Waker) -> Option<Waker> {
        self.notify.listen(listener, waker)
    }

    /// Ends the listening; returns the waker that is no longer needed.
    pub(crate) fn withdraw(&self, listener: &mut N::Listener) -> Option<Waker> {
        self.notify.withdraw(listener)
    }
}

impl<N: Notify> Default for Crowd<N> {
    fn default() -> Self {
        Self { alone: None, hub: None, first: None, inside: None, overtaken: Vec::new() }
    }
}

impl<N: Notify> Default for Registration<N> {
    fn default() -> Self {
        Self { listener: N::Listener::default(), was_alone: false }
    }
}

impl<N: Notify> Crowd<N> {
    /// Tells whether loads have to be polled with the hub's waker.
    pub(crate) const fn is_shared(&self) -> bool {
        self.hub.is_some()
    }

    pub(crate) fn hub(&self) -> Option<(Arc<Hub<N>>, Waker)> {
        self.hub.clone()
    }

    /// Returns what wakes all who are registered.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.hub.as_ref().map(|(_, waker)| waker).or(self.alone.as_ref()).cloned()
    }

    /// Sees to it that `waker` is woken with the others; returns what it displaces.
    pub(crate) fn register(&mut self, mine: &mut Registration<N>, seats: u32, waker: &Waker) -> Option<Waker> {
        if seats == 1 && self.hub.is_none() {
            mine.was_alone = true;
            if self.alone.as_ref().is_some_and(|alone| alone.will_wake(waker)) {
                return None;
            }
            return self.alone.replace(waker.clone());
        }
        let (hub, _) = self.hub.get_or_insert_with(Hub::new);
        let alone = self.alone.take();
        if let Some(alone) = &alone {
            // The one who was alone is asleep; forget him here, and he would never wake.
            let _new = hub.notify.listen(self.first.insert(N::Listener::default()), alone);
        }
        if core::mem::take(&mut mine.was_alone) {
            mine.listener = self.first.take().unwrap_or_default();
        }
        let displaced = hub.notify.listen(&mut mine.listener, waker);
        alone.or(displaced)
    }

    /// Ends a registration; returns the waker that is no longer needed.
    pub(crate) fn withdraw(&mut self, mut mine: Registration<N>) -> Option<Waker> {
        let Some((hub, _)) = &self.hub else {
            return if mine.was_alone { self.alone.take() } else { None };
        };
        if mine.was_alone {
            mine.listener = self.first.take().unwrap_or_default();
        }
        hub.notify.withdraw(&mut mine.listener)
    }

    /// Tells whether this is the waker of all.
    pub(crate) fn is_hub(&self, waker: &Waker) -> bool {
        self.hub.as_ref().is_some_and(|(_, hub)| hub.will_wake(waker))
    }

    /// Notes what the load of many keys is polled with that answers this one, too, as attempt `number`; returns those of
    /// attempts that are over.
    pub(crate) fn set_inside(&mut self, number: u32, waker: Waker, is_live: impl Fn(u32) -> bool) -> Vec<(u32, Waker)> {
        self.overtaken.extend(self.inside.replace((number, waker)));
        let (live, over) = core::mem::take(&mut self.overtaken).into_iter().partition(|(number, _)| is_live(*number));
        self.overtaken = live;
        over
    }

    /// Tells whether only a load of many keys that answers this one is polled with this waker.
    pub(crate) fn is_inside(&self, waker: &Waker) -> bool {
        self.inside.iter().chain(&self.overtaken).any(|(_, inside)| inside.will_wake(waker))
    }

    /// Wakes all who are registered.
    pub(crate) fn notify_all(self) {
        match (self.hub, self.alone) {
            (Some((hub, _)), _) => hub.notify_all(),
            (None, Some(alone)) => alone.wake(),
            (None, None) => {}
        }
    }
}
