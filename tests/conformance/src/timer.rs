//! Tests of the runtime's own clock and timer.

use core::time::Duration;

use larder::{Instant, Timer};

use super::{LATE, SOON, Stage, Subject};
use crate::wakers::poll_once;

/// The clock advances. A sleep ends at its deadline or later: at once if the deadline has passed, and never if it is
/// the last instant.
pub async fn a_sleep_ends_at_its_deadline<E: Subject>(stage: Stage<E>) {
    let begun = stage.now();
    assert!(poll_once(&mut stage.runtime.sleep_until(begun)).is_ready());
    assert!(poll_once(&mut stage.runtime.sleep_until(Instant::ZERO)).is_ready());
    assert!(poll_once(&mut stage.runtime.sleep_until(begun.saturating_add(LATE))).is_pending());
    assert!(poll_once(&mut stage.runtime.sleep_until(Instant::NEVER)).is_pending());
    let deadline = begun.saturating_add(SOON);
    let mut sleep = stage.runtime.sleep_until(deadline);
    let _ = poll_once(&mut sleep); // polled with another waker: only the last one is woken
    sleep.await;
    assert!(stage.now() >= deadline);
    // If the clock lags behind the timer, this shows only now and then.
    for nanos in (1..=30).map(|n| n * 77_777) {
        let deadline = stage.now().saturating_add(Duration::from_nanos(nanos));
        stage.runtime.sleep_until(deadline).await;
        assert!(stage.now() >= deadline, "{nanos} ns");
    }
}
