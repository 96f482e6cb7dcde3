//! No cache: three tasks that fetch for themselves.
#![no_std]
#![no_main]

use core::cell::Cell;

use cortex_m_rt::entry;
use larder_cortex_m::{
    board::{self, run},
    fetch,
};
use larder_scenario::tasks::Task;

#[entry]
fn main() -> ! {
    board::main(program)
}

fn program() -> bool {
    let (loads, sum) = (&Cell::new(0), &Cell::new(0));
    let one = || async move {
        if let Ok(value) = fetch(7, loads).await {
            sum.set(sum.get() + value);
        }
    };
    run(&mut [Task::new(one()), Task::new(one()), Task::new(one())]);
    sum.get() == 42 && loads.get() == 3
}
