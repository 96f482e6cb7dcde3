//! What was seen of a value, and whether it is still there.

use super::{super::direct::Seen, *};

impl Rig {
    fn see(&mut self, key: u32) -> Option<Seen> {
        self.shard.consult(hash(key), at(self.now), |k| *k == key).map(|(_, seen)| seen)
    }

    fn is_still(&self, seen: Option<Seen>, key: u32) -> bool {
        self.shard.is_still(seen, hash(key), at(self.now), |k| *k == key)
    }
}

/// D41, D42: a closure has judged one value; its generation and an earlier end tell another one apart.
#[test]
fn only_the_value_that_was_judged_is_changed() {
    let mut rig = Rig::new(rules());
    let nothing = rig.see(1);
    assert!(nothing.is_none() && rig.is_still(nothing, 1));
    rig.insert(1, Loaded::new(5).ttl(nanos(20)));
    assert!(!rig.is_still(nothing, 1), "there was none");
    let seen = rig.see(1);
    assert!(rig.is_still(seen, 1) && !rig.is_still(seen, 2));
    rig.insert(1, Loaded::new(5).ttl(nanos(20)));
    assert!(!rig.is_still(seen, 1), "an equal value is another one");
    let seen = rig.see(1);
    rig.now += 19;
    assert!(rig.is_still(seen, 1));
    rig.now += 1;
    assert!(!rig.is_still(seen, 1) && rig.is_still(None, 1), "it has expired");
    rig.insert(1, 5);
    let seen = rig.see(1);
    rig.remove(1);
    assert!(!rig.is_still(seen, 1));
}
