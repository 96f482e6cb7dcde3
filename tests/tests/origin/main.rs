//! The scenarios by which pingora-memory-cache 0.9.1 tests itself, in virtual time.
//!
//! Each has the name that it has there. The assertions from there come first, then what is promised here beyond them.

mod get;
mod lock;
mod memory;
mod multi;
mod stale;

use larder_tests::*;

/// A loader that returns the number of its calls: the first takes this long, the others no time.
fn counting(sim: &Sim, first: u64) -> Loads {
    sim.loads_by(move |_, call| if call == 0 { after(first) } else { ready() }.gives(call as u32 + 1))
}
