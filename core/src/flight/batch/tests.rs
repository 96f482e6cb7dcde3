//! Who polls a load of many keys, and who fetches what.

use alloc::vec;

use super::*;

type Load = Progress<&'static str, char>;

/// D62, P14: keys that are polled in a row poll their load once, whichever comes first in the next row.
#[test]
fn keys_in_a_row_poll_their_load_once() {
    let mut load = Load::New;
    let mut seen = [0, 0, 0];
    let mut polls = 0;
    for row in 1..=5 {
        for (key, seen) in seen.iter_mut().enumerate() {
            match load.step(key as u32, *seen, 0) {
                Step::Begin | Step::Poll(..) => {
                    polls += 1;
                    *seen = polls;
                    load = Load::Resting { load: "load", polls, wakes: 0 };
                }
                Step::Wait(known) => *seen = known,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(polls, row);
    }
}

/// P3: a load that was woken since is polled by whoever comes.
#[test]
fn a_woken_load_is_polled_by_anybody() {
    let mut load = Load::Resting { load: "load", polls: 7, wakes: 3 };
    assert_eq!(load.step(0, 6, 3), Step::Wait(7));
    assert_eq!(load.step(0, 6, 4), Step::Poll("load", 7));
    assert_eq!(load.step(1, 7, 4), Step::Wait(7), "somebody polls it");
}

/// P3: nobody has to rely on the one who polled it last: who has waited once polls it the next time.
#[test]
fn who_has_waited_polls_the_next_time() {
    let mut load = Load::Resting { load: "load", polls: 7, wakes: 0 };
    let Step::Wait(seen) = load.step(0, 0, 0) else { panic!("it was polled since") };
    assert_eq!(load.step(0, seen, 0), Step::Poll("load", 7));
}

/// P4, P5: each key fetches its own answer once, and hears of a panic as often as it asks.
#[test]
fn each_key_has_its_own_answer() {
    let mut load = Load::Done(vec![Some('a'), Some('b')]);
    assert_eq!((load.step(1, 0, 0), load.step(0, 0, 0)), (Step::Take(Some('b')), Step::Take(Some('a'))));
    assert_eq!((load.step(1, 0, 0), load.step(9, 0, 0)), (Step::Take(None), Step::Take(None)));
    let mut load = Load::Panicked;
    assert_eq!((load.step(0, 0, 0), load.step(0, 0, 0)), (Step::Panicked, Step::Panicked));
}
