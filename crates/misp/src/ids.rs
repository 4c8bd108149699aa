//! Numbers and identifiers. MISP's users name things by either; a part's number is made of the row of
//! its event and its place there, so that none has to be kept.

use manara_store::view::Which;
use uuid::Uuid;

/// Places per event: more attributes than any event has.
const PLACES: u32 = 24;

/// The number of a part, from its event's row and the place that it is known by.
#[must_use]
pub(crate) fn of_part(row: i64, number: u32) -> i64 {
    (row << PLACES) | i64::from(number)
}

/// Row and place of a part's number.
#[must_use]
pub(crate) fn part(number: i64) -> Option<(i64, u32)> {
    let place = u32::try_from(number & ((1 << PLACES) - 1)).ok()?;
    (number > 0).then_some((number >> PLACES, place))
}

/// A number or an identifier, as text.
#[must_use]
pub(crate) fn which(text: &str) -> Option<Which> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(Which::Number(number));
    }
    // Without its dashes a UUID could be a number: MISP takes them with dashes only.
    (text.len() == 36).then(|| text.parse::<Uuid>().ok().map(Which::Uuid)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_s_number_tells_its_place() {
        for (row, place) in [(1, 0), (7, 1), (1 << 28, (1 << 24) - 1)] {
            assert_eq!(part(of_part(row, place)), Some((row, place)));
            assert!(of_part(row, place) < 1 << 53, "every JSON reader has it exactly");
        }
        assert_eq!(part(0), None);
        assert_eq!(which("12"), Some(Which::Number(12)));
        assert_eq!(which("x"), None);
    }
}
