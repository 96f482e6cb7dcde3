//! Loads that follow scripts, report to the model, and call the cache from inside.

use std::panic::panic_any;

use larder::{Load, Loaded};
use larder_tests::*;

use super::{
    callers::lookup,
    plain::{Call, Ended, Id, Key},
    world::{Boxed, Fault, Val, World},
};

/// A loader of a world.
pub(crate) struct Plays<R: Host>(pub(crate) Weak<World<R>>);

/// One load under way.
pub(crate) struct Playing<R: Host> {
    world: Rc<World<R>>,
    id: Id,
    key: Key,
    wait: Play,
    is_over: bool,
}

impl<R: Host> Load<Key> for Plays<R> {
    type Value = Val;
    type Error = Fault;
    type Future = Playing<R>;

    fn load(&self, key: Key) -> Playing<R> {
        let world = self.0.upgrade().expect("the world outlives its cache");
        world.come(Some(key));
        let id = world.number();
        let caller = world.polled.borrow().last().expect("loads begin while a caller is polled").caller;
        world.model.borrow_mut().begun((caller, key), id, world.time.ms());
        world.live.set(world.live.get() + 1);
        let wait = match world.below(10) {
            0 | 1 => ready(),
            2 => polls(1 + world.below(4) as u32),
            3..7 => after(world.below(60)),
            7 | 8 => steps(1 + world.below(4) as u32, world.below(15)),
            _ => never(),
        };
        Playing { world, id, key, wait: Play::new(wait), is_over: false }
    }
}

impl<R: Host> Playing<R> {
    /// What a load does with the cache while it is polled.
    fn call_from_inside(&self, context: &mut Context<'_>) {
        let (world, depth) = (&self.world, self.world.loading.borrow().len());
        if world.quiet.get() {
            return;
        }
        let what = world.below(12);
        let key = if what == 2 || (what > 2 && world.below(2) == 0) { self.key } else { world.key() };
        if world.is_doubtful(key) {
            return;
        }
        match what {
            0 => world.insert(key),
            1 => world.remove(key),
            2 => world.expire(key),
            3 | 4 if depth == 1 => {
                let mut asks: Boxed = Box::pin(lookup(world.clone(), key, Call::default()));
                let _ = asks.as_mut().poll(context);
            }
            _ => {}
        }
    }
}

impl<R: Host> Future for Playing<R> {
    type Output = Result<Loaded<Val>, Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let world = this.world.clone();
        world.come(Some(this.key));
        let caller = world.polled.borrow().last().expect("loads are polled by a caller").caller;
        world.model.borrow_mut().polls((caller, this.key), this.id, world.time.ms());
        let popped = Popped::push(&world, this.id);
        let unwinding = Unwinding(this);
        unwinding.0.call_from_inside(context);
        core::mem::forget(unwinding);
        let poll = this.wait.poll(&world.time, context);
        if poll.is_pending() {
            return Poll::Pending;
        }
        drop(popped);
        this.is_over = true;
        let now = world.time.ms();
        // If it is unknown which callers wait for it, it ends in the same way for all.
        let how = if world.is_doubtful(this.key) { 7 } else { world.below(8) };
        match how {
            0 => {
                world.model.borrow_mut().ended(this.id, &Ended::Failed, now);
                Poll::Ready(Err(Fault(this.id)))
            }
            1 => {
                world.model.borrow_mut().ended(this.id, &Ended::Panicked, now);
                panic_any(Bang(this.id))
            }
            _ => {
                let (value, (ttl, length)) = (world.number(), world.ttl());
                world.model.borrow_mut().ended(this.id, &Ended::Value(value, length), now);
                Poll::Ready(Ok(Loaded::new(world.value(value)).ttl(ttl)))
            }
        }
    }
}

impl<R: Host> Drop for Playing<R> {
    fn drop(&mut self) {
        self.world.live.set(self.world.live.get() - 1);
        if !self.is_over {
            let polled = self.world.polled.borrow().last().map(|polled| polled.caller);
            self.world.model.borrow_mut().dropped(self.id, polled, self.world.time.ms());
        }
    }
}

/// A load that has called the cache. If the stack unwinds, it panics as well.
struct Unwinding<'a, R: Host>(&'a mut Playing<R>);

impl<R: Host> Drop for Unwinding<'_, R> {
    fn drop(&mut self) {
        let Playing { world, id, is_over, .. } = &mut *self.0;
        *is_over = true;
        world.model.borrow_mut().ended(*id, &Ended::Panicked, world.time.ms());
    }
}

/// A load that is being polled.
struct Popped<'a, R: Host>(&'a World<R>);

impl<'a, R: Host> Popped<'a, R> {
    fn push(world: &'a World<R>, load: Id) -> Self {
        world.loading.borrow_mut().push(load);
        Self(world)
    }
}

impl<R: Host> Drop for Popped<'_, R> {
    fn drop(&mut self) {
        self.0.loading.borrow_mut().pop();
    }
}
