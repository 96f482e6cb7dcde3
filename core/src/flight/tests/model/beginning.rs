//! Callers join and begin attempts.

use super::*;

impl World {
    /// The first caller of a flight that is used again.
    pub(super) fn open(&mut self, random: &mut Random) {
        self.flight.open(true);
        self.model.open();
        self.sit_down(false);
        if random.below(3) > 0 {
            return self.begin(0, random);
        }
        let caller = &mut self.callers[0].caller;
        assert!(!self.model.begin(0, self.now, Start::Made, address_of(caller)));
        self.flight.begin_first(Attempt::new(1, at(self.now), Terms::default(), Start::Made, caller.by()));
        (caller.own, self.most) = (1, 1);
    }

    /// A caller of an older epoch begins a load that also belongs to this epoch, and counts there.
    pub(super) fn begin_for_others(&mut self, random: &mut Random) {
        let start = [Start::Batch, Start::Made, Start::Lent][random.below(3) as usize];
        let other = Caller::new();
        let replaces = self.model.begin(0, self.now, start, address_of(&other));
        let begun = self.flight.begin_for_others(at(self.now), Terms::default(), start, other.by());
        assert_eq!(begun, (self.model.newest, replaces));
        self.flight.count_elsewhere(begun.0);
        if let Some(tried) = self.model.tried.get_mut(&begun.0) {
            (tried.is_owned, tried.is_twin) = (false, true);
        }
        self.others.push(other);
        self.most = self.callers.len();
        self.ends[7] += 1;
    }

    pub(super) fn join(&mut self) {
        let was_empty = self.callers.is_empty();
        self.flight.join();
        self.sit_down(false);
        if was_empty {
            self.flight.all_due(0);
            self.model.all_due(0);
            self.ends[4] += 1;
        }
    }

    pub(super) fn begin(&mut self, index: usize, random: &mut Random) {
        let start = [Start::Unmade, Start::Lent, Start::Batch, Start::Made, Start::Made][random.below(5) as usize];
        let caller = &mut self.callers[index].caller;
        let replaces = self.model.begin(caller.own, self.now, start, address_of(caller));
        assert_eq!(begin(&mut self.flight, caller, self.now, start), replaces);
        assert_eq!(caller.own, self.model.newest, "attempts are numbered without gaps");
        self.most = self.callers.len();
    }

    /// The caller of an older epoch that has lent this load polls it, or leaves.
    pub(super) fn lent_elsewhere(&mut self, number: u32, leaves: bool) {
        let is_lent = |tried: &&mut Tried| tried.is_twin && matches!(tried.load, Where::Lent | Where::LentOut);
        let Some(tried) = self.model.tried.get_mut(&number).filter(is_lent) else { return };
        self.ends[9] += 1;
        if leaves {
            assert!(self.flight.release(number) && tried.release());
            if self.callers.is_empty() {
                self.end_or_keep();
            }
        } else {
            let caller = &self.others[0];
            self.flight.lend(number, caller.by());
            if tried.load == Where::Lent {
                (tried.load, tried.by) = (Where::LentOut, address_of(caller));
            }
        }
    }
}
