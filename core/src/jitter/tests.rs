use super::*;

const fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn jitter(share: f64) -> Jitter {
    Jitter::new(share, 7)
}

#[test]
fn a_part_is_the_same_for_the_same_and_evenly_spread() {
    let mut tenths = [0_u32; 10];
    for n in 0..10_000_u32 {
        let cut = jitter(0.5).cut(1_000_000, &n);
        assert!((0..500_000).contains(&cut), "{cut}");
        assert_eq!(cut, jitter(0.5).cut(1_000_000, &n));
        tenths[(cut / 50_000) as usize] += 1;
    }
    assert!(tenths.iter().all(|count| (900..1100).contains(count)), "{tenths:?}");
    assert_ne!(Jitter::new(0.5, 8).cut(1_000_000, &1_u32), jitter(0.5).cut(1_000_000, &1_u32));
    assert_eq!(jitter(0.0).cut(1_000_000, &1_u32), 0);
}

/// D54: it only shortens, and never to nothing.
#[test]
fn an_end_comes_earlier_but_after_now() {
    for n in 0..1000_u32 {
        let end = jitter(1.0).shorten(at(100), at(200), &n);
        assert!(at(100) < end && end <= at(200), "{end:?}");
        assert_eq!(jitter(1.0).shorten(at(100), at(101), &n), at(101));
        assert_eq!(jitter(0.0).shorten(at(100), at(200), &n), at(200));
        // As if rounding took more than there is.
        assert!(at(100) < jitter(3.0).shorten(at(100), at(200), &n));
    }
}

/// P11: a lifetime that has already ended stays as it is, and nothing overflows.
#[test]
fn odd_spans() {
    for n in 0..100_u32 {
        assert_eq!(jitter(1.0).shorten(at(100), at(100), &n), at(100), "a delay of zero");
        assert_eq!(jitter(1.0).shorten(at(100), at(50), &n), at(50), "a clock that jumped back");
        let end = jitter(1.0).shorten(at(0), at(u64::MAX - 1), &n);
        assert!(at(0) < end && end < Instant::NEVER);
        assert_eq!(jitter(1.0).shorten(at(u64::MAX - 1), at(u64::MAX - 1), &n), at(u64::MAX - 1));
    }
}
