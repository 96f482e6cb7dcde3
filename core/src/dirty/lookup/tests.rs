use super::{
    super::{Grant, Origin, Placed},
    *,
};
use crate::{Instant, dirty::Delays};

type Pages = Ledger<u32, u32, u32>;

fn ask(pages: &mut Pages, key: u32, is_loading: bool, standing: Standing) -> LookupStep {
    pages.ask(u64::from(key), |k| *k == key, || is_loading, standing)
}

/// Puts a key into the reserved place, whose way was found clear or not; the key is pinned.
fn load(pages: &mut Pages, key: u32, is_clear: bool) -> u32 {
    let placed = pages.place(u64::from(key), &mut Some((key, 0)), Origin::Loaded, is_clear).0;
    let Placed::At(place, _) = placed else { panic!("there is room") };
    place
}

/// A caller that may wait asks, and has to.
fn queue(pages: &mut Pages, key: u32) -> Ticket {
    let ticket = pages.draw(true);
    assert_eq!(ask(pages, key, false, Standing::MayWait(ticket)), LookupStep::Queued);
    ticket
}

#[test]
fn an_entry_comes_before_its_load_and_that_before_room() {
    let mut pages = Pages::new(2, Delays::default());
    let may_wait = Standing::MayWait(pages.draw(true));
    assert_eq!(ask(&mut pages, 1, true, may_wait), LookupStep::Loading);
    assert_eq!(pages.reserved, 0, "a caller that joins a load needs no place");
    assert_eq!(ask(&mut pages, 1, false, may_wait), LookupStep::Place);
    let place = load(&mut pages, 1, false);
    for standing in [Standing::HasPlace, Standing::Queues, may_wait, Standing::Hurries] {
        assert_eq!(ask(&mut pages, 1, true, standing), LookupStep::There(place));
    }
    assert_eq!((pages.entry(place).pins, pages.reserved), (5, 0));
}

#[test]
fn without_room_it_depends_on_who_asks() {
    let mut pages = Pages::new(1, Delays::default());
    assert_eq!(ask(&mut pages, 1, false, Standing::Hurries), LookupStep::Place);
    assert_eq!(ask(&mut pages, 2, false, Standing::Hurries), LookupStep::Full);
    let first = queue(&mut pages, 2);
    assert_eq!(ask(&mut pages, 2, false, Standing::Queues), LookupStep::Waits, "and draws no other ticket");
    assert_eq!(pages.wait(first, 7), Grant::Waits(None));
    // A place that becomes free belongs to the waiting caller, not to a new one.
    assert_eq!(pages.give_back(false), [7]);
    assert_eq!(ask(&mut pages, 3, false, Standing::Hurries), LookupStep::Full);
    assert_eq!(pages.wait(first, 7), Grant::Granted(7));
    assert_eq!(ask(&mut pages, 2, false, Standing::HasPlace), LookupStep::Place);
    assert_eq!(pages.reserved, 1, "it is the one that was granted");
}

#[test]
fn who_waits_for_a_key_is_called_when_its_load_begins() {
    let (mut pages, none) = (Pages::new(2, Delays::default()), BTreeSet::new());
    assert_eq!(ask(&mut pages, 1, false, Standing::Hurries), LookupStep::Place);
    let page = load(&mut pages, 1, false);
    assert_eq!(ask(&mut pages, 2, false, Standing::Hurries), LookupStep::Place);
    let (same, other) = [2, 3].map(|key| queue(&mut pages, key)).into();
    assert_eq!((pages.wait(same, 7), pages.wait(other, 8)), (Grant::Waits(None), Grant::Waits(None)));
    assert_eq!(pages.clear(false, &none, None, Some(2)), Ok([7].into()));
    assert_eq!((pages.wait(same, 7), pages.wait(other, 8)), (Grant::Called(7), Grant::Waits(Some(8))));
    load(&mut pages, 2, true);
    // Dirty entries are flushed first, and no caller is called for a load that has not begun.
    pages.change(page, 1, Instant::ZERO);
    assert!(pages.unpin(page).is_empty(), "the place goes to the caller that was called before");
    assert_eq!(pages.clear(false, &none, None, Some(3)), Err(Victim::At(page, 1)));
    pages.begin_flush(page, pages.entry(page).round);
    assert_eq!(
        pages.clear(false, &[1].into(), None, Some(3)),
        Err(Victim::NoneLeft),
        "a call from inside does not wait"
    );
    pages.end_flush(page, true);
    assert_eq!(pages.clear(false, &none, None, Some(3)), Ok([8].into()));
}
