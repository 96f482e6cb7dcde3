//! Caches of which some depend or have depended on others, and the locks of the graph.

use crate::{Lock, parts::OwnLock, sync::Arc};

/// Where a cache looks for its group.
pub(super) struct Member(OwnLock<Arc<Group>>);

/// The lock of a group is held while edges in it are changed, so that no two callers close a circle between them.
struct Group(OwnLock<State>);

struct State {
    /// What it has become a part of.
    whole: Option<Arc<Group>>,
    members: usize,
    /// How much has happened: edges were added, or a cache has become dirty. While it is unchanged, what was clean is
    /// still clean.
    happened: u64,
}

/// Held while two groups become one.
static JOINING: OwnLock<()> = OwnLock::new(());

impl Member {
    /// A cache on its own.
    pub(super) fn new() -> Self {
        let state = State { whole: None, members: 1, happened: 1 };
        Self(OwnLock::new(Arc::new(Group(OwnLock::new(state)))))
    }

    /// Runs `f` on how much has happened in its group, alone.
    pub(super) fn with<O>(&self, f: impl FnOnce(&mut u64) -> O) -> O {
        let mut f = Some(f);
        loop {
            // If it has become a part of another in between, that one is looked for.
            let run = |state: &mut State| f.take_if(|_| state.whole.is_none()).map(|f| f(&mut state.happened));
            if let Some(done) = self.group().0.with(run) {
                return done;
            }
        }
    }

    /// Makes one group of two.
    pub(super) fn join(&self, other: &Self) {
        JOINING.with(|()| {
            let (one, two) = (self.group(), other.group());
            if Arc::ptr_eq(&one, &two) {
                return;
            }
            let [members, of_two] = [&one, &two].map(|group| group.0.with(|state| state.members));
            // The smaller one looks further, so no cache ever has to look far.
            let (small, large) = if members < of_two { (one, two) } else { (two, one) };
            // In one step, or a mark of the one could be taken for one of the other.
            small.0.with(|small| {
                large.0.with(|state| {
                    state.members = members + of_two;
                    state.happened = small.happened.max(state.happened) + 1;
                });
                small.whole = Some(Arc::clone(&large));
            });
        });
    }

    fn group(&self) -> Arc<Group> {
        let mut group = self.0.with(|group| Arc::clone(group));
        while let Some(whole) = group.0.with(|state| state.whole.clone()) {
            group = whole;
            let _part = self.0.with(|own| core::mem::replace(own, Arc::clone(&group)));
        }
        group
    }
}

#[cfg(test)]
mod tests;
