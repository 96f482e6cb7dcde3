//! One cache: three tasks share a load, another hits, and after its lifetime a value is loaded anew.

use alloc::rc::Rc;
use core::cell::Cell;

use larder::{Cache, ConfigError, Runtime};

use crate::{
    TTL,
    board::{self, run},
    fetch, outlast,
};
use larder_scenario::tasks::Task;

/// Tells whether it holds.
pub fn program() -> bool {
    let loads = Rc::new(Cell::new(0));
    cache(&loads).is_ok_and(|cache| holds(&cache, &loads))
}

fn cache(loads: &Rc<Cell<u32>>) -> Result<Cache<u32, u32, (), impl Runtime + use<>>, ConfigError> {
    let counted = Rc::clone(loads);
    Cache::builder(board::runtime())
        .capacity(16)
        .hash_seed(7)
        .ttl(TTL)
        .load_fn(move |key: u32| {
            let loads = Rc::clone(&counted);
            async move { fetch(key, &loads).await }
        })
        .build()
}

fn holds<R: Runtime>(cache: &Cache<u32, u32, (), R>, loads: &Cell<u32>) -> bool {
    let sum = &Cell::new(0);
    let one = || async move {
        if let Ok(value) = cache.get(&7).await {
            sum.set(sum.get() + value);
        }
    };
    run(&mut [Task::new(one()), Task::new(one()), Task::new(one())]);
    let is_shared = sum.get() == 42 && loads.get() == 1;
    run(&mut [Task::new(one())]);
    let has_hit = sum.get() == 56 && loads.get() == 1;
    outlast();
    run(&mut [Task::new(one())]);
    is_shared && has_hit && sum.get() == 70 && loads.get() == 2
}
