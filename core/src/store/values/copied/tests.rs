use alloc::vec::Vec;

use super::*;

/// P8: a change to a value with a copy outdates it, at once; one to another value mostly does not.
#[test]
fn changes_to_copied_values_outdate_copies() {
    let mut copied = Copied::default();
    copied.outdate(7);
    assert_eq!(copied.mark(7), None, "copies are not kept");
    let versions = copied.keep();
    copied.outdate(7 << 48);
    assert_eq!((copied.mark(7 << 48), versions.current()), (Some(0), 0));
    copied.outdate(8 << 48);
    assert_eq!(versions.current(), 0, "that is another value");
    copied.outdate(7 << 48);
    assert_eq!((copied.mark(7 << 48), versions.current()), (Some(1), 1));
    copied.outdate_all();
    copied.outdate_all();
    assert_eq!(versions.current(), 2, "there were no copies the second time");
}

/// P12: outdated copies are taken out once, by the first that comes.
#[test]
fn outdated_copies_are_taken_out() {
    let mut copied = Copied::default();
    let versions = copied.keep();
    let purged = |versions: &Versions| {
        let mut purged = Vec::new();
        versions.purge(|version| purged.push(version));
        purged
    };
    assert_eq!(purged(&versions), []);
    for version in 1..4 {
        copied.mark(version as u64);
        copied.outdate_all();
        assert_eq!(purged(&versions), [version]);
        assert_eq!(purged(&versions), []);
    }
}
