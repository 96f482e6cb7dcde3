//! Caches of which some depend or have depended on others: what they have in common, and the locks of the graph.

use alloc::sync::Arc;

use crate::Lock;

#[cfg(feature = "std")]
pub(super) type GraphLock<T> = std::sync::Mutex<T>;
/// An interrupt may change an entry where the locks of its cache allow that, so it must be able to take this one.
#[cfg(all(feature = "critical-section", not(feature = "std")))]
pub(super) type GraphLock<T> = crate::parts::CriticalLock<T>;
#[cfg(all(not(feature = "critical-section"), not(feature = "std")))]
pub(super) type GraphLock<T> = spin::Mutex<T>;

/// Where a cache looks for its group.
pub(super) struct Member(GraphLock<Arc<Group>>);

struct Group(GraphLock<State>);

struct State {
    /// What it has become a part of.
    whole: Option<Arc<Group>>,
    members: usize,
    common: Common,
}

/// What the caches of a group have in common. Its lock is held while edges among them are changed, so that no two callers
/// close a circle between them.
#[derive(Clone, Copy, Default)]
pub(super) struct Common {
    /// How many edges were added.
    pub(super) added: u64,
    /// How much has happened: edges were added, or a cache has become dirty. As long as it is no more, what was clean is so.
    pub(super) happened: u64,
}

/// Held while two groups become one.
static JOINING: GraphLock<()> = GraphLock::new(());

impl Common {
    /// An edge is added.
    pub(super) const fn add(&mut self) {
        self.added += 1;
        self.happened += 1;
    }
}

impl Member {
    /// A cache on its own.
    pub(super) fn new() -> Self {
        let state = State { whole: None, members: 1, common: Common::default() };
        Self(GraphLock::new(Arc::new(Group(GraphLock::new(state)))))
    }

    /// Runs `f` on what its group has in common, alone.
    pub(super) fn with<O>(&self, f: impl FnOnce(&mut Common) -> O) -> O {
        let mut f = Some(f);
        loop {
            let group = self.group();
            let done = group.0.with(|state| match state.whole {
                None => f.take().map(|f| f(&mut state.common)),
                // It has become a part of another meanwhile.
                Some(_) => None,
            });
            if let Some(done) = done {
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
            // The smaller one looks further, so nobody ever has to look far.
            let (small, large) = if members < of_two { (one, two) } else { (two, one) };
            let common = small.0.with(|state| {
                state.whole = Some(Arc::clone(&large));
                state.common
            });
            large.0.with(|state| {
                state.members = members + of_two;
                let State { common: Common { added, happened }, .. } = state;
                (*added, *happened) = (common.added.max(*added) + 1, common.happened.max(*happened) + 1);
            });
        });
    }

    fn group(&self) -> Arc<Group> {
        let mut group = self.0.with(|group| Arc::clone(group));
        let mut is_whole = true;
        while let Some(whole) = group.0.with(|state| state.whole.clone()) {
            (group, is_whole) = (whole, false);
        }
        if !is_whole {
            let _part = self.0.with(|own| core::mem::replace(own, Arc::clone(&group)));
        }
        group
    }
}

#[cfg(test)]
mod tests;
