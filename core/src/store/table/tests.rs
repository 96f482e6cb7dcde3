use alloc::collections::BTreeMap;

use super::*;
use crate::store::{
    memory::SMALL,
    policy::tests::shelf::Random,
    tests::{at, crowded},
};

struct Plain(u32);

impl Row<u32> for Plain {
    fn hash(&self) -> u64 {
        crowded(self.0)
    }

    fn key(&self) -> &u32 {
        &self.0
    }
}

fn find(table: &Table<Plain>, key: u32) -> Option<u32> {
    table.find(crowded(key), |k| *k == key)
}

fn push(table: &mut Table<Plain>, row: Plain) -> u32 {
    assert!(table.has_memory(u64::MAX, true));
    table.push(row)
}

fn take(table: &mut Table<Plain>, key: u32) -> u32 {
    let place = find(table, key).expect("a row");
    table.unlink(place);
    assert_eq!(find(table, key), None, "a gap is not found");
    table.close_gap(place).0.0
}

/// P9, P12: whatever row moves into whatever gap, each is found by its key, and its deadline goes with it.
#[test]
fn rows_are_found_by_their_keys_however_they_are_moved() {
    let mut table = Table::new();
    let mut model: BTreeMap<u32, Option<u64>> = BTreeMap::new();
    let mut random = Random(11);
    for step in 0..30_000 {
        let key = random.below(80) as u32;
        // It grows and shrinks in turn.
        let shrinks = step % 1000 < 500;
        match find(&table, key) {
            Some(place) if random.below(4) == 0 => {
                let deadline = random.below(500);
                table.set_deadline(place, at(deadline));
                model.insert(key, Some(deadline));
            }
            Some(_) if shrinks => {
                assert_eq!(take(&mut table, key), key);
                model.remove(&key);
            }
            None if random.below(4) == 0 && table.len() > 0 => {
                let gap = random.below(table.len() as u64) as u32;
                table.unlink(gap);
                model.remove(&core::mem::replace(table.refill_gap(gap, Plain(key).hash()), Plain(key)).0);
                model.insert(key, None);
                assert_eq!(find(&table, key), Some(gap));
            }
            None if !shrinks => {
                assert_eq!(push(&mut table, Plain(key)), model.len() as u32);
                model.insert(key, None);
            }
            _ => {}
        }
        assert_eq!((table.len(), table.index.len()), (model.len(), model.len()));
        for (place, row) in table.rows().iter().enumerate() {
            assert!(model.contains_key(&row.0));
            assert_eq!(find(&table, row.0), Some(place as u32));
        }
        let first = table.first_due();
        assert_eq!(first.map(|(due, _)| due.as_nanos()), model.values().flatten().min().copied());
        assert!(first.is_none_or(|(due, place)| model[&table.rows()[place as usize].0] == Some(due.as_nanos())));
    }
}

/// P12: memory follows what is held.
#[test]
fn memory_is_given_back_when_most_rows_have_left() {
    let mut table = Table::new();
    for key in 0..10_000 {
        let place = push(&mut table, Plain(key));
        table.set_deadline(place, at(u64::from(key)));
    }
    let (rows, index) = (table.rows.capacity(), table.index.capacity());
    assert!(rows >= 10_000 && index >= 10_000);
    for key in 0..9_900 {
        take(&mut table, key);
    }
    assert!(table.rows.capacity() <= 200, "{}", table.rows.capacity());
    assert!(table.index.capacity() <= 400, "{}", table.index.capacity());
    for key in 9_900..10_000 {
        take(&mut table, key);
    }
    assert!(table.rows.capacity() <= SMALL + 2, "{}", table.rows.capacity());
    assert!(table.index.capacity() <= 2 * SMALL, "{}", table.index.capacity());
    assert_eq!(table.first_due(), None);
}

#[test]
fn memory_is_not_taken_beyond_what_can_ever_be_held() {
    let mut table = Table::new();
    for key in 0..100 {
        assert!(table.has_memory(100, true));
        table.push(Plain(key));
        assert!(table.rows.capacity() <= 100);
    }
    assert!(table.has_memory(100, true));
    table.push(Plain(100));
    assert_eq!(table.len(), 101, "the limit is advice");
}

#[test]
fn an_emptied_table_has_no_rows_no_deadlines_and_no_memory() {
    let mut table = Table::new();
    for key in 0..50 {
        let place = push(&mut table, Plain(key));
        table.set_deadline(place, at(5));
    }
    assert_eq!(table.take().len(), 50);
    assert_eq!((table.len(), table.first_due(), find(&table, 7)), (0, None, None));
    assert_eq!((table.rows.capacity(), table.index.capacity()), (0, 0));
    assert_eq!(push(&mut table, Plain(7)), 0);
    assert_eq!(find(&table, 7), Some(0));
}
