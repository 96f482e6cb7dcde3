//! What a newcomer needs that its shard has not.

/// What a newcomer needs that its shard could not make room for: nothing has happened, and it is to come again once others have
/// given that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Need {
    #[default]
    Nothing,
    Room(RoomNeed),
    /// Room for a failure, for which nothing has to leave that is stored in its own shard.
    RoomBeside,
    /// It has what it asked for, and may ask once more if what it is to replace has left meanwhile.
    Given,
    /// It has what others could give.
    Met,
}

/// Room for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoomNeed {
    pub(crate) weight: u64,
    /// The value that it takes the place of, which stays until then.
    pub(crate) former: Option<Spared>,
}

/// A value that is not to leave for another of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spared {
    pub(super) hash: u64,
    pub(super) generation: u32,
    pub(super) weight: u64,
}

impl Need {
    /// Does what it asks for spare a value?
    pub(crate) const fn spares(self) -> bool {
        matches!(self, Self::Room(RoomNeed { former: Some(_), .. }))
    }
}

impl RoomNeed {
    /// How much is missing beside what the value has that it takes the place of.
    pub(crate) fn lack(&self) -> u64 {
        self.weight - self.former.map_or(0, |former| former.weight.min(self.weight))
    }
}
