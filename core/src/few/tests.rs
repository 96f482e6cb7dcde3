use alloc::vec::Vec;

use super::Few;

fn of(items: &[u32]) -> Few<u32> {
    let mut few = Few::new();
    items.iter().for_each(|item| few.push(*item));
    few
}

fn all(few: &Few<u32>) -> Vec<u32> {
    few.iter().copied().collect()
}

#[test]
fn keeps_the_order() {
    let mut few = of(&[1, 2, 3]);
    assert_eq!(all(&few), [1, 2, 3]);
    assert_eq!((few.take(|item| *item == 2), few.take(|item| *item == 9)), (Some(2), None));
    assert_eq!(all(&few), [1, 3]);
    assert_eq!(few.take(|item| *item == 1), Some(1));
    few.push(4);
    assert_eq!(all(&few), [3, 4], "the place in front stays free until all are gone");
    few.iter_mut().for_each(|item| *item += 1);
    few.retain(|item| *item != 4);
    assert_eq!((all(&few).as_slice(), few.is_empty()), (&[5][..], false));
}

#[test]
fn gives_all_back() {
    let mut few = of(&[1, 2, 3]);
    let mut popped: Vec<_> = core::iter::from_fn(|| few.pop()).collect();
    popped.sort_unstable();
    assert_eq!((popped.as_slice(), few.is_empty(), few.more.capacity()), (&[1, 2, 3][..], true, 0));
    let mut few = of(&[1, 2]);
    few.clear();
    assert!(few.is_empty());
}
