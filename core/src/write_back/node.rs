//! The graph of all caches.

use alloc::{
    sync::{Arc, Weak},
    vec::Vec,
};
use core::any::Any;

use super::{
    Unflushed,
    group::{GraphLock, Member},
};
use crate::{
    Lock, OneThread, Threads,
    dirty::{Edges, Kind, Need, way},
};

/// A cache in the graph.
pub(super) struct Node<T: Threads>(Arc<Inner<T>>);

pub(super) struct Inner<T: Threads> {
    name: Arc<str>,
    group: Member,
    /// Innermost of all locks: under it, no other is taken.
    edges: GraphLock<Edges<Held<T>, Weak<Self>>>,
}

/// A cache as those hold it that depend on it. Dropped, it may be the last that did: never under a lock. Public only as a
/// part of a trait.
pub struct Held<T: Threads> {
    pub(super) node: Reach<T>,
    pub(super) upstream: Arc<Other<T>>,
}

/// Where a cache is in the graph, as seen from one that is to depend on it.
pub(super) enum Reach<T: Threads> {
    Own(Node<T>),
    /// On many threads, and that is not where the other one is. So no way leads back, and it cannot tell when it was flushed:
    /// it is asked whether a change up to a number is not on disk, and tells the last one then.
    Far(usize, Arc<str>, Arc<T::Callback<u64, Option<u64>>>),
}

/// Another cache, which is flushed before this one: flushes changes up to a number.
pub(super) type Other<T> = <T as Threads>::Callback<u64, FlushOf<T>>;

/// The flush of a whole cache.
pub(super) type FlushOf<T> = <T as Threads>::Task<Result<(), Unflushed>>;

/// Who is to hear that a cache was flushed up to a number.
pub(super) type Served<T> = Vec<(Weak<Inner<T>>, u64)>;

/// So often a circle is looked for while others change edges; then they wait.
const LOOKS: u32 = 4;

impl<T: Threads> Clone for Node<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Threads> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self { node: self.node.clone(), upstream: Arc::clone(&self.upstream) }
    }
}

impl<T: Threads> Clone for Reach<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Own(node) => Self::Own(node.clone()),
            Self::Far(id, name, dirty) => Self::Far(*id, Arc::clone(name), Arc::clone(dirty)),
        }
    }
}

impl Reach<OneThread> {
    pub(super) fn of<T: Threads>(node: Node<T>) -> Self {
        if let Some(own) = (&node as &dyn Any).downcast_ref::<Node<OneThread>>() {
            return Self::Own(own.clone());
        }
        let (id, name) = (node.id(), Arc::clone(node.name()));
        let dirty = move |up_to| node.with(|edges| edges.dirty_up_to().filter(|_| edges.is_dirty(up_to)));
        Self::Far(id, name, Arc::new(dirty))
    }
}

impl<T: Threads> Held<T> {
    pub(super) const fn own(&self) -> Option<&Node<T>> {
        if let Reach::Own(node) = &self.node { Some(node) } else { None }
    }

    pub(super) fn id(&self) -> usize {
        match &self.node {
            Reach::Own(node) => node.id(),
            Reach::Far(id, ..) => *id,
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        match &self.node {
            Reach::Own(node) => node.name(),
            Reach::Far(_, name, _) => name,
        }
    }

    /// Returns the number of the last change, if there is one that is not on disk.
    pub(super) fn dirty_up_to(&self) -> Option<u64> {
        match &self.node {
            Reach::Own(node) => node.with(|edges| edges.dirty_up_to()),
            Reach::Far(.., dirty) => (**dirty)(u64::MAX),
        }
    }

    /// Tells whether a change up to this number is not on disk.
    pub(super) fn is_dirty(&self, up_to: u64) -> bool {
        match &self.node {
            Reach::Own(node) => node.with(|edges| edges.is_dirty(up_to)),
            Reach::Far(.., dirty) => (**dirty)(up_to).is_some(),
        }
    }
}

/// What comes of a try to add an edge. What has gone by that is dropped outside of the lock.
enum Tried<T: Threads> {
    Added([Option<Held<T>>; 2]),
    /// Others have changed edges meanwhile, or one of them has given way.
    Again(Option<Held<T>>),
    Circle,
}

impl<T: Threads> Node<T> {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self(Arc::new(Inner { name, group: Member::new(), edges: GraphLock::new(Edges::new()) }))
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

    /// Tells how much has happened among the caches that are in the same group: as long as it is no more, what was clean is.
    pub(super) fn happened(&self) -> u64 {
        self.0.group.with(|common| common.happened)
    }

    /// Notes the first change that is not on disk, and the last one; returns who is to be [served](Self::serve).
    pub(super) fn note(&self, oldest: Option<u64>, last: u64) -> Served<T> {
        let (has_become_dirty, served) = self.with(|edges| {
            let was_clean = !edges.is_dirty(u64::MAX);
            (was_clean && oldest.is_some(), edges.note(oldest, last))
        });
        if has_become_dirty {
            self.0.group.with(|common| common.happened += 1);
        }
        served
    }

    /// Tells them that this one was flushed; not to be done under its cache's lock.
    pub(super) fn serve(&self, served: Served<T>) {
        for (one, up_to) in served {
            if let Some(one) = one.upgrade() {
                let one = Self(one);
                let _gone = one.less_up_to(self.id(), up_to);
            }
        }
    }

    /// Another was flushed up to a number, and knows that; returns it if it is not needed any more.
    pub(super) fn less_up_to(&self, other: usize, up_to: u64) -> Option<Held<T>> {
        let less = |needs: &mut Need| needs.up_to = needs.up_to.filter(|needed| *needed > up_to);
        self.with(|edges| edges.lessen(other, less))?.1
    }

    /// Makes what is needed of another less, flushed or not; returns it if it is not needed any more.
    pub(super) fn lessen(&self, other: &Held<T>, less: impl FnOnce(&mut Need)) -> Option<Held<T>> {
        self.0.group.with(|_| self.lessen_both(other.id(), other.own(), less))
    }

    fn lessen_both(&self, id: usize, other: Option<&Self>, less: impl FnOnce(&mut Need)) -> Option<Held<T>> {
        let (left, gone) = self.with(|edges| edges.lessen(id, less))?;
        if let Some(other) = other {
            other.with(|edges| edges.needed_less(self.id(), left));
        }
        gone
    }

    /// Has another be flushed before this one.
    ///
    /// # Errors
    ///
    /// The names along the circle that this would close, the first one again at the end; nothing has changed then.
    pub(super) fn connect(&self, to: &Held<T>, kind: Kind) -> Result<(), Vec<Arc<str>>> {
        if let Some(node) = to.own() {
            self.0.group.join(&node.0.group);
        }
        let mut looks = 0;
        loop {
            // Others need not wait while it is looked for a circle, unless they would have it done again and again.
            let before = self.0.group.with(|common| common.added);
            let mut way = (looks < LOOKS).then(|| self.way_back(to));
            looks += 1;
            let tried = self.0.group.with(|common| {
                if way.is_some() && common.added != before {
                    return Tried::Again(None);
                }
                let Some(way) = way.get_or_insert_with(|| self.way_back(to)) else {
                    common.add();
                    return Tried::Added(self.add(to, kind));
                };
                let need = |pair: &[Self]| pair[0].with(|edges| edges.needs(pair[1].id()));
                let gives_way = |pair: &&[Self]| need(pair).is_none_or(Need::gives_way);
                match way.windows(2).find(gives_way) {
                    Some(pair) => {
                        let less = |need: &mut Need| need.until_flushed = None;
                        Tried::Again(pair[0].lessen_both(pair[1].id(), Some(&pair[1]), less))
                    }
                    None => Tried::Circle,
                }
            });
            match tried {
                // What is gone is dropped here.
                Tried::Added(_gone) => return Ok(()),
                Tried::Again(_gone) => {}
                Tried::Circle => {
                    let circle = core::iter::once(self).chain(way.iter().flatten().flatten());
                    return Err(circle.map(|node| Arc::clone(node.name())).collect());
                }
            }
        }
    }

    /// Adds an edge on both sides; returns what is not needed.
    fn add(&self, to: &Held<T>, kind: Kind) -> [Option<Held<T>>; 2] {
        let known = self.with(|edges| edges.need(to.id(), to.clone(), kind));
        let tell = |node: &Self| node.with(|edges| edges.needed_by(self.id(), Arc::downgrade(&self.0), kind));
        let gone = match kind {
            // It has been flushed in between, and would not be heard of again.
            Kind::UpTo(last) if to.own().is_some_and(|node| !tell(node)) => self.less_up_to(to.id(), last),
            Kind::UpTo(_) => None,
            Kind::UntilFlushed | Kind::Always => {
                to.own().map(tell);
                None
            }
        };
        [known, gone]
    }

    /// Returns the caches along a way from another to this one, both included.
    fn way_back(&self, from: &Held<T>) -> Option<Vec<Self>> {
        let from = from.own()?;
        let ahead = |node: &Self, mut after| loop {
            let (id, _, to) = node.with(|edges| edges.next_to(after))?;
            match to.node {
                Reach::Own(to) => return Some((id, to)),
                Reach::Far(..) => after = Some(id),
            }
        };
        let behind = |node: &Self, mut after| loop {
            let (id, from) = node.with(|edges| edges.next_from(after))?;
            match from.upgrade() {
                Some(from) => return Some((id, Self(from))),
                None => after = Some(id),
            }
        };
        way((from.id(), from.clone()), (self.id(), self.clone()), ahead, behind)
            .map(|way| way.into_iter().map(|(_, node)| node).collect())
    }

    /// Has what is dirty now in another that goes first until this one is flushed be what is needed of it; returns up to which
    /// number that is. If nothing is, the wish is over.
    pub(super) fn ask_now(&self, to: &Held<T>, wish: u64) -> Option<u64> {
        let Some(up_to) = to.dirty_up_to() else {
            self.end_wish(to, wish);
            return None;
        };
        let _known = self.0.group.with(|common| {
            common.add();
            self.add(to, Kind::UpTo(up_to))
        });
        Some(up_to)
    }

    /// Ends a wish, unless it has been wished anew.
    pub(super) fn end_wish(&self, other: &Held<T>, wish: u64) {
        let _gone = self.lessen(other, |needs| needs.until_flushed = needs.until_flushed.filter(|is| *is != wish));
    }

    /// Forgets what has to be flushed first, all of it or but for what always has; returns what is to be dropped.
    pub(super) fn forget(&self, all: bool) -> Vec<Held<T>> {
        let (mut gone, mut after) = (Vec::new(), None);
        while let Some((id, _, to)) = self.with(|edges| edges.next_to(after)) {
            after = Some(id);
            gone.extend(self.lessen(&to, |need| *need = Need { always: need.always && !all, ..Need::default() }));
            gone.push(to);
        }
        gone
    }
}
