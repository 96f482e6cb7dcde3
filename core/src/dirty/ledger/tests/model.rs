//! Random operations, and a model that visits everything each time.
use alloc::vec::Vec;

use super::Pages;
use crate::{
    Instant,
    dirty::{Origin, Placed, Spoken, State, Victim},
    store::policy::tests::shelf::Random,
};

/// One entry of the model.
#[derive(Clone, Debug)]
struct Plain {
    key: u32,
    value: u32,
    pins: u32,
    /// The numbers of the first change that is not on disk, and of the first that is not being written.
    since: Option<u64>,
    again: Option<u64>,
    is_flushing: bool,
    place: u32,
}

/// All entries, the most recently used one last.
#[derive(Default)]
struct Model {
    entries: Vec<Plain>,
    changes: u64,
    reserved: usize,
}

impl Model {
    fn at(&mut self, key: u32) -> Option<&mut Plain> {
        self.entries.iter_mut().find(|entry| entry.key == key)
    }

    fn change(&mut self, key: u32, value: u32) {
        self.changes += 1;
        let number = self.changes;
        let Some(entry) = self.at(key) else { return };
        entry.value = value;
        match (entry.since, entry.is_flushing) {
            (None, _) => entry.since = Some(number),
            (Some(_), true) => entry.again = entry.again.or(Some(number)),
            _ => {}
        }
    }

    fn unpinned(&self) -> impl Iterator<Item = &Plain> {
        self.entries.iter().filter(|entry| entry.pins == 0)
    }

    fn pinned(&self) -> usize {
        self.entries.iter().filter(|entry| entry.pins > 0).count()
    }
}

/// D76 to D80.
#[test]
fn random_operations() {
    for seed in 0..200 {
        let capacity = 1 + seed as usize % 6;
        let (mut pages, mut model, mut random) = (super::pages(capacity), Model::default(), Random(seed + 1));
        for step in 0..300 {
            let key = random.below(9) as u32;
            match random.below(9) {
                0 | 1 => bring(&mut pages, &mut model, capacity, key, random.below(2) == 0),
                2 => {
                    if let Some(entry) = model.at(key) {
                        entry.pins += 1;
                        pages.pin(entry.place);
                    }
                }
                3 | 4 => {
                    if let Some(at) = model.entries.iter().position(|entry| entry.key == key && entry.pins > 0) {
                        let mut entry = model.entries.remove(at);
                        assert!(pages.unpin(entry.place).is_empty());
                        entry.pins -= 1;
                        // Only the last release counts as a use.
                        if entry.pins == 0 { model.entries.push(entry) } else { model.entries.insert(at, entry) }
                    }
                }
                5 => {
                    if let Some(entry) = model.at(key) {
                        let old = core::mem::replace(&mut entry.value, step);
                        assert_eq!(pages.change(entry.place, step, Instant::ZERO), old);
                        model.change(key, step);
                    }
                }
                6 => begin_flush(&mut pages, &mut model, key),
                7 => end_flush(&mut pages, &mut model, key, random.below(3) > 0),
                _ => take_out(&mut pages, &mut model, key),
            }
            compare(&mut pages, &model, capacity);
        }
    }
}

/// A complete load or insertion.
fn bring(pages: &mut Pages, model: &mut Model, capacity: usize, key: u32, is_loaded: bool) {
    let spoken = pages.reserve(u64::from(key), None);
    assert_eq!(spoken == Spoken::Place, model.pinned() + model.reserved < capacity);
    if spoken != Spoken::Place {
        return;
    }
    let origin = if is_loaded { Origin::Loaded } else { Origin::Changed(Instant::ZERO) };
    let mut new = Some((key, key));
    let oldest = model.unpinned().next().cloned();
    let (placed, wake) = pages.place(u64::from(key), &mut new, origin, false);
    assert!(wake.is_empty());
    match placed {
        Placed::Present(place) => {
            let entry = model.at(key).expect("it is there");
            entry.pins += 1;
            assert_eq!((entry.place, new), (place, Some((key, key))));
        }
        Placed::At(place, left) => {
            assert!(model.at(key).is_none() && new.is_none());
            let leaves = oldest.filter(|_| model.entries.len() == capacity);
            assert_eq!(left, leaves.map(|entry| (entry.key, entry.value)));
            model.entries.retain(|entry| left.is_none_or(|(left, _)| left != entry.key));
            let (since, again) = (None, None);
            model.entries.push(Plain { key, value: key, pins: 1, since, again, is_flushing: false, place });
            if !is_loaded {
                model.change(key, key);
            }
        }
        Placed::Dirty => {
            assert!(oldest.is_some_and(|oldest| oldest.since.is_some()) && model.entries.len() == capacity);
            pages.give_back(false);
        }
        Placed::Full | Placed::Void => panic!("pins and places are bounded, and nothing was being loaded"),
    }
}

fn begin_flush(pages: &mut Pages, model: &mut Model, key: u32) {
    let Some(entry) = model.at(key) else { return };
    let round = pages.entry(entry.place).round;
    let begun = pages.begin_flush(entry.place, round);
    assert_eq!(begun, (entry.since.is_some() && !entry.is_flushing).then_some(entry.value));
    entry.is_flushing |= begun.is_some();
}

fn end_flush(pages: &mut Pages, model: &mut Model, key: u32, is_written: bool) {
    let Some(entry) = model.at(key).filter(|entry| entry.is_flushing) else { return };
    pages.end_flush(entry.place, is_written);
    entry.is_flushing = false;
    let again = entry.again.take();
    if is_written {
        entry.since = again;
    }
}

fn take_out(pages: &mut Pages, model: &mut Model, key: u32) {
    let is_such = |entry: &Plain| entry.key == key && entry.pins == 0 && entry.since.is_none();
    if let Some(at) = model.entries.iter().position(is_such) {
        let entry = model.entries.remove(at);
        assert_eq!(pages.take_out(entry.place), (entry.key, entry.value));
    }
}

fn compare(pages: &mut Pages, model: &Model, capacity: usize) {
    assert!(pages.len() <= capacity);
    assert_eq!((pages.len(), pages.pinned()), (model.entries.len(), model.pinned()));
    for entry in &model.entries {
        assert_eq!(pages.find(u64::from(entry.key), |key| *key == entry.key), Some(entry.place));
        let real = pages.entry(entry.place);
        assert_eq!((real.value, real.pins), (entry.value, entry.pins));
        assert_eq!(real.state.since().map(|since| since.number), entry.since);
        assert_eq!(real.state.is_flushing(), entry.is_flushing);
        assert_eq!(matches!(real.state, State::Again(..)), entry.again.is_some());
    }
    let mut dirty: Vec<_> = model.entries.iter().filter_map(|entry| Some((entry.since?, entry.key))).collect();
    dirty.sort_unstable();
    assert!(pages.by_change(0).map(|(_, entry)| entry.key).eq(dirty.iter().map(|(_, key)| *key)));
    assert_eq!((pages.oldest(), pages.dirty()), (dirty.first().map(|(since, _)| *since), dirty.len()));
    let mut pinned = pages.pinned_keys(0).0;
    pinned.sort_unstable();
    let mut expected: Vec<_> = model.entries.iter().filter(|entry| entry.pins > 0).map(|entry| entry.key).collect();
    expected.sort_unstable();
    assert_eq!(pinned, expected);
    // One more place, if there were one, would be that of the oldest entry.
    if pages.reserve(99, None) == Spoken::Place {
        let oldest = model.unpinned().next();
        let expected = match oldest.filter(|_| model.entries.len() == capacity) {
            Some(Plain { since: Some(since), place, .. }) => Victim::At(*place, *since),
            _ => Victim::None,
        };
        let victim = super::victim(pages, false);
        assert_eq!(victim, expected);
        pages.give_back(victim == Victim::None);
    }
}
