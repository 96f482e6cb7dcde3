use alloc::vec::Vec;

use super::*;

impl List {
    /// Returns the places from front to back, after a comparison of both directions.
    pub(in crate::store::policy) fn places<N: Linked>(&self, entries: &mut impl Nodes<N>) -> Vec<u32> {
        let mut places = Vec::new();
        let (mut before, mut place) = (END, self.front);
        while place != END {
            let link = entries.node(place).link();
            assert_eq!(link.before, before, "the entry at {place} has another entry before it");
            places.push(place);
            (before, place) = (place, link.after);
        }
        assert_eq!(self.back, before);
        places
    }
}

struct Links([Link; 4]);

impl Nodes<Link> for Links {
    fn node(&mut self, place: u32) -> &mut Link {
        &mut self.0[place as usize]
    }

    fn hash(&self, _place: u32) -> u64 {
        0
    }

    fn weight(&self, _place: u32) -> u64 {
        1
    }
}

#[test]
fn entries_leave_from_everywhere() {
    // Each order of leaving, as the digits of a number in base 4.
    for order in 0..256_u32 {
        let leaving = [order % 4, order / 4 % 4, order / 16 % 4, order / 64];
        let mut entries = Links(Default::default());
        let mut list = List::new();
        let mut left: Vec<u32> = (0..4).rev().collect();
        for place in 0..4 {
            list.push_front(&mut entries, place);
        }
        for place in leaving {
            if left.contains(&place) {
                list.remove(&mut entries, place);
                left.retain(|&other| other != place);
            }
            assert_eq!(list.places(&mut entries), left);
            assert_eq!((list.front(), list.back()), (left.first().copied(), left.last().copied()));
        }
    }
}
