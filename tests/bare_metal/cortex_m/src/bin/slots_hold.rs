//! Runs the cases of slots: ends the emulator with status 0 if each of them held.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use larder_cortex_m::{board, cases};

#[entry]
fn main() -> ! {
    board::main(|| cases::hold(larder_scenario::of_slots))
}
