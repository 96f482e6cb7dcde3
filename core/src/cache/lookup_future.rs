//! What all futures of lookups have in common.

/// Makes a lookup a future: by which call it is polled, what it returns, and what its means must be able to do.
///
/// It moves freely: nothing in it refers to itself, and loads that do are boxed.
macro_rules! lookup_future {
    ($name:ident[$($call:ident),*]: $poll:ident -> $output:ty $(, where $($bounds:tt)+)?) => {
        impl<K: Key, Q: ?Sized, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher $(, $call)*> Unpin
            for $name<'_, K, Q, L, R, P, H $(, $call)*>
        $(where $($bounds)+)?
        {
        }

        impl<K: Key, Q, L: Source<K>, R: Runtime, P: Policy, H: BuildHasher $(, $call)*> Future
            for $name<'_, K, Q, L, R, P, H $(, $call)*>
        where
            K: Borrow<Q>,
            Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
            $($($bounds)+)?
        {
            type Output = $output;

            #[inline]
            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.0.$poll(cx)
            }
        }
    };
}

pub(super) use lookup_future;
