//! Which cache is to be flushed before which.
//!
//! `N` is how a cache is held by the caches that depend on it, and `W` how it knows of them; each cache has its own
//! number, by which both find it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::ops::Bound::{Excluded, Unbounded};

/// How a cache depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What has been changed there up to this number: one shot.
    UpTo(u64),
    /// What is dirty there when this one is flushed next.
    UntilFlushed,
    /// All that is dirty there, each time.
    Always,
}

/// What a cache needs of one that is to be flushed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Changes up to this number have to be on disk.
    pub(crate) up_to: Option<u64>,
    /// What is dirty there goes first when this one is flushed next; that is the number of the wish.
    pub(crate) until_flushed: Option<u64>,
    pub(crate) always: bool,
    /// How many flushes under way obey it.
    pub(crate) obeyed: usize,
    /// It was taken back, and counts for circles until those have ended.
    pub(crate) lingers: bool,
}

/// One cache in the graph: what has to be flushed before it and after it, and what others have to know about it.
pub(crate) struct Edges<N, W> {
    to: BTreeMap<usize, (Need, N)>,
    from: BTreeMap<usize, Dependent<W>>,
    /// Those of them that need changes up to a number, by that.
    shots: BTreeSet<(u64, usize)>,
    /// The first change that is not on disk, and the last there was.
    oldest: Option<u64>,
    last: u64,
    wishes: u64,
    /// Nothing was dirty here, or in what has to be flushed before, when this much had happened in the graph.
    pub(crate) clean_at: u64,
}

struct Dependent<W> {
    node: W,
    up_to: Option<u64>,
    /// It would need something even if all that is dirty now were flushed.
    stays: bool,
}

impl Need {
    /// Returns whether it is only until the next flush: that counts for no circle, and gives way to what would close
    /// one.
    pub(crate) const fn gives_way(self) -> bool {
        self.up_to.is_none() && !self.always && !self.lingers
    }

    const fn stays(self) -> bool {
        self.until_flushed.is_some() || self.always || self.lingers
    }

    /// Returns whether a flush that begins now needs nothing.
    pub(crate) const fn is_over(self) -> bool {
        self.up_to.is_none() && self.until_flushed.is_none() && !self.always
    }
}

impl<N: Clone, W: Clone> Edges<N, W> {
    pub(crate) fn new() -> Self {
        let (to, from, shots) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { to, from, shots, oldest: None, last: 0, wishes: 0, clean_at: 0 }
    }

    /// Returns the number of the last change, if one is not on disk.
    pub(crate) fn dirty_up_to(&self) -> Option<u64> {
        self.oldest.map(|_| self.last)
    }

    /// Returns whether a change up to this number is not on disk.
    pub(crate) fn is_dirty(&self, up_to: u64) -> bool {
        self.oldest.is_some_and(|oldest| oldest <= up_to)
    }

    /// Notes the first change that is not on disk, and the last change; returns which caches now have what they need,
    /// and up to which number.
    pub(crate) fn note(&mut self, oldest: Option<u64>, last: u64) -> Vec<(W, u64)> {
        (self.oldest, self.last) = (oldest, last);
        let mut served = Vec::new();
        while let Some((up_to, id)) = self.shots.first().copied().filter(|(up_to, _)| !self.is_dirty(*up_to)) {
            served.extend(self.from.get(&id).map(|from| (from.node.clone(), up_to)));
            self.not_needed_up_to(id);
        }
        served
    }

    /// Adds what this cache needs of another, which then has to be told by [`needed_by`](Self::needed_by); returns the
    /// other if it was known already. One need of a kind is enough, and a higher number includes a lower one.
    pub(crate) fn need(&mut self, id: usize, to: N, kind: Kind) -> Option<N> {
        let mut to = Some(to);
        let (needs, _) = match self.to.get_mut(&id) {
            Some(known) => known,
            None => self.to.entry(id).or_insert((Need::default(), to.take()?)),
        };
        match kind {
            Kind::UpTo(last) => needs.up_to = needs.up_to.max(Some(last)),
            Kind::UntilFlushed => {
                self.wishes += 1;
                needs.until_flushed = Some(self.wishes);
            }
            Kind::Always => needs.always = true,
        }
        to
    }

    /// Another cache needs something of this one; returns whether anything of that is left to be done.
    pub(crate) fn needed_by(&mut self, id: usize, node: W, kind: Kind) -> bool {
        if matches!(kind, Kind::UpTo(last) if !self.is_dirty(last)) {
            return false;
        }
        let from = self.from.entry(id).or_insert(Dependent { node, up_to: None, stays: false });
        match kind {
            Kind::UpTo(last) if from.up_to < Some(last) => {
                if let Some(before) = from.up_to.replace(last) {
                    self.shots.remove(&(before, id));
                }
                self.shots.insert((last, id));
            }
            Kind::UpTo(_) => {}
            Kind::UntilFlushed | Kind::Always => from.stays = true,
        }
        true
    }

    /// Reduces what this cache needs of another; returns what is left, and the other cache if nothing is.
    pub(crate) fn lessen(&mut self, id: usize, less: impl FnOnce(&mut Need)) -> Option<(Need, Option<N>)> {
        let (needs, _) = self.to.get_mut(&id)?;
        less(needs);
        needs.lingers &= needs.obeyed > 0;
        let left = *needs;
        let gone = if left.is_over() && left.obeyed == 0 { self.to.remove(&id).map(|(_, to)| to) } else { None };
        Some((left, gone))
    }

    /// Another cache needs no more of this one than that.
    pub(crate) fn needed_less(&mut self, id: usize, left: Need) {
        if let Some(from) = self.from.get_mut(&id) {
            from.stays = left.stays();
            // What was needed up to a number may have been served, which the other one does not know yet.
            if left.up_to.is_none() || from.up_to.is_none() {
                self.not_needed_up_to(id);
            }
        }
    }

    fn not_needed_up_to(&mut self, id: usize) {
        let Some(from) = self.from.get_mut(&id) else { return };
        if let Some(up_to) = from.up_to.take() {
            self.shots.remove(&(up_to, id));
        }
        if !from.stays {
            self.from.remove(&id);
        }
    }

    /// Returns what this one needs of another.
    pub(crate) fn needs(&self, id: usize) -> Option<Need> {
        self.to.get(&id).map(|(needs, _)| *needs)
    }

    /// Returns the next of the caches that this one needs, after that number, for a flush that obeys it from now on.
    pub(crate) fn obey(&mut self, after: Option<usize>) -> Option<(usize, Need, N)> {
        let mut next = self.to.range_mut((after.map_or(Unbounded, Excluded), Unbounded));
        let (id, (needs, to)) = next.find(|(_, (needs, _))| !needs.is_over())?;
        needs.obeyed += 1;
        Some((*id, *needs, to.clone()))
    }

    /// Returns the next of the caches that this one needs or that flushes under way obey, after that number.
    pub(crate) fn next_to<O>(&self, after: Option<usize>, see: impl FnOnce(&N) -> O) -> Option<(usize, Need, O)> {
        let (id, (needs, to)) = self.to.range((after.map_or(Unbounded, Excluded), Unbounded)).next()?;
        Some((*id, *needs, see(to)))
    }

    /// Returns the next of the caches that need this one, after that number.
    pub(crate) fn next_from(&self, after: Option<usize>) -> Option<(usize, W)> {
        let (id, from) = self.from.range((after.map_or(Unbounded, Excluded), Unbounded)).next()?;
        Some((*id, from.node.clone()))
    }
}

/// One of two searches that are to meet.
struct Search<N> {
    /// What was found, each with the cache that led to it.
    seen: BTreeMap<usize, (N, Option<usize>)>,
    /// The path to where it is, each with the neighbour that was looked at last.
    path: Vec<(usize, N, Option<usize>)>,
}

impl<N: Clone> Search<N> {
    /// Looks at one more edge; returns what it has found, if that is new.
    fn step(&mut self, next: impl Fn(&N, Option<usize>) -> Option<(usize, Option<N>)>) -> Option<usize> {
        let (id, node, after) = self.path.last_mut()?;
        let Some((found, neighbour)) = next(node, *after) else {
            self.path.pop();
            return None;
        };
        *after = Some(found);
        let neighbour = neighbour.filter(|_| !self.seen.contains_key(&found))?;
        self.seen.insert(found, (neighbour.clone(), Some(*id)));
        self.path.push((found, neighbour, None));
        Some(found)
    }

    /// Returns what lies between a cache that was found and the start, both included.
    fn back(&self, from: usize) -> Vec<N> {
        let mut way = Vec::new();
        let mut next = Some(from);
        while let Some((node, by)) = next.and_then(|id| self.seen.get(&id)) {
            way.push(node.clone());
            next = *by;
        }
        way
    }
}

/// Returns the caches on a path from one to the other, both included; `ahead` and `behind` give their neighbours one by
/// one, without those that no path may lead through.
///
/// It searches from both ends in turn, and ends when one of them leads nowhere: so it takes time for what lies between
/// the two, whatever else there is beyond either.
pub(crate) fn way<N: Clone>(
    from: (usize, N),
    to: (usize, N),
    ahead: impl Fn(&N, Option<usize>) -> Option<(usize, Option<N>)>,
    behind: impl Fn(&N, Option<usize>) -> Option<(usize, Option<N>)>,
) -> Option<Vec<N>> {
    let (start, end) = (from.0, to.0);
    let search =
        |(id, node): (usize, N)| Search { seen: [(id, (node.clone(), None))].into(), path: [(id, node, None)].into() };
    let (mut down, mut up) = (search(from), search(to));
    let mut met = (start == end).then_some(start);
    while met.is_none() {
        if up.path.is_empty() || down.path.is_empty() {
            return None;
        }
        met = up.step(&behind).filter(|id| down.seen.contains_key(id));
        met = met.or_else(|| down.step(&ahead).filter(|id| up.seen.contains_key(id)));
    }
    let met = met?;
    let mut way = down.back(met);
    way.reverse();
    way.extend(up.back(met).into_iter().skip(1));
    Some(way)
}

#[cfg(test)]
mod tests;
