//! The graph of all caches.

use alloc::vec::Vec;

use super::{Unflushed, group::Member};
use crate::{
    Lock, Threads,
    dirty::{Edges, Kind, Need, way},
    parts::OwnLock,
    sync::{Arc, Weak},
};

/// A cache in the graph.
pub(super) struct Node<T: Threads>(Arc<Inner<T>>);

pub(super) struct Inner<T: Threads> {
    name: Arc<str>,
    group: Member,
    /// Innermost of all locks: under it, no other is taken.
    edges: OwnLock<Edges<Held<T>, Weak<Self>>>,
}

/// A cache, as held by the caches that depend on it. The one dropped may be the last: never drop it under a lock.
/// Public only as a part of a trait.
pub struct Held<T: Threads> {
    pub(super) id: usize,
    /// The number of the last change when this was made, if there was one that was not on disk.
    pub(super) dirty_up_to: Option<u64>,
    /// `None` if the cache is on many threads and its dependent is not. Then no path leads back, and the cache cannot
    /// report when it was flushed: it is flushed each time, until a flush has succeeded.
    pub(super) own: Option<Node<T>>,
    pub(super) upstream: Arc<Other<T>>,
}

/// Another cache, which is flushed before this one: flushes changes up to a number.
pub(super) type Other<T> = <T as Threads>::Callback<u64, FlushOf<T>>;

/// The flush of a whole cache.
pub(super) type FlushOf<T> = <T as Threads>::Task<Result<(), Unflushed>>;

/// The caches to be told that a cache was flushed up to a number.
pub(super) type Served<T> = Vec<(Weak<Inner<T>>, u64)>;

impl<T: Threads> Clone for Node<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Threads> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self { own: self.own.clone(), upstream: Arc::clone(&self.upstream), ..*self }
    }
}

impl<T: Threads> Held<T> {
    /// Returns whether a change up to this number is not on disk, as far as is known.
    pub(super) fn is_dirty(&self, up_to: u64) -> bool {
        self.own.as_ref().is_none_or(|node| node.with(|edges| edges.is_dirty(up_to)))
    }
}

impl<T: Threads> Node<T> {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self(Arc::new(Inner { name, group: Member::new(), edges: OwnLock::new(Edges::new()) }))
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Its number, for as long as it lives.
    pub(super) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    pub(super) fn with<O>(&self, f: impl FnOnce(&mut Edges<Held<T>, Weak<Inner<T>>>) -> O) -> O {
        self.0.edges.with(f)
    }

    /// Returns how much has happened among the caches of the same group: while it is unchanged, what was clean is still
    /// clean.
    pub(super) fn happened(&self) -> u64 {
        self.0.group.with(|happened| *happened)
    }

    /// Notes the first change that is not on disk, and the last one; returns who is to be [served](Self::serve).
    pub(super) fn note(&self, oldest: Option<u64>, last: u64) -> Served<T> {
        let (was_clean, served) = self.with(|edges| (!edges.is_dirty(u64::MAX), edges.note(oldest, last)));
        if was_clean && oldest.is_some() {
            self.0.group.with(|happened| *happened += 1);
        }
        served
    }

    /// Tells them that this cache was flushed; not to be called under its cache's lock.
    pub(super) fn serve(&self, served: Served<T>) {
        for (one, up_to) in served {
            let _gone = one.upgrade().and_then(|one| Self(one).less_up_to(self.id(), up_to));
        }
    }

    /// Another cache was flushed up to a number, and knows that; returns it if it is not needed any more.
    pub(super) fn less_up_to(&self, other: usize, up_to: u64) -> Option<Held<T>> {
        let less = |needs: &mut Need| needs.up_to = needs.up_to.filter(|needed| *needed > up_to);
        self.with(|edges| edges.lessen(other, less))?.1
    }

    /// Reduces what is needed of another cache, flushed or not; returns it if it is not needed any more.
    pub(super) fn lessen(&self, other: &Held<T>, less: impl FnOnce(&mut Need)) -> Option<Held<T>> {
        self.0.group.with(|_| self.lessen_both(other.id, other.own.as_ref(), less))
    }

    fn lessen_both(&self, id: usize, other: Option<&Self>, less: impl FnOnce(&mut Need)) -> Option<Held<T>> {
        let lessened = self.with(|edges| edges.lessen(id, less));
        if let Some(other) = other {
            // (If nothing is needed any more, it may not know that yet.)
            let left = lessened.as_ref().map_or_else(Need::default, |(left, _)| *left);
            other.with(|edges| edges.needed_less(self.id(), left));
        }
        lessened?.1
    }

    /// Requires another cache to be flushed before this one.
    ///
    /// # Errors
    ///
    /// The names along the circle that this would close, the first one again at the end; nothing has changed then.
    pub(super) fn connect(&self, to: &Held<T>, kind: Kind) -> Result<(), Vec<Arc<str>>> {
        if let Some(node) = &to.own {
            self.0.group.join(&node.0.group);
        }
        // What has to go for it is dropped outside of the lock.
        let mut gone = Vec::new();
        self.0.group.with(|happened| {
            let circle =
                |way: &[Self]| core::iter::once(self).chain(way).map(|node| Arc::clone(&node.0.name)).collect();
            let mut gives_way = false;
            while let Some(way) = self.way_back(to, false) {
                // Before anything has gone for it.
                if let Some(firm) = if gives_way { None } else { self.way_back(to, true) } {
                    return Err(circle(&firm));
                }
                gives_way = true;
                let is_wish = |pair: &&[Self]| !pair[0].needs_firmly(&pair[1]);
                let Some(pair) = way.windows(2).find(is_wish) else { return Err(circle(&way)) };
                gone.push(pair[0].lessen_both(pair[1].id(), Some(&pair[1]), |need| need.until_flushed = None));
            }
            *happened += 1;
            gone.extend(self.add(to, kind));
            Ok(())
        })
    }

    /// Returns whether it needs another cache for longer than until the next flush.
    fn needs_firmly(&self, other: &Self) -> bool {
        self.with(|edges| edges.needs(other.id())).is_some_and(|need| !other.left_of(need).gives_way())
    }

    /// Returns what is left of a need of this cache: what has been flushed counts no more, though those who need it are
    /// told only after that.
    fn left_of(&self, need: Need) -> Need {
        Need { up_to: need.up_to.filter(|up_to| self.with(|edges| edges.is_dirty(*up_to))), ..need }
    }

    /// Adds an edge on both sides; returns what is not needed.
    fn add(&self, to: &Held<T>, kind: Kind) -> [Option<Held<T>>; 2] {
        let known = self.with(|edges| edges.need(to.id, to.clone(), kind));
        let tell = |node: &Self| node.with(|edges| edges.needed_by(self.id(), Arc::downgrade(&self.0), kind));
        let is_open = to.own.as_ref().is_none_or(tell);
        let gone = match kind {
            // It has been flushed in between, and would not report again.
            Kind::UpTo(last) if !is_open => self.less_up_to(to.id, last),
            _ => None,
        };
        [known, gone]
    }

    /// Returns the caches along a way from another to this one, both included; if `is_firm`, only along what gives way
    /// to nothing.
    fn way_back(&self, from: &Held<T>, is_firm: bool) -> Option<Vec<Self>> {
        let from = from.own.as_ref()?;
        let ahead = |node: &Self, after| {
            let (id, need, to) = node.with(|edges| edges.next_to(after, |to| to.own.clone()))?;
            let counts = |to: &Self| {
                let left = to.left_of(need);
                if is_firm { !left.gives_way() } else { left.lingers || !left.is_over() }
            };
            Some((id, to.filter(counts)))
        };
        let behind = |node: &Self, after| {
            let (id, from) = node.with(|edges| edges.next_from(after))?;
            Some((id, from.upgrade().map(Self).filter(|from| !is_firm || from.needs_firmly(node))))
        };
        way((from.id(), from.clone()), (self.id(), self.clone()), ahead, behind)
    }

    /// What is needed of another cache until this one is flushed is what is dirty there now; returns the number up to
    /// which that is. Nothing, if that wish has given way since it was found: others depend on that, and a flush that
    /// asked for it all the same would close a circle.
    ///
    /// One that is far away does not tell what that is: all that it has when its flush begins. No edge is kept for that, or
    /// what comes to be needed during the flush would go with it.
    pub(super) fn ask_now(&self, to: &Held<T>) -> Option<u64> {
        let Some(node) = &to.own else { return Some(u64::MAX) };
        let (up_to, _known) = self.0.group.with(|happened| {
            self.with(|edges| edges.needs(to.id)).filter(|need| need.until_flushed.is_some())?;
            let up_to = node.with(|edges| edges.dirty_up_to())?;
            *happened += 1;
            Some((up_to, self.add(to, Kind::UpTo(up_to))))
        })?;
        Some(up_to)
    }

    /// Forgets what has to be flushed first: all of it, or all but the permanent dependencies; returns what is to be
    /// dropped.
    pub(super) fn forget(&self, all: bool) -> Vec<Held<T>> {
        let (mut gone, mut after) = (Vec::new(), None);
        while let Some((id, _, to)) = self.with(|edges| edges.next_to(after, Held::clone)) {
            after = Some(id);
            gone.extend(self.lessen(&to, |need| {
                let (always, lingers) = (need.always && !all, need.lingers || need.up_to.is_some());
                *need = Need { up_to: None, until_flushed: None, always, lingers, ..*need };
            }));
            gone.push(to);
        }
        gone
    }
}

#[cfg(test)]
mod tests;
