//! What is looked for: one index, or several, as a day's delta beside the base or a list of each partner.
//!
//! Where two hold the same indicator, the same kind and the same normal form, it is told once, as the first one's,
//! with what all of them know of it.

use crate::details::{Details, details};
use manara_matching::{Index, Kind};

/// Indexes, the first named first.
#[derive(Debug, Clone, Copy)]
pub struct Indexes<'a>(&'a [Index]);

/// An indicator of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Indicator {
    /// Which index.
    pub index: u16,
    /// Its number there.
    pub number: u32,
}

impl<'a> Indexes<'a> {
    /// Most that can be searched for at once.
    pub const MOST: usize = 64;

    /// Those of a list; what is beyond [`Indexes::MOST`] is left out.
    #[must_use]
    pub fn new(indexes: &'a [Index]) -> Indexes<'a> {
        Indexes(&indexes[..indexes.len().min(Indexes::MOST)])
    }

    /// All of them.
    pub(crate) fn all(self) -> &'a [Index] {
        self.0
    }

    /// Indicators in all of them; what two hold counts twice.
    #[must_use]
    pub fn len(self) -> u64 {
        self.0.iter().map(|index| u64::from(index.len())).sum()
    }

    /// Indicators of a kind in all of them, counted as for [`Indexes::len`].
    #[must_use]
    pub fn count(self, kind: Kind) -> u64 {
        self.0.iter().map(|index| index.count(kind)).sum()
    }

    /// Whether they hold none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn of(self, indicator: Indicator) -> Option<&'a Index> {
        self.0.get(usize::from(indicator.index))
    }

    /// An indicator as it is shown.
    #[must_use]
    pub fn text(self, indicator: Indicator) -> &'a str {
        self.of(indicator).map_or("", |index| index.text(indicator.number))
    }

    /// An indicator's kind; `None` where the file is broken.
    #[must_use]
    pub fn kind(self, indicator: Indicator) -> Option<Kind> {
        self.of(indicator)?.kind(indicator.number)
    }

    /// What they know of an indicator; `None` where all were made of bare values.
    #[must_use]
    pub fn details(self, indicator: Indicator) -> Option<Details> {
        let own = (self.of(indicator)?, indicator.number);
        let (Some(kind), [_, _, ..]) = (self.kind(indicator), self.0) else { return details([own]) };
        let others = self.0.iter().enumerate().filter(|(n, _)| *n != usize::from(indicator.index));
        let others = others.filter_map(|(_, index)| Some((index, index.find(kind, self.text(indicator))?)));
        details(std::iter::once(own).chain(others))
    }

    /// Whether one that was named before holds an indicator too.
    pub(crate) fn held_before(self, indicator: Indicator, kind: Kind) -> bool {
        let before = &self.0[..usize::from(indicator.index).min(self.0.len())];
        !before.is_empty() && before.iter().any(|index| index.holds(kind, self.text(indicator)))
    }
}
