//! A list that is hardly ever longer than one, which then needs no memory of its own.

use alloc::vec::Vec;

/// A few items, the first of them in place.
pub(crate) struct Few<T> {
    first: Option<T>,
    more: Vec<T>,
}

impl<T> Few<T> {
    pub(crate) const fn new() -> Self {
        Self { first: None, more: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.more)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.first.iter_mut().chain(&mut self.more)
    }

    /// The only one there is.
    #[inline]
    pub(crate) fn only(&self) -> Option<&T> {
        self.first.as_ref().filter(|_| self.more.is_empty())
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.iter().nth(at)
    }

    /// Adds one at the end.
    #[inline(always)]
    pub(crate) fn push(&mut self, item: T) {
        if self.is_empty() {
            self.first = Some(item);
        } else {
            self.more.push(item);
        }
    }

    /// Takes out the first that matches; the others keep their order.
    pub(crate) fn take(&mut self, mut is_meant: impl FnMut(&T) -> bool) -> Option<T> {
        if self.first.as_ref().is_some_and(&mut is_meant) {
            return self.first.take();
        }
        let at = self.more.iter().position(is_meant)?;
        Some(self.more.remove(at))
    }

    /// Takes out any.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.more.capacity() == 0 {
            return self.first.take();
        }
        let item = self.first.take().or_else(|| self.more.pop());
        if self.more.is_empty() {
            self.more = Vec::new();
        }
        item
    }

    /// Forgets all but those that are to stay.
    pub(crate) fn retain(&mut self, mut stays: impl FnMut(&T) -> bool) {
        if self.first.as_ref().is_some_and(|first| !stays(first)) {
            self.first = None;
        }
        self.more.retain(stays);
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests;
