//! What a write-back cache holds: states, pins, the order of use, the order of changes, and which cache is flushed
//! first.
//!
//! Pure; nothing here locks, waits or wakes. An entry's [`State`]:
//!
//! | event | clean | dirty | flushing | changed while flushed |
//! |---|---|---|---|---|
//! | change | dirty, last in order | dirty | changed while flushed | the same |
//! | a flush begins | - | flushing: its content is fixed | - | - |
//! | it succeeds | - | - | clean | dirty, in order by the change |
//! | it fails, panics or is dropped | - | - | dirty, in its old place | dirty, in its old place |
//! | room is needed, unpinned | leaves | is flushed first | stays | stays |
//! | `remove`, unpinned | leaves | is flushed first | waits for the flush | waits for the flush |
//! | `insert`, unpinned | dirty | dirty | changed while flushed | the same |
//! | `invalidate`, none pinned | leaves | leaves unwritten | waits for the flush | waits for the flush |
//!
//! A pinned entry never leaves. The order of use is a linked [list](crate::store::policy::list) as in the policies,
//! over entries that keep their places, so finding a victim costs the same however many there are.

mod entry;
mod flush;
mod graph;
mod health;
mod leaving;
mod ledger;
mod lookup;
mod places;
mod plan;
mod room;
mod stand;
mod state;

pub(crate) use entry::Entry;
pub(crate) use graph::{Edges, Kind, Need, way};
pub(crate) use health::{Delays, Victim};
pub(crate) use ledger::{Ledger, Origin, Placed, Spoken};
pub(crate) use lookup::{LookupStep, Standing};
pub(crate) use plan::Plan;
pub(crate) use room::{Grant, Ticket};
pub(crate) use state::{Change, State};
