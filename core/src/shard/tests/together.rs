//! A load of many keys that counts how many of them are waited for, and can be closed.

use alloc::{rc::Rc, sync::Arc};
use core::{cell::Cell, task::Waker};

use super::Bell;
use crate::{
    flight::{PolledBy, Registration, SharedWaker, Woken},
    shard::SharedLoad,
};

/// A load of many keys; the clones are the same load.
#[derive(Clone)]
pub(crate) struct Together {
    shared: Arc<SharedWaker<Bell>>,
    awaited: Rc<Cell<Option<u32>>>,
}

impl Together {
    /// A load for no key yet.
    pub(crate) fn new() -> Self {
        Self { shared: SharedWaker::new(), awaited: Rc::new(Cell::new(Some(0))) }
    }

    /// How many keys are waited for; none if the load is being dropped.
    pub(crate) fn awaited(&self) -> Option<u32> {
        self.awaited.get()
    }

    /// Begins to drop the load if no caller waits for it; false if one does.
    pub(crate) fn close(&self) -> bool {
        let is_idle = self.awaited.get() == Some(0);
        if is_idle {
            self.awaited.set(None);
        }
        is_idle
    }

    /// The waker that the load is polled with.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.shared))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.awaited, &other.awaited)
    }

    /// How often the load was woken.
    pub(crate) fn wakes(&self) -> usize {
        self.shared.wakes()
    }

    /// Everything that listens.
    pub(crate) fn everybody(&self) -> Woken<Bell> {
        Woken::All(Arc::clone(&self.shared))
    }
}

impl SharedLoad for Together {
    type Notify = Bell;

    fn polled_by(&self) -> PolledBy {
        PolledBy::here(&self.waker())
    }

    fn await_key(&self) -> bool {
        self.awaited.set(self.awaited.get().map(|awaited| awaited + 1));
        self.awaited.get().is_some()
    }

    fn leave_key(&self) -> bool {
        let left = self.awaited.get().expect("no caller waits for a load that is being dropped") - 1;
        self.awaited.set(Some(left));
        left == 0
    }

    fn is_last(&self) -> bool {
        self.awaited.get() == Some(1)
    }

    fn listen(&self, mine: &mut Registration<Bell>, waker: &Waker) -> Option<Waker> {
        self.shared.listen(mine, waker)
    }

    fn withdraw(&self, mine: &mut Registration<Bell>) -> Option<Waker> {
        self.shared.withdraw(mine)
    }
}
