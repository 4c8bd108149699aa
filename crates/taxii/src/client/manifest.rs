//! When the objects of a page were added, by the manifest (TAXII 2.1 §5.3), where the page itself does not say it.

use super::ClientError;
use super::Server;
use super::envelope::{Page, Said};
use serde_json::Value;
use std::collections::HashSet;
use url::Url;

/// The first and the last date of a page's objects. Up to the last, all of the manifest's entries are in the page: so
/// nothing lies before it that was not had. `None`: the manifest does not say.
pub(crate) fn dates(server: &Server<'_>, url: &Url, page: &mut Page) -> Result<Option<(Said, Said)>, ClientError> {
    let mut ids = HashSet::new();
    page.each_run(&HashSet::new(), &mut |objects| {
        ids.extend(objects.iter().filter_map(|raw| manara_formats::Members::parse(raw.get()).ok()?.text("id")));
        Ok(())
    })?;
    let manifest = match server.get(url) {
        Ok(mut reply) => reply.json()?,
        // It is asked for help only.
        Err(ClientError::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let entries = manifest.get("objects").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut dates: Option<(Said, Said)> = None;
    for entry in entries {
        let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some(added) = entry.get("date_added").and_then(Value::as_str).and_then(Said::read) else { break };
        // Entries that are not sorted tell nothing of what lies before.
        if !ids.contains(id) || dates.is_some_and(|(_, last)| added.at < last.at) {
            break;
        }
        dates = Some((dates.map_or(added, |(first, _)| first), added));
    }
    Ok(dates)
}
