//! A listener is told of every value that leaves, once, with its cause.

mod causes;
mod random;

use larder::{Cache, RemovalCause};
use larder_tests::*;

pub(crate) type Event = (u32, u32, RemovalCause);

/// What a listener was told, oldest first.
#[derive(Clone, Default)]
pub(crate) struct Events(pub(crate) Rc<RefCell<Vec<Event>>>);

impl Events {
    pub(crate) fn listener(&self) -> impl Fn(&u32, &V, RemovalCause) + use<> {
        let events = self.clone();
        move |key, value, cause| events.0.borrow_mut().push((*key, **value, cause))
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        self.0.take()
    }
}

pub(crate) type Heard<R> = Cache<u32, V, Boom, R>;

/// A cache whose listener is `heard`.
pub(crate) fn cache<R: Host>(
    sim: &Sim,
    loads: &Loads,
    setup: impl FnOnce(Setup<R>) -> Setup<R>,
    heard: impl Fn(&u32, &V, RemovalCause) + 'static,
) -> Heard<R> {
    setup(Cache::builder(R::on(sim.clock())).loader(loads.clone())).listener(heard).build().expect("valid")
}

pub(crate) fn get<R: Host>(sim: &mut Sim, cache: &Heard<R>, key: u32) -> usize {
    let cache = cache.clone();
    sim.call(async move { cache.lookup(&key).await })
}
