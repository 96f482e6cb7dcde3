#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::time::Duration;

use super::{Found, Life, State, Step, step};

const POLL: Duration = Duration::from_millis(200);

fn found(state: &[u8], left: i64, lease: i64, kind: &[u8], payload: &[u8]) -> Found {
    Found::read((state.into(), left, 7, lease, kind.into(), payload.into(), b"e".to_vec(), 3, 9)).unwrap()
}

fn read(bytes: &[u8]) -> Option<u32> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

#[test]
fn each_state_has_its_step() {
    let next = |state: &[u8], payload: &[u8]| step(&found(state, 50, 90, b"v", payload), read, POLL, 0.5);
    assert_eq!(next(b"F", b"7"), Step::Serve(7));
    assert_eq!(next(b"S", b"7"), Step::ServeStale(7));
    assert_eq!(next(b"R", b"7"), Step::Lead(Some(7)));
    assert_eq!(next(b"L", b""), Step::Lead(None));
    assert_eq!(next(b"C", b""), Step::Fail(Duration::from_millis(90)));
    assert_eq!(next(b"W", b""), Step::Wait(Duration::from_millis(90)));
}

#[test]
fn t9_what_cannot_be_read_is_looked_for_again_as_if_it_were_not_there() {
    for state in [b"F", b"S"] {
        assert_eq!(step(&found(state, 50, 90, b"v", b"seven"), read, POLL, 0.5), Step::LookBlind);
    }
    // Who has the lease writes it anew.
    assert_eq!(step(&found(b"R", 50, 90, b"v", b"seven"), read, POLL, 0.5), Step::Lead(None));
}

#[test]
fn what_is_not_shared_is_loaded_by_each_and_not_read() {
    let never = |_: &[u8]| -> Option<u32> { panic!("there is nothing to read") };
    for state in [b"F", b"S"] {
        assert_eq!(step(&found(state, 50, 90, b"x", b""), never, POLL, 0.5), Step::LoadOwn);
    }
    assert_eq!(step(&found(b"R", 50, 90, b"x", b""), never, POLL, 0.5), Step::Lead(None));
}

#[test]
fn a_wait_ends_with_the_lease_or_with_the_next_look() {
    let wait = |lease, random| step(&found(b"W", 0, lease, b"", b""), read, POLL, random);
    assert_eq!(wait(10_000, 0.0), Step::Wait(Duration::from_millis(150)));
    assert_eq!(wait(10_000, 1.0), Step::Wait(Duration::from_millis(250)));
    assert_eq!(wait(20, 1.0), Step::Wait(Duration::from_millis(20)));
    // A lease that is over, or has no end (which none of ours has), does not make anybody look without a pause.
    assert_eq!(wait(0, 0.5), Step::Wait(Duration::from_millis(1)));
    assert_eq!(wait(-1, 0.5), Step::Wait(Duration::from_millis(1)));
}

#[test]
fn a_wait_without_looks_ends_with_the_lease() {
    let wait = |random| step(&found(b"W", 0, 500, b"", b""), read, Duration::MAX, random);
    assert_eq!([wait(0.0), wait(0.5), wait(1.0)], [(); 3].map(|()| Step::Wait(Duration::from_millis(500))));
}

#[test]
fn an_answer_is_read_or_refused() {
    let endless = found(b"F", -1, 0, b"v", b"7");
    assert_eq!((endless.state, endless.life, endless.weight), (State::Fresh, Life::Endless, 9));
    // A stale value has no fresh life left, by however much it is beyond it.
    let stale = found(b"S", -30, 0, b"v", b"7");
    assert_eq!((stale.life, stale.stale_since), (Life::For(Duration::ZERO), Duration::from_millis(30)));
    assert!(found(b"L", 0, 9, b"", b"").is_lease() && found(b"R", 0, 9, b"v", b"7").is_lease());
    assert!(!found(b"W", 0, 9, b"", b"").is_lease());
    assert_eq!(Found::read((b"?".to_vec(), 0, 0, 0, vec![], vec![], vec![], 0, 0)), None);
}
