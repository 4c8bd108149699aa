//! Cursors for others: a place in a list, sealed. A bare number would tell how many records lie between
//! two that one may see, and whether there is one at all: existence is a secret.

use crate::{Result, Store, StoreError, seal};
use manara_model::Audience;

impl Store {
    /// A place as this audience is given it; each time another text.
    ///
    /// # Errors
    /// No random numbers from the system.
    pub fn close_cursor(&self, audience: &Audience, place: Option<i64>) -> Result<Option<String>> {
        let closed = place.map(|place| self.seal.close(&name(audience), &place.to_string())).transpose()?;
        Ok(closed.map(|text| text.trim_start_matches(seal::MARK).to_owned()))
    }

    /// The place that this audience was given.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for any other text, and for another's cursor.
    pub fn open_cursor(&self, audience: &Audience, text: Option<&str>) -> Result<Option<i64>> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let opened = self.seal.open(&name(audience), &format!("{}{text}", seal::MARK)).ok();
        let place = opened.and_then(|place| place.parse().ok());
        let wrong = || StoreError::Invalid("this cursor is none that you were given; begin without one".into());
        place.map(Some).ok_or_else(wrong)
    }
}

fn name(audience: &Audience) -> String {
    format!("cursor {audience}")
}
