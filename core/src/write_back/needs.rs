//! Flushing what has to be on disk first.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Unflushed,
    node::{Held, Node, Reach},
};
use crate::{Threads, dirty::Plan};

/// The flushes of other caches that have to succeed first, each cache once, and what has to go before it before that.
pub(super) struct Needs<T: Threads> {
    plan: Plan,
    /// By their places in the plan; the first is for whom they are.
    stops: Vec<Stop<T>>,
    running: Vec<usize>,
    /// What was wished for the next flush of a cache, which is this.
    wishes: Vec<(Node<T>, Held<T>, u64)>,
}

/// A cache that is flushed up to a number.
struct Stop<T: Threads> {
    cache: Option<Held<T>>,
    up_to: u64,
    flush: Option<T::Task<Result<(), Unflushed>>>,
    failed: Option<Unflushed>,
}

/// Looks what has to be flushed, from one cache to the next.
struct Walk<T: Threads> {
    needs: Needs<T>,
    /// So much had happened in the graph when it began.
    happened: u64,
    /// Those that are flushed up to a number, and no further: what goes before them is the affair of their own flushes.
    shots: BTreeMap<usize, usize>,
    /// Those of which all is flushed, and how far that has come.
    all: BTreeMap<usize, Found>,
    /// The way to where it is.
    path: Vec<Visit<T>>,
}

#[derive(Clone, Copy)]
enum Found {
    /// It is on the way.
    Open,
    /// Nothing is dirty there, nor before it.
    Clean,
    Dirty(usize),
}

struct Visit<T: Threads> {
    node: Node<T>,
    place: usize,
    /// The one of its edges that was looked at last.
    after: Option<usize>,
    is_clean: bool,
}

impl<T: Threads> Needs<T> {
    /// Looks what has to be flushed before this cache, as it is now.
    pub(super) fn of(node: &Node<T>) -> Self {
        let needs = Self { plan: Plan::new(), stops: Vec::new(), running: Vec::new(), wishes: Vec::new() };
        let (shots, all) = (BTreeMap::new(), BTreeMap::from([(node.id(), Found::Open)]));
        let mut walk = Walk { needs, happened: node.happened(), shots, all, path: Vec::new() };
        walk.enter(node.clone(), None);
        while walk.step() {}
        walk.needs.plan.begin();
        walk.needs
    }

    /// Ready when all have ended, with the first failure: the others are not given up because of it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unflushed>> {
        loop {
            while let Some((place, hindered)) = self.plan.next() {
                let failed = hindered.and_then(|by| self.stops[by].failed.clone());
                let stop = &mut self.stops[place];
                let Some(cache) = stop.cache.as_ref() else { return Poll::Ready(failed.map_or(Ok(()), Err)) };
                if failed.is_some() || !cache.is_dirty(stop.up_to) && cache.own().is_some() {
                    stop.failed = failed.map(|before| before.before(cache.name()));
                    self.plan.end(place, stop.failed.is_some());
                } else {
                    stop.flush = Some((*cache.upstream)(stop.up_to));
                    self.running.push(place);
                }
            }
            let Self { plan, stops, running, .. } = self;
            let before = running.len();
            running.retain(|place| {
                let stop = &mut stops[*place];
                let Some(flush) = &mut stop.flush else { return false };
                let Poll::Ready(result) = Pin::new(flush).poll(cx) else { return true };
                (stop.flush, stop.failed) = (None, result.err());
                plan.end(*place, stop.failed.is_some());
                false
            });
            if running.len() == before {
                return Poll::Pending;
            }
        }
    }

    /// All of it is on disk: what was wished for this flush is over.
    pub(super) fn succeed(self) {
        self.wishes.iter().for_each(|(node, other, wish)| node.end_wish(other, *wish));
    }

    fn stop(&mut self, cache: Option<Held<T>>, up_to: u64) -> usize {
        self.stops.push(Stop { cache, up_to, flush: None, failed: None });
        self.plan.add()
    }
}

impl<T: Threads> Walk<T> {
    fn enter(&mut self, node: Node<T>, cache: Option<Held<T>>) {
        let dirty_up_to = node.with(|edges| edges.dirty_up_to()).filter(|_| cache.is_some());
        let place = self.needs.stop(cache, dirty_up_to.unwrap_or(0));
        self.path.push(Visit { node, place, after: None, is_clean: dirty_up_to.is_none() });
    }

    /// Looks at one more edge; false when there is none left.
    fn step(&mut self) -> bool {
        let Some(visit) = self.path.last_mut() else { return false };
        let Some((id, needs, to)) = visit.node.with(|edges| edges.next_to(visit.after)) else {
            self.leave();
            return true;
        };
        visit.after = Some(id);
        let mut up_to = needs.up_to;
        if let Some(wish) = needs.until_flushed {
            up_to = up_to.max(visit.node.ask_now(&to, wish));
            self.needs.wishes.push((visit.node.clone(), to.clone(), wish));
        }
        let Reach::Own(node) = &to.node else {
            self.far(id, to, up_to.filter(|_| !needs.always));
            return true;
        };
        if needs.always {
            match self.all.get(&id).copied() {
                Some(Found::Dirty(place)) => self.wait_for(place),
                // On the way already: others have changed edges meanwhile, and its own flush sees to that.
                Some(Found::Open | Found::Clean) => {}
                None if node.with(|edges| edges.clean_at == self.happened) => _ = self.all.insert(id, Found::Clean),
                None => {
                    self.all.insert(id, Found::Open);
                    self.enter(node.clone(), Some(to));
                }
            }
        } else if let Some(up_to) = up_to.filter(|up_to| to.is_dirty(*up_to)) {
            self.shot(id, to, up_to);
        }
        true
    }

    /// It has to wait for changes of another up to this number.
    fn shot(&mut self, id: usize, to: Held<T>, up_to: u64) {
        let needs = &mut self.needs;
        let place = *self.shots.entry(id).or_insert_with(|| needs.stop(Some(to), up_to));
        needs.stops[place].up_to = needs.stops[place].up_to.max(up_to);
        self.wait_for(place);
    }

    /// The same for one that is far, which looks itself what has to go before it; without a number it is always needed.
    fn far(&mut self, id: usize, to: Held<T>, up_to: Option<u64>) {
        match up_to {
            Some(up_to) if !to.is_dirty(up_to) => {
                let _gone = self.path.last().and_then(|visit| visit.node.less_up_to(id, up_to));
            }
            Some(up_to) => self.shot(id, to, up_to),
            None => {
                let last = to.dirty_up_to().unwrap_or(0);
                self.shot(id, to, last);
            }
        }
    }

    /// Whoever it looks at has to wait for this one.
    fn wait_for(&mut self, place: usize) {
        if let Some(visit) = self.path.last_mut() {
            visit.is_clean = false;
            self.needs.plan.wait(visit.place, place);
        }
    }

    /// All edges of the last one were looked at.
    fn leave(&mut self) {
        let Some(Visit { node, place, is_clean, .. }) = self.path.pop() else { return };
        if self.path.is_empty() {
            return;
        }
        if is_clean {
            node.with(|edges| edges.clean_at = self.happened);
            self.all.insert(node.id(), Found::Clean);
        } else {
            self.all.insert(node.id(), Found::Dirty(place));
            self.wait_for(place);
        }
    }
}
