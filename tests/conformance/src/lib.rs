//! The conformance suite: one set of tests of what a cache promises, for any runtime. (C85)
//!
//! To test an adapter, implement [`Executor`] for a type and let [`suite!`](crate::suite!) generate the tests:
//!
//! ```
//! use larder_conformance::Executor;
//! use std::{future::Future, sync::Arc};
//! use larder_tokio::Tokio;
//!
//! struct CurrentThread;
//!
//! impl Executor for CurrentThread {
//!     type Runtime = Tokio;
//!     type Value = Arc<u32>;
//!
//!     fn run<F: Future<Output = ()>>(check: impl FnOnce(Tokio) -> F) {
//!         let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
//!         runtime.block_on(async { check(Tokio::new()).await });
//!     }
//! }
//!
//! larder_conformance::suite!(CurrentThread);
//! ```
//!
//! Time may be virtual or real: a check waits until something has happened or until a point in time, and never measures
//! how long it took. Callers are tasks of the runtime under test, spawned by its own [`Spawn`], and time passes by its
//! own timer.

extern crate alloc;

mod adapter;
mod answer;
mod bang;
mod batches;
mod books;
mod caller;
mod calls;
mod deadlines;
mod direct;
mod disk;
mod failures;
mod here;
mod leaving;
mod lifetimes;
mod loads;
mod parts;
mod sharing;
mod slot;
mod stage;
mod timer;
pub mod wakers;
mod write_back;
mod writes;

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use futures_lite::future::or;
pub use larder::Spawn;

pub use adapter::{
    Abandonment, Adapter, Asking, AskingMany, Batched, Cached, Ear, Executor, Renewal, Setup, Subject, Value,
};
pub use answer::{Answer, Boom, V, why};
pub use bang::{Bang, quiet_bangs};
pub use batches::*;
pub use books::{assert_clean, assert_sums};
pub use caller::{Caller, Seat};
pub use calls::*;
pub use deadlines::*;
pub use direct::*;
pub use failures::*;
pub use here::Here;
pub use leaving::*;
pub use lifetimes::*;
pub use loads::{End, Loading, LoadingMany, Loads, Plain, PlainMany};
pub use parts::*;
pub use sharing::*;
pub use slot::*;
pub use stage::Stage;
pub use timer::*;
pub use write_back::*;
pub use writes::*;

/// A short time that does pass, virtual or real.
pub const SOON: Duration = Duration::from_millis(10);

/// A time that never passes within a test.
pub const LATE: Duration = Duration::from_secs(3600);

/// A check that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a check of `E` runs on.
pub type StageOf<E> = Stage<(<E as Executor>::Runtime, <E as Executor>::Value)>;

/// A check as a future whose type is erased: an executor is compiled once, and not for each check.
type Check<E> = Box<dyn FnOnce(StageOf<E>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Runs one check on `E`, and fails if it does not end.
pub fn run<E: Executor, F: Future<Output = ()> + 'static>(check: impl FnOnce(StageOf<E>) -> F + Send + 'static) {
    run_erased::<E>(Box::new(|stage| Box::pin(check(stage))));
}

fn run_erased<E: Executor>(check: Check<E>) {
    quiet_bangs();
    let (ends, ended) = mpsc::channel::<()>();
    let thread = thread::spawn(|| {
        let _ends = ends; // dropped however the thread ends
        E::run(|runtime| {
            let stage = Stage::new(runtime);
            let patience = stage.pass(PATIENCE);
            let check = check(stage);
            or(check, async {
                patience.await;
                panic!("the check does not end: a task waits forever");
            })
        });
    });
    // This limit does not rely on the runtime's own timer.
    assert_ne!(
        ended.recv_timeout(2 * PATIENCE),
        Err(RecvTimeoutError::Timeout),
        "the check does not end, and the runtime's timer does not fire"
    );
    thread.join().unwrap_or_else(|panic| resume_unwind(panic));
}

/// Makes one test for each check of the suite, on one [`Executor`](crate::Executor).
#[macro_export]
macro_rules! suite {
    ($executor:ty) => {
        $crate::suite!($executor:
            a_sleep_ends_at_its_deadline
            listeners_are_woken_in_order
            wakers_may_do_anything
            a_lock_stays_usable
            many_tasks_share_one_load
            a_load_is_found_ready_by_who_comes
            a_failure_is_shared
            a_panic_is_contained
            the_first_leaves_and_the_load_goes_on
            the_last_leaves_and_the_load_is_dropped
            an_abandoned_load_is_finished
            who_is_not_polled_holds_nobody_back
            a_hanging_load_is_taken_over
            a_timeout_fails
            a_timeout_loads
            a_timeout_loads_alone
            a_timeout_takes_the_stale_value
            a_load_keeps_to_its_budget
            a_value_expires
            a_stale_value_comes_with_its_refresh
            a_claimed_refresh_is_looked_after
            a_refresh_is_polled_before_it_is_spawned
            a_refresh_is_spawned
            listeners_hear_why_values_leave
            an_insert_ends_the_waits
            a_removal_is_not_undone
            a_load_belongs_to_the_epoch_it_begins_in
            overlapping_batches_load_each_key_once
            a_batch_is_found_ready_by_who_comes
            a_failed_batch_is_the_failure_of_each_key
            a_batch_goes_on_for_all_its_keys
            a_batch_is_of_one_instant
            a_batch_is_stored_before_anybody_is_woken
            a_call_begins_as_many_loads_as_it_takes
            changes_are_written_behind
            room_is_made_by_writing
            what_is_not_written_stays_dirty
            caches_are_written_in_order
            pages_leave
            a_call_brings_its_load
            a_call_lends_its_load
            a_call_brings_a_load_of_many
            values_come_and_go_by_hand
            a_value_is_refused_by_many
            a_fresh_value_is_loaded_anew
            a_clearance_is_not_undone
            a_host_sweeps
            a_failure_is_kept_for_a_time
            a_failure_is_softened_by_the_stale_value
            a_value_is_found_still_good
            an_idle_value_expires
            a_value_is_refreshed_early
            a_slots_first_fetch_is_shared
            a_slots_first_failure_is_shared
            a_slots_first_panic_is_contained
            a_slots_first_fetch_outlives_its_caller
            a_slots_abandoned_fetch_is_finished
            a_slots_first_fetch_takes_too_long_for_one
            a_slots_fetch_keeps_to_its_budget
            a_slots_hanging_fetch_is_taken_over
            a_slots_stale_value_is_served_at_once
            a_slots_refresher_is_dropped
            a_slots_failed_refresh_keeps_the_value
            a_slots_failed_refresh_is_retried
            a_slots_value_is_too_old
            a_slots_refresh_takes_too_long_for_one
            a_slot_is_refreshed_ahead
            a_slots_refresh_is_a_ticket
            a_slots_refresh_ahead_fails
            a_slot_is_refreshed_ahead_inline
            a_slot_is_set_during_its_first_fetch
            a_slot_is_invalidated_during_its_first_fetch
            a_slots_value_is_refused_by_many
            a_slots_value_expires_at_once
            a_slots_calls_bring_their_fetches
            a_slots_fetch_asks_its_slot
            a_slot_is_watched
        );

        /// C85: a_slot_is_kept_fresh.
        #[test]
        fn a_slot_is_kept_fresh() {
            $crate::run::<$executor, _>(|stage| {
                $crate::a_slot_is_kept_fresh(stage, |slot, counts| {
                    let task = slot.keep_fresh();
                    let count = move || counts.fetch_add(1, ::core::sync::atomic::Ordering::SeqCst);
                    let counted = async move {
                        count();
                        task.await;
                        count();
                    };
                    $crate::Spawn::spawn(slot.runtime(), counted).is_ok()
                })
            });
        }
    };
    ($executor:ty: $($check:ident)*) => {$(
        #[doc = concat!("C85: ", stringify!($check), ".")]
        #[test]
        fn $check() {
            $crate::run::<$executor, _>($crate::$check);
        }
    )*};
}
