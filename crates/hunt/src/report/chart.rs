//! Hits a day as bars, and the same in figures.

use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Most bars; longer times are put together, several days a bar.
const BARS: i64 = 60;
/// Size of the drawing, in its own units.
pub(super) const WIDTH: f64 = 720.0;
pub(super) const HEIGHT: f64 = 160.0;
/// Widest bar.
const WIDEST: f64 = 36.0;

/// A chart and its table.
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    pub(super) first: Date,
    pub(super) last: Date,
    /// Days from the first to the last, both counted.
    pub(super) days: i64,
    /// Days of one bar.
    pub(super) step: i64,
    /// Hits of the highest bar.
    pub(super) highest: u64,
}

/// One bar that is not empty.
pub(super) struct Bar {
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) hits: u64,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
}

impl Chart {
    /// `None` where no day is known.
    pub(super) fn of(days: &BTreeMap<Date, u64>) -> Option<Chart> {
        let ((&first, _), (&last, _)) = (days.first_key_value()?, days.last_key_value()?);
        let place = |day: Date| day.duration_since(first).as_hours() / 24;
        let span = place(last) + 1;
        let step = (span + BARS - 1) / BARS;
        let mut sums: BTreeMap<i64, u64> = BTreeMap::new();
        for (day, hits) in days {
            let sum = sums.entry(place(*day) / step).or_default();
            *sum = sum.saturating_add(*hits);
        }
        let highest = sums.values().copied().max().unwrap_or(0).max(1);
        let room = WIDTH / (((span + step - 1) / step) as f64);
        let width = (room * 0.8).min(WIDEST);
        let bar = |(n, hits): (i64, u64)| {
            // The smallest is still to be seen.
            let height = (hits as f64 / highest as f64 * HEIGHT).max(2.0);
            Bar {
                from: first.saturating_add((n * step).days()),
                to: first.saturating_add((n * step + step - 1).min(span - 1).days()),
                hits,
                x: format!("{:.1}", n as f64 * room + (room - width) / 2.0),
                y: format!("{:.1}", HEIGHT - height),
                width: format!("{width:.1}"),
                height: format!("{height:.1}"),
            }
        };
        Some(Chart { bars: sums.into_iter().map(bar).collect(), first, last, days: span, step, highest })
    }
}
