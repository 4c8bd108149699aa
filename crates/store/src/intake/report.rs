//! What an import did, in numbers, and what it did not take.

use manara_model::record::Rejection;
use serde::Serialize;

/// Rejections and warnings are kept up to this many each; beyond it they are counted.
const KEPT: usize = 1000;

/// An import's report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records seen.
    pub records: u64,
    /// Mentions of observables in what was added or updated.
    pub observables: u64,
    /// New records.
    pub added: u64,
    /// New versions of records.
    pub updated: u64,
    /// Records that the holder has already.
    pub unchanged: u64,
    /// What was not taken, with place and reason (the first thousand).
    pub rejected: Vec<Rejection>,
    /// What was taken, but should be known (the first thousand).
    pub warnings: Vec<Rejection>,
    /// All rejections, also those beyond the thousand.
    pub rejected_total: u64,
    /// All warnings.
    pub warnings_total: u64,
}

impl Report {
    /// Adds a rejection.
    pub fn reject(&mut self, rejection: Rejection) {
        self.rejected_total += 1;
        if self.rejected.len() < KEPT {
            self.rejected.push(rejection.tidied());
        }
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Rejection) {
        self.warnings_total += 1;
        if self.warnings.len() < KEPT {
            self.warnings.push(warning.tidied());
        }
    }

    /// Adds another file's report.
    pub fn merge(&mut self, other: Report) {
        self.records += other.records;
        self.observables += other.observables;
        self.added += other.added;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.rejected_total += other.rejected_total;
        self.warnings_total += other.warnings_total;
        let room = KEPT.saturating_sub(self.rejected.len());
        self.rejected.extend(other.rejected.into_iter().take(room));
        let room = KEPT.saturating_sub(self.warnings.len());
        self.warnings.extend(other.warnings.into_iter().take(room));
    }
}
