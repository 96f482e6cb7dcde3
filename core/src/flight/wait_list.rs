//! The callers that wait for a flight, and how they are woken.

use core::{mem, task::Waker};

use crate::{
    Notify,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        wakes,
    },
};

/// The waiters of one flight: one waker while there is one, the flight's own waker from the second on.
///
/// A lone waiter polls the load with its own waker and nothing is allocated. As soon as a second one comes, the load is
/// polled with a waker that wakes all waiters: there is no way to know which of them will not be polled any more.
pub(crate) struct WaitList<N: Notify> {
    lone: Option<Waker>,
    shared: Option<Arc<SharedWaker<N>>>,
    /// The listener of the waiter that was alone, until it comes again.
    first: Option<N::Listener>,
    /// How often the shared waker had been woken at the last look.
    seen: usize,
}

/// A flight's own waker: wakes all waiters, and counts.
pub(crate) struct SharedWaker<N> {
    wakes: AtomicUsize,
    notify: N,
}

/// A waiter's place in a list.
pub(crate) struct Registration<N: Notify> {
    listener: N::Listener,
    was_alone: bool,
    /// How often the shared waker had been woken when this waiter looked last; cut to 32 bits, because there are many
    /// of these.
    seen: Option<u32>,
}

/// What a waiter finds when it is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    /// The shared waker is new: loads do not know it yet.
    pub(crate) is_new: bool,
    /// No load has woken a waiter since this one looked last: it was polled for another reason.
    pub(crate) is_unwoken: bool,
}

/// What has to be woken once the lock is released.
pub(crate) enum Woken<N> {
    Nobody,
    Lone(Waker),
    All(Arc<SharedWaker<N>>),
}

wakes!([N: Notify] SharedWaker<N>);

impl<N: Notify> SharedWaker<N> {
    /// A load wakes it.
    fn woken(&self) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_all();
    }

    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { wakes: AtomicUsize::new(0), notify: N::default() })
    }

    /// How often a load has woken it.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }

    /// Wakes all waiters, but not as a load does.
    pub(crate) fn notify_all(&self) {
        self.notify.notify_all();
    }

    /// Notes a waiter; returns a waker that is not needed any more.
    pub(crate) fn listen(&self, mine: &mut Registration<N>, waker: &Waker) -> Option<Waker> {
        self.notify.listen(&mut mine.listener, waker)
    }

    /// Forgets a waiter.
    pub(crate) fn withdraw(&self, mine: &mut Registration<N>) -> Option<Waker> {
        self.notify.withdraw(&mut mine.listener)
    }
}

impl<N: Notify> Default for WaitList<N> {
    fn default() -> Self {
        Self { lone: None, shared: None, first: None, seen: 0 }
    }
}

impl<N: Notify> Default for Registration<N> {
    fn default() -> Self {
        Self { listener: N::Listener::default(), was_alone: false, seen: None }
    }
}

impl<N: Notify> Woken<N> {
    /// Wakes them, in order of arrival.
    pub(crate) fn wake(self) {
        match self {
            Self::Nobody => {}
            Self::Lone(waker) => waker.wake(),
            Self::All(shared) => shared.notify_all(),
        }
    }
}

impl<N: Notify> WaitList<N> {
    pub(crate) const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// What a load with several waiters is polled with.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.shared.as_ref().map(|shared| Waker::from(Arc::clone(shared)))
    }

    /// What wakes the waiters: the waker of all, or that of the lone waiter.
    pub(crate) fn lone_waker(&self) -> Option<Waker> {
        self.waker().or_else(|| self.lone.clone())
    }

    /// Forgets the lone waiter.
    pub(crate) const fn take_lone(&mut self) -> Option<Waker> {
        self.lone.take()
    }

    /// Has a load been woken since the last look, not counting this one?
    pub(crate) fn is_woken(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.wakes() != self.seen)
    }

    /// Has a load been woken since the last look?
    pub(crate) fn take_wakes(&mut self) -> bool {
        self.shared.as_ref().is_some_and(|shared| {
            let wakes = shared.wakes();
            mem::replace(&mut self.seen, wakes) != wakes
        })
    }

    /// Makes the shared waker if there is none; true if it is new. A waker that is not needed any more goes to `old`.
    pub(crate) fn need_shared(&mut self, old: &mut Option<Waker>) -> bool {
        if self.shared.is_some() {
            return false;
        }
        let shared = SharedWaker::<N>::new();
        self.seen = shared.wakes();
        if let Some(lone) = self.lone.take() {
            // It is asleep; forgotten here, it would never wake.
            let _new = shared.notify.listen(self.first.insert(N::Listener::default()), &lone);
            *old = Some(lone);
        }
        self.shared = Some(shared);
        true
    }

    /// Notes a waiter, one of `seats`; a waker that is not needed any more goes to `old`.
    pub(crate) fn register(
        &mut self,
        mine: &mut Registration<N>,
        seats: u32,
        waker: &Waker,
        old: &mut Option<Waker>,
    ) -> Noted {
        if seats == 1 && self.shared.is_none() {
            mine.was_alone = true;
            if !self.lone.as_ref().is_some_and(|lone| lone.will_wake(waker)) {
                *old = self.lone.replace(waker.clone());
            }
            return Noted { is_new: false, is_unwoken: true };
        }
        let is_new = self.need_shared(old);
        if mem::take(&mut mine.was_alone) {
            // (The shared waker was made since.)
            (mine.listener, mine.seen) = (self.first.take().unwrap_or_default(), Some(0));
        }
        let mut is_unwoken = false;
        if let Some(shared) = &self.shared {
            let wakes = shared.wakes() as u32;
            is_unwoken = mine.seen.replace(wakes) == Some(wakes);
            let displaced = shared.notify.listen(&mut mine.listener, waker);
            // (At most a clone of the one that is in `old` already.)
            *old = old.take().or(displaced);
        }
        Noted { is_new, is_unwoken }
    }

    /// Forgets a waiter; returns its waker.
    pub(crate) fn withdraw(&mut self, mine: &mut Registration<N>) -> Option<Waker> {
        let was_alone = mem::take(&mut mine.was_alone);
        let Some(shared) = &self.shared else {
            return if was_alone { self.lone.take() } else { None };
        };
        if was_alone {
            mine.listener = self.first.take().unwrap_or_default();
        }
        shared.notify.withdraw(&mut mine.listener)
    }

    /// All waiters have to look; they stay on the list.
    pub(crate) fn all(&self) -> Woken<N> {
        match (&self.shared, &self.lone) {
            (Some(shared), _) => Woken::All(Arc::clone(shared)),
            (None, Some(lone)) => Woken::Lone(lone.clone()),
            (None, None) => Woken::Nobody,
        }
    }

    /// All waiters have to look, for the last time.
    pub(crate) fn take(&mut self) -> Woken<N> {
        self.first = None;
        match (self.shared.take(), self.lone.take()) {
            (Some(shared), _) => Woken::All(shared),
            (None, Some(lone)) => Woken::Lone(lone),
            (None, None) => Woken::Nobody,
        }
    }
}
