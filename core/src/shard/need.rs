//! What a newcomer needs that its shard does not have.

/// What a newcomer needs that its shard has no room for.
///
/// Nothing has happened yet, and the newcomer comes again once others have given room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Need {
    #[default]
    Nothing,
    Room(RoomNeed),
    /// Room for a failure; nothing stored in its own shard has to leave for it.
    RoomBeside,
    /// It has the room it asked for, and may ask once more if the value that it replaces has left meanwhile.
    Given,
    /// It has all that others could give.
    Met,
}

/// Room for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoomNeed {
    pub(crate) weight: u64,
    /// The value that it replaces, which stays until then.
    pub(crate) former: Option<Spared>,
}

/// A value that must not leave for another one of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spared {
    pub(super) hash: u64,
    pub(super) generation: u32,
    pub(super) weight: u64,
}

impl Need {
    /// Does it ask to spare a value?
    pub(crate) const fn spares(self) -> bool {
        matches!(self, Self::Room(RoomNeed { former: Some(_), .. }))
    }
}

impl RoomNeed {
    /// How much is missing beyond the weight of the value that it replaces.
    pub(crate) fn lack(&self) -> u64 {
        self.weight - self.former.map_or(0, |former| former.weight.min(self.weight))
    }
}
