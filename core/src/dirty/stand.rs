//! What happens to each entry when room is needed, kept up to date as the order of use and the reserved places change.

use super::{Ledger, State, entry::ByPlace, leaving::Stands};

impl<K, V, W> Ledger<K, V, W> {
    /// Returns how many entries have to leave for this many places.
    pub(super) fn leavers(&self, places: usize) -> usize {
        (self.entries.len() + places).saturating_sub(self.capacity)
    }

    /// Changes where an entry stands, or its state.
    pub(super) fn stand(&mut self, place: u32, to: impl FnOnce(&mut Stands, &mut State)) {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        let Self { entries, leaving, dirty, flushing, by_time, .. } = self;
        let entry = &mut entries[place as usize];
        let (used, before) = (entry.used, (entry.stands, entry.state));
        to(&mut entry.stands, &mut entry.state);
        let after = (entry.stands, entry.state);
        match before {
            (Stands::Leaves, state) => _ = leaving.of(state).remove(&used),
            (Stands::Idle, State::Clean) => {
                leaving.idle.remove(&mut ByPlace::clean(entries), place);
                leaving.idles -= 1;
            }
            _ => {}
        }
        if before.1 != after.1 {
            before.1.changes().for_each(|change| _ = by_time.remove(&change));
            before.1.since().iter().for_each(|since| _ = dirty.remove(&since.number));
            by_time.extend(after.1.changes());
            dirty.extend(after.1.since().map(|since| (since.number, place)));
            let being_flushed = |state: State| state.since().filter(|_| state.is_flushing());
            being_flushed(before.1).iter().for_each(|since| _ = flushing.remove(&since.number));
            flushing.extend(being_flushed(after.1).map(|since| since.number));
        }
        match after {
            (Stands::Leaves, state) => _ = leaving.of(state).insert(used, place),
            (Stands::Idle, State::Clean) => {
                leaving.idle.push_front(&mut ByPlace::clean(entries), place);
                leaving.idles += 1;
            }
            _ => {}
        }
    }

    /// Makes as many leave as have to: the least recently used, except those that are skipped.
    pub(super) fn fit(&mut self) {
        let wanted = self.leavers(self.reserved);
        while let Some(last) = self.leaving.last().filter(|_| self.leaving.len() > wanted) {
            self.stand(last, |stands, _| *stands = Stands::Idle);
        }
        while self.leaving.len() < wanted {
            let mut next = match self.leaving.last() {
                Some(last) => self.before(last),
                None => self.unpinned.back(),
            };
            while let Some(place) = next.filter(|place| self.entry(*place).stands == Stands::Aside) {
                next = self.before(place);
            }
            let Some(place) = next else { return };
            self.stand(place, |stands, _| *stands = Stands::Leaves);
        }
    }

    /// Returns the next more recently used unpinned entry.
    fn before(&mut self, place: u32) -> Option<u32> {
        self.unpinned.before(&mut ByPlace::all(&mut self.entries), place)
    }

    /// These are not skipped any more.
    pub(super) fn bring_back(&mut self, aside: impl IntoIterator<Item = u32>) {
        for place in aside {
            if self.entries.get(place as usize).is_some_and(|entry| entry.stands == Stands::Aside) {
                self.stand(place, |stands, _| *stands = Stands::Leaves);
            }
        }
        self.fit();
    }
}
