//! What is in a collection (TAXII 2.1 §5.3 to §5.8): manifest, objects, one object, its versions.

use crate::answer::{Answer, Fault};
use crate::collections::Collection;
use crate::found;
use crate::query::{self, Asked, Filters};
use crate::shelf::Shelf;
use crate::time;
use manara_model::record::StixObject;
use manara_model::{Cleared, Purpose};
use manara_store::Store;
use manara_store::collections::{Boxed, Versions};
use manara_store::people::Caller;
use std::fmt::Write;

/// What is read, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Source<'r> {
    pub(crate) store: &'r Store,
    pub(crate) shelf: &'r Shelf,
    pub(crate) collection: &'r Collection,
    pub(crate) caller: &'r Caller,
}

impl Source<'_> {
    /// The page that is asked for.
    fn page(&self, asked: &Asked) -> Result<Boxed, Fault> {
        if let Some(search) = &self.collection.is.search {
            return found::page(self.store, self.shelf, self.collection, search, self.caller, asked);
        }
        // With bodies even for a manifest: an object that only speaks of something hidden is not told of there
        // either.
        let view = self.store.view(self.caller.audience(), Purpose::Read)?;
        Ok(view.boxed(self.collection.row, &asked.wanted, asked.limit, true)?)
    }
}

/// When the first and the last of them came (§3.2, §3.5). Of an empty page: where the client is.
fn dated(answer: Answer, page: &Boxed, asked: &Asked) -> Answer {
    let of = |object: Option<&Cleared<StixObject>>| object.map(|object| object.added);
    let here = page.last.filter(|_| page.more).unwrap_or(asked.wanted.after.max(0));
    let first = of(page.objects.first()).unwrap_or(here);
    let last = of(page.objects.last()).unwrap_or(here);
    answer.with("x-taxii-date-added-first", time::text(first)).with("x-taxii-date-added-last", time::text(last))
}

/// Whether there are more, and where they begin, as the first members of a resource (§3.7). Manifests and versions
/// are asked for with `next` as well (§5.3, §5.8), so they tell it too.
fn begun(page: &Boxed) -> String {
    let mut out = format!(r#"{{"more":{}"#, page.more);
    if let Some(last) = page.last.filter(|_| page.more) {
        let _ = write!(out, r#","next":"{}""#, query::next(last));
    }
    out
}

/// A manifest or a list of versions; with nothing in it, it is an empty object (§5.3.1, §5.8.1).
fn listed(page: &Boxed, name: &str, item: impl Fn(&StixObject, &mut String)) -> Vec<u8> {
    if page.objects.is_empty() && !page.more {
        return b"{}".to_vec();
    }
    let mut out = begun(page);
    for (n, object) in page.objects.iter().enumerate() {
        if n == 0 {
            let _ = write!(out, r#","{name}":["#);
        } else {
            out.push(',');
        }
        item(object, &mut out);
    }
    out.push_str(if page.objects.is_empty() { "}" } else { "]}" });
    out.into_bytes()
}

fn with_object(asked: &mut Asked, id: &str) -> Result<(), Fault> {
    let id = query::object_id(id).ok_or_else(|| Fault::missing("object"))?;
    asked.wanted.ids = vec![id];
    Ok(())
}

/// The objects of a page as an envelope (§3.7), each as it came.
fn envelope(page: &Boxed) -> Vec<u8> {
    let size: usize = page.objects.iter().map(|object| object.raw.len() + 1).sum();
    let mut out = begun(page);
    out.reserve(size + 20);
    if !page.objects.is_empty() {
        out.push_str(r#","objects":["#);
        for (n, object) in page.objects.iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            out.push_str(&object.raw);
        }
        out.push(']');
    }
    out.push('}');
    out.into_bytes()
}

/// §5.4, and of one object §5.6
pub(crate) fn objects(from: Source<'_>, query: &str, id: Option<&str>) -> Result<Answer, Fault> {
    let filters = if id.is_some() { Filters::OfObject } else { Filters::All };
    let mut asked = query::read(query, filters)?;
    if let Some(id) = id {
        with_object(&mut asked, id)?;
    }
    let page = from.page(&asked)?;
    if let Some(id) = id.filter(|_| page.objects.is_empty()) {
        // A version that was named and is not there, taken out or never seen, is as an object that is not (§5.7).
        if asked.wanted.after < 0 && asked.wanted.specs.is_empty() {
            return Err(Fault::missing("object"));
        }
        exists(from, id)?;
    }
    Ok(dated(Answer::bytes(envelope(&page)), &page, &asked))
}

/// Is an object there for the caller, whatever else was asked for? An unknown one is a 404 (§5.6, §5.8).
fn exists(from: Source<'_>, id: &str) -> Result<(), Fault> {
    let mut any = query::read("limit=1", Filters::OfVersions)?;
    any.wanted.versions = Versions::All;
    with_object(&mut any, id)?;
    match from.page(&any)?.objects.is_empty() {
        true => Err(Fault::missing("object")),
        false => Ok(()),
    }
}

/// §5.3
pub(crate) fn manifest(from: Source<'_>, query: &str) -> Result<Answer, Fault> {
    let asked = query::read(query, Filters::All)?;
    let page = from.page(&asked)?;
    let told = listed(&page, "objects", |object, out| {
        let _ = write!(
            out,
            r#"{{"id":"{}","date_added":"{}","version":{},"media_type":"{}"}}"#,
            object.id(),
            time::text(object.added),
            serde_json::Value::from(object.version.as_str()),
            object.media_type()
        );
    });
    Ok(dated(Answer::bytes(told), &page, &asked))
}

/// §5.8
pub(crate) fn versions(from: Source<'_>, query: &str, id: &str) -> Result<Answer, Fault> {
    let mut asked = query::read(query, Filters::OfVersions)?;
    asked.wanted.versions = Versions::All;
    with_object(&mut asked, id)?;
    let page = from.page(&asked)?;
    if page.objects.is_empty() {
        exists(from, id)?;
    }
    let told = listed(&page, "versions", |object, out| {
        let _ = write!(out, "{}", serde_json::Value::from(object.version.as_str()));
    });
    Ok(dated(Answer::bytes(told), &page, &asked))
}

/// §5.7: takes an object out; all versions of it, unless some are named.
pub(crate) fn delete(from: Source<'_>, query: &str, id: &str) -> Result<Answer, Fault> {
    let mut asked = query::read(query, Filters::OfObject)?;
    with_object(&mut asked, id)?;
    let names_version = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "match[version]");
    if !names_version {
        asked.wanted.versions = Versions::All;
    }
    asked.wanted.copies = true;
    asked.wanted.after = i64::MIN;
    asked.limit = usize::MAX;
    let mut places = Vec::new();
    // What the caller does not see is not there to be taken out.
    loop {
        let page = from.page(&asked)?;
        places.extend(page.objects.iter().map(|object| object.added));
        match page.last.filter(|_| page.more) {
            Some(last) => asked.wanted.after = last,
            None => break,
        }
    }
    if places.is_empty() {
        return Err(Fault::missing("object"));
    }
    from.store.take_from_box(&from.caller.account.email, from.collection.row, places)?;
    Ok(Answer::json(&serde_json::json!({})))
}
