//! `/organisations`.

use crate::answer::{Answer, Fault, saved};
use crate::call::{Method, page};
use crate::context::Context;
use crate::shape::{datetime, num};
use manara_model::OrgId;
use manara_model::record::{flag_of, text_of};
use manara_store::people::{Account, Organisation};
use manara_store::view::View;
use serde_json::{Map, Value, json};

/// What keepers say of an organisation, besides its name and country.
const ORG_NOTES: &[&str] = &["description", "type", "sector", "contacts", "restricted_to_domain", "landingpage"];
impl Context<'_> {
    pub(crate) fn org_named(&self, named: Option<&str>) -> Result<Organisation, Fault> {
        let missing = || Fault::missing("organisation");
        let named = named.ok_or_else(missing)?;
        let uuid = self.identify("org", named)?;
        let found = self.store.org(&uuid.map_or(named.to_owned(), |uuid| uuid.to_string())).map_err(|_| missing())?;
        Ok(found)
    }

    pub(crate) fn org_shown(&self, org: &Organisation, accounts: &[Account]) -> Result<Value, Fault> {
        let (created, notes) = self.store.org_detail(org.uuid)?;
        let users = accounts.iter().filter(|account| account.org == org.uuid).count();
        let date = datetime(created);
        let mut shown = json!({
            "id": num(self.store.number("org", org.uuid.0)?), "name": org.name, "date_created": date, "date_modified": date,
            "description": null, "type": "", "nationality": org.country, "sector": "", "created_by": "0", "uuid": org.uuid,
            "contacts": null, "local": org.local, "restricted_to_domain": null, "landingpage": null,
            "user_count": users.to_string(), "created_by_email": "Unknown",
        });
        for (name, value) in notes {
            shown[name] = value;
        }
        Ok(shown)
    }

    /// Organisations that the caller may know of: those of the node, those he shares a group with that shows
    /// its members, and those that wrote what he may see.
    pub(crate) fn orgs_known(&self, view: &View<'_>) -> Result<Vec<Organisation>, Fault> {
        let all = self.store.orgs()?;
        if self.is_admin() {
            return Ok(all);
        }
        let own = self.call.caller.account.org;
        let authors = view.authors()?;
        let facts = view.facts();
        let shares = |org: OrgId| {
            facts.world.groups.values().any(|group| {
                let inside = group.owner == Some(own) || group.orgs.contains(&own);
                inside
                    && (group.owner == Some(org)
                        || (group.shows_members || group.owner == Some(own)) && group.orgs.contains(&org))
            })
        };
        Ok(all.into_iter().filter(|org| org.local || authors.contains(&org.uuid.0) || shares(org.uuid)).collect())
    }

    /// `organisations/index`
    pub fn orgs_index(&self) -> Result<Answer, Fault> {
        let options = self.call.filters()?;
        let scope = text_of(options.get("scope")).unwrap_or("local".into()).into_owned();
        let search = text_of(options.get("searchall")).unwrap_or_default().to_lowercase();
        let (skip, limit) = page(&options, usize::MAX, usize::MAX);
        let accounts = self.accounts_seen()?;
        let mut lines = Vec::new();
        let wanted = |org: &Organisation| match scope.as_str() {
            "local" => org.local,
            "external" => !org.local,
            _ => true,
        };
        let view = self.view()?;
        let found =
            self.orgs_known(&view)?.into_iter().filter(wanted).filter(|org| org.name.to_lowercase().contains(&search));
        for org in found.skip(skip).take(limit) {
            lines.push(json!({"Organisation": self.org_shown(&org, &accounts)?}));
        }
        Ok(Answer::json(&Value::Array(lines)))
    }

    /// `organisations/view`
    pub fn orgs_view(&self) -> Result<Answer, Fault> {
        let org = self.org_named(self.call.arg(0).or(Some(self.call.action_text.as_str())))?;
        let view = self.view()?;
        if !self.orgs_known(&view)?.iter().any(|known| known.uuid == org.uuid) {
            return Err(Fault::missing("organisation"));
        }
        if self.call.method == Method::Head {
            return Ok(Answer::new("text/html; charset=UTF-8"));
        }
        Ok(Answer::json(&json!({"Organisation": self.org_shown(&org, &self.accounts_seen()?)?})))
    }

    fn org_of(
        &self,
        given: &Map<String, Value>,
        model: &str,
        held: Option<Organisation>,
    ) -> Result<Organisation, Fault> {
        let unsaved = |field: &str, text: String| Fault::unsaved(model, "Organisation", json!({field: [text]}));
        let name = text_of(given.get("name"))
            .map(|name| name.trim().to_owned())
            .or_else(|| held.as_ref().map(|org| org.name.clone()));
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| unsaved("name", "valueNotEmpty".into()))?;
        // MISP writes countries in words; here they are two letters, and what is more is a note.
        let country = text_of(given.get("nationality")).filter(|text| text.len() == 2).map(|text| text.into_owned());
        let country = country.or_else(|| held.as_ref().map(|org| org.country.clone())).unwrap_or_default();
        let local = given.get("local").map_or(held.as_ref().is_none_or(|org| org.local), |flag| flag_of(Some(flag)));
        let mut org = Organisation::new(&name, &country, local).map_err(|error| unsaved("name", error.to_string()))?;
        let uuid = text_of(given.get("uuid")).filter(|uuid| !uuid.is_empty());
        match (held, uuid) {
            (Some(held), _) => org.uuid = held.uuid,
            (None, Some(uuid)) => org.uuid = OrgId(uuid.parse().map_err(|_| unsaved("uuid", "Invalid UUID.".into()))?),
            (None, None) => {}
        }
        Ok(org)
    }

    /// `admin/organisations/add`. One that was only heard of becomes known by it.
    pub fn orgs_add(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Organisation")?;
        let org = self.org_of(&given, "add", None)?;
        let notes = Self::notes(&given, ORG_NOTES, Map::new());
        match self.store.add_org(self.actor(), org.clone()) {
            Ok(_) => self.store.set_org(self.actor(), org.clone(), &notes)?,
            Err(manara_store::StoreError::Exists { .. }) if !given.contains_key("uuid") => {
                return Err(Fault::unsaved(
                    "add",
                    "Organisation",
                    json!({"name": ["An organisation with this name already exists."]}),
                ));
            }
            Err(manara_store::StoreError::Exists { .. }) => {
                let text = "An organisation with this UUID or name already exists.";
                return Err(Fault::unsaved("add", "Organisation", json!({"uuid": [text]})));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Answer::json(&json!({"Organisation": self.org_shown(&org, &[])?})))
    }

    /// `admin/organisations/edit`
    pub fn orgs_edit(&self) -> Result<Answer, Fault> {
        let given = self.call.object("Organisation")?;
        let held = self.org_named(self.call.arg(0))?;
        let (_, notes) = self.store.org_detail(held.uuid)?;
        let org = self.org_of(&given, "edit", Some(held))?;
        self.store.set_org(self.actor(), org.clone(), &Self::notes(&given, ORG_NOTES, notes))?;
        Ok(Answer::json(&json!({"Organisation": self.org_shown(&org, &self.accounts_seen()?)?})))
    }

    /// `admin/organisations/delete`
    pub fn orgs_delete(&self) -> Result<Answer, Fault> {
        let org = self.org_named(self.call.arg(0))?;
        self.store.remove_org(self.actor(), org.uuid)?;
        Ok(Answer::json(&saved("Organisation deleted", &self.call.url, None)))
    }
}
