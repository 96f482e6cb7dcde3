//! Ends at any moment: of a cache, and of a bounded wait.

use larder::WriteBackError;

use super::*;

/// D84: a change acknowledged before the end is on disk once `close` has returned, or is reported as lost. So is one
/// that is inserted over an existing entry, or by a caller that waits for room.
#[test]
fn d84_close_beside_everything() {
    let play = || {
        let sea = Sea::default();
        let capacity = thread_rng().gen_range(1..3);
        let (a, b) = (sea.cache(0, capacity), sea.cache(1, capacity));
        a.always_depend_on(&b).expect("no circle");
        set(&b, 7, 1);
        let writers: Vec<_> = (0..2_u32)
            .map(|mine| {
                let (a, b) = (a.clone(), b.clone());
                thread::spawn(move || {
                    let mut last = [0, 0];
                    for step in 1..4 {
                        let value = mine * 100 + step;
                        let (nth, pages) = if thread_rng().gen_bool(0.7) { (0, &a) } else { (1, &b) };
                        match thread_rng().gen_range(0..6) {
                            0..3 => {
                                if block_on(pages.insert(mine, value, Room::Wait)).is_ok() {
                                    last[nth] = value;
                                }
                            }
                            3 => {
                                if let Ok(handle) = block_on(pages.get_or_load(&mine)) {
                                    drop(block_on(for_a_while(pages.flush(), 1)));
                                    drop(handle);
                                }
                            }
                            4 => drop(block_on(pages.remove(&mine))),
                            _ => drop(block_on(for_a_while(pages.get_or_load(&20), 2))),
                        }
                    }
                    last
                })
            })
            .collect();
        let closes = a.clone();
        let closer = thread::spawn(move || {
            drop(block_on(for_a_while(closes.close(), thread_rng().gen_range(0..3))));
            block_on(closes.close()).expect("it works");
        });
        let last: Vec<_> = writers.into_iter().map(|thread| thread.join().expect("it ends")).collect();
        closer.join().expect("it ends");
        assert_eq!((a.dirty(), a.pinned(), b.pinned()), (0, 0, 0), "what closed has told");
        block_on(b.flush()).expect("it works");
        for (mine, last) in (0..).zip(last) {
            assert_eq!([sea.page(0, mine), sea.page(1, mine)], last);
        }
        assert_free(&b, capacity);
    };
    check_random(play, 600);
    check_pct(play, 300, 3);
}

/// D76: callers wait for room, some until a time that may come at any moment.
#[test]
fn d76_waits_for_room_with_deadlines() {
    let play = || {
        let sea = Sea::default();
        let a = sea.cache(0, 1);
        let clock = a.runtime().0.timer().clone();
        let threads: Vec<_> = (0..3_u32)
            .map(|nth| {
                let a = a.clone();
                thread::spawn(move || {
                    for _ in 0..2 {
                        let key = thread_rng().gen_range(0..2);
                        let room = if nth == 0 { Room::Wait } else { Room::Within(ms(u64::from(nth))) };
                        let end = block_on(async {
                            if nth == 1 {
                                a.insert(key, 7, room).await.map(drop)
                            } else {
                                a.get_or_load_with(&key, room).await.map(drop)
                            }
                        });
                        match end {
                            Ok(()) => {}
                            Err(WriteBackError::Full) => assert_ne!(nth, 0),
                            Err(WriteBackError::Pinned(keys)) => assert_eq!((nth, keys), (1, vec![key])),
                            Err(error) => panic!("{error}"),
                        }
                        assert!(a.len() <= 1);
                    }
                })
            })
            .collect();
        let time = thread::spawn(move || {
            for _ in 0..4 {
                clock.advance(ms(1));
                thread::yield_now();
            }
        });
        for thread in threads {
            thread.join().expect("it ends");
        }
        time.join().expect("it ends");
        assert_free(&a, 1);
    };
    check_random(play, 500);
    check_pct(play, 400, 3);
}

/// D84: the same for a single insertion over an existing entry, in nearly all schedules.
#[test]
fn d84_close_beside_an_insertion() {
    let play = || {
        let sea = Sea::default();
        let a = sea.cache(0, 1);
        drop(block_on(a.get_or_load(&1)).expect("it is loaded"));
        let (inserts, closes) = (a.clone(), a.clone());
        let inserter = thread::spawn(move || block_on(inserts.insert(1, 5, Room::Wait)).is_ok());
        let closer = thread::spawn(move || block_on(closes.close()).expect("it works"));
        let is_stored = inserter.join().expect("it ends");
        closer.join().expect("it ends");
        assert_eq!((a.dirty(), sea.page(0, 1)), (0, if is_stored { 5 } else { 0 }));
    };
    check_random(play, 500);
    check_pct(play, 300, 2);
}
