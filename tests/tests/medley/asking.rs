//! Callers of a medley: the model is told of each poll, and judges the result.

use std::rc::Rc;

use larder::Cache;
use larder_tests::*;

use super::{
    plain::{Call, Options, Told},
    world::World,
};

/// A cache in a medley.
pub(crate) type In<R> = Cache<u32, V, Boom, Spawning<R>>;

type Asked = Pin<Box<dyn Future<Output = Answer>>>;
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A caller that asks for these keys.
pub(crate) struct Asking {
    world: Rc<World>,
    by: usize,
    keys: Vec<u32>,
    future: Asked,
    /// Its ticket goes to the spawner.
    spawns: bool,
    is_over: bool,
}

impl Asking {
    pub(crate) fn new(
        world: &Rc<World>,
        call: Call,
        keys: &[u32],
        future: impl Future<Output = impl Into<Answer>> + 'static,
    ) -> Self {
        let by = world.plain.borrow_mut().comes(call, keys);
        let future = Box::pin(async move { future.await.into() });
        Self { world: Rc::clone(world), by, keys: keys.to_vec(), future, spawns: call.spawns, is_over: false }
    }

    fn judge(&self, answer: &Answer, is_spawned: bool) {
        let answers = match answer {
            Answer::Many(answers) => &answers[..],
            one => core::slice::from_ref(one),
        };
        assert_eq!(answers.len(), self.keys.len(), "as many answers as keys (D59)");
        let told = answers.iter().map(|answer| told(answer, is_spawned));
        let told: Vec<(u32, Told<'_>)> = self.keys.iter().copied().zip(told).collect();
        if !told.is_empty() {
            self.world.plain.borrow_mut().judge(self.by, &told, self.world.now());
        }
    }
}

fn told(answer: &Answer, is_spawned: bool) -> Told<'_> {
    match answer {
        Answer::Outcome(outcome, ticket) => Ok((outcome, is_spawned || ticket.is_some())),
        Answer::Error(error) => Err(error),
        other => panic!("it asked for more than {other}"),
    }
}

impl Future for Asking {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let this = &mut *self;
        // What was spawned before belongs to other callers.
        let others = if this.spawns { tasks(&this.world) } else { Vec::new() };
        this.world.tasks.borrow_mut().extend(others);
        let poll = polled(&this.world, Some(this.by), || this.future.as_mut().poll(context));
        match poll {
            Poll::Pending => {
                this.world.plain.borrow_mut().pends(this.by, this.world.now());
                Poll::Pending
            }
            Poll::Ready(mut answer) => {
                this.is_over = true;
                let is_served =
                    matches!(&answer, Answer::Outcome(outcome, _) if outcome.waited().is_zero() && !outcome.led());
                let spawns = this.spawns && is_served && this.world.plain.borrow().may_have_a_ticket(this.by);
                let ticket = spawns.then(|| this.world.take_last()).flatten();
                this.judge(&answer, ticket.is_some());
                if let Some(future) = ticket {
                    let going = Going { world: Rc::clone(&this.world), by: Some(this.by), future };
                    this.world.tasks.borrow_mut().push(Box::pin(going));
                }
                if let Answer::Outcome(_, ticket @ Some(_)) = &mut answer {
                    let future = ticket.take().expect("it was found");
                    *ticket = Some(Box::pin(Going { world: Rc::clone(&this.world), by: Some(this.by), future }));
                }
                Poll::Ready(answer)
            }
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.is_over {
            self.world.plain.borrow_mut().leaves_off(self.by);
        }
    }
}

/// A ticket, or a task that a spawner was handed.
pub(crate) struct Going {
    pub(crate) world: Rc<World>,
    pub(crate) by: Option<usize>,
    pub(crate) future: Task,
}

impl Future for Going {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let poll = polled(&this.world, this.by, || this.future.as_mut().poll(context));
        if let (Poll::Pending, Some(by)) = (&poll, this.by) {
            this.world.plain.borrow_mut().pends(by, this.world.now());
        }
        poll
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.by.into_iter().for_each(|by| self.world.plain.borrow_mut().leaves_off(by));
    }
}

/// The tasks that a spawner was handed since the last look.
pub(crate) fn tasks(world: &Rc<World>) -> Vec<Task> {
    let unknown = (world.spawned)().into_iter().map(|future| Going { world: Rc::clone(world), by: None, future });
    let known = world.tasks.take();
    known.into_iter().chain(unknown.map(|task| Box::pin(task) as Task)).collect()
}

/// Polls a future of `by`, and looks for changes before and after.
fn polled<T>(world: &World, by: Option<usize>, poll: impl FnOnce() -> T) -> T {
    /// Ends the poll, also if the stack unwinds.
    struct Popped<'a>(&'a World);

    impl Drop for Popped<'_> {
        fn drop(&mut self) {
            self.0.polled.borrow_mut().pop();
        }
    }

    // A poll that has unwound has not looked.
    world.observe();
    let lookups = by.map_or(0, |by| world.plain.borrow_mut().poll_begins(by, world.now()));
    world.lookups.set(world.lookups.get() + lookups);
    world.polled.borrow_mut().push(by);
    let popped = Popped(world);
    let told = poll();
    drop(popped);
    by.into_iter().for_each(|by| world.plain.borrow_mut().may_have_used(by, world.now()));
    world.observe();
    told
}

/// A lookup of one key, by the loader of the cache or by a load that the call brings.
pub(crate) fn lookup<R: Host>(
    world: &Rc<World>,
    cache: &In<R>,
    by_call: bool,
    key: u32,
    options: Options,
    is_inside: bool,
) -> Asking {
    let (cache, loads) = (cache.clone(), Rc::clone(world));
    let call = Call { brings: by_call, ..world.plain.borrow().rules.call(options, false, is_inside) };
    let asks = async move {
        let lookup = cache.lookup(&key).options(options.for_lookup());
        if by_call { lookup.by(move || loads.load_one(key, None)).await } else { lookup.await }
    };
    Asking::new(world, call, &[key], asks)
}
