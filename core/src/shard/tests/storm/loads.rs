//! Loads, and what is done once the lock is released.

use super::*;

impl World {
    pub(super) fn begin_task(&mut self) -> u32 {
        self.tasks.push(Task {
            begun: self.writes.clone(),
            ready: None,
            waker: None,
            is_gone: false,
            is_private: false,
        });
        self.tasks.len() as u32 - 1
    }

    pub(super) fn drop_task(&mut self, task: u32) {
        let task = &mut self.tasks[task as usize];
        assert!(!core::mem::replace(&mut task.is_gone, true), "seed {}: dropped twice", self.seed);
        task.waker = None;
    }

    /// Polls a load; a load that has answered is gone.
    pub(super) fn poll_task(&mut self, task: u32, waker: &Waker) -> Option<Answer> {
        let (is_ready_at_once, wakes_itself) = (self.chance(12), self.chance(6));
        let task = &mut self.tasks[task as usize];
        assert!(!task.is_gone, "seed {}: what is polled is there", self.seed);
        if is_ready_at_once && task.ready.is_none() {
            task.ready = Some(Ok(Ttl::Inherit));
        }
        if task.ready.is_some() {
            (task.waker, task.is_gone) = (None, true);
            return task.ready.take();
        }
        if wakes_itself {
            waker.wake_by_ref();
        }
        task.waker = Some(waker.clone());
        None
    }

    /// The answer of a load for this key.
    pub(super) fn news(&self, task: u32, key: u32, ttl: Ttl) -> News<u32> {
        News::new(Loaded::new(value_of(task, key)).ttl(ttl), Judgement::default())
    }

    pub(super) fn make_ready(&mut self, task: usize) {
        let answer = match self.random.below(10) {
            0..3 => Err(Cause::Error(Arc::new("down"))),
            3 => Err(Cause::Panicked),
            4 => Ok(Ttl::NotStored),
            5 => Ok(Ttl::private(nanos(self.random.below(30)))),
            _ => Ok(Ttl::Inherit),
        };
        let task = &mut self.tasks[task];
        if task.ready.is_none() && !task.is_gone {
            task.is_private = matches!(answer, Ok(Ttl::Private(_)));
            task.ready = Some(answer);
            if let Some(waker) = task.waker.take() {
                waker.wake();
            }
        }
    }

    /// Does what a step has left to do; the caller's result and a handed load stay.
    pub(super) fn run_effects(&mut self, effects: &mut Left) {
        if effects.is_quiet() {
            return;
        }
        assert!(effects.load.is_none(), "seed {}: a load that was handed out is lost", self.seed);
        let told = effects.told.take();
        let handed = effects.take_handed();
        let mut done = core::mem::take(effects);
        effects.told = told;
        if handed.is_some() {
            effects.rest().handed = handed;
        }
        self.meanwhile();
        let woken = core::mem::replace(&mut done.woken, Woken::Nobody);
        for woken in core::iter::once(woken).chain(done.take_woken()) {
            woken.wake();
        }
        self.meanwhile();
        for batch in done.take_idle_batches() {
            self.end_idle(&batch);
        }
        for task in core::mem::take(&mut done.rest().loads) {
            self.drop_task(task);
        }
    }

    /// The same at the end of a call; no caller is left to hand anything over.
    pub(super) fn end_effects(&mut self, mut effects: Left) {
        if let Some((_, mut seat)) = effects.take_handed() {
            self.shard.give_up(&mut seat, &mut effects);
        }
        effects.told = None;
        self.run_effects(&mut effects);
    }
}
