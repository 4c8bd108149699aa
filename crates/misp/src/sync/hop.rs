//! One hop: what changes in an event on its way from one community to the next. Distribution is lowered
//! by one on the way in from a partner, and on the way out to one; between servers of one organisation
//! (`internal`) it stays. Head and parts are changed one by one, as they are read or written.

use manara_model::OrgId;
use manara_model::record::{flag_of, text_of};
use serde_json::{Map, Value};

fn lower(map: &mut Map<String, Value>, to: fn(&str) -> Option<&'static str>) {
    let level = text_of(map.get("distribution")).unwrap_or_default().into_owned();
    if let Some(next) = to(&level) {
        map.insert("distribution".into(), next.into());
    }
}

/// What is one side's alone is not the other's.
pub(crate) fn without_local_tags(map: &mut Map<String, Value>) {
    if let Some(Value::Array(tags)) = map.get_mut("Tag") {
        tags.retain(|tag| !flag_of(tag.get("local")));
    }
}

/// What comes in from another server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComesIn {
    /// The server is our own organisation's.
    pub(crate) internal: bool,
    /// It is taken as not released, whatever they say.
    pub(crate) unpublish: bool,
    /// Whose server it is.
    pub(crate) from: Option<OrgId>,
}

impl ComesIn {
    /// An event's own members, or a note's.
    pub(crate) fn head(self, head: &mut Map<String, Value>) {
        self.one(head);
        head.insert("locked".into(), true.into());
        head.shift_remove("RelatedEvent");
        if self.unpublish {
            head.insert("published".into(), false.into());
        }
    }

    /// A part; of an object, its attributes too.
    pub(crate) fn part(self, part: &mut Map<String, Value>) {
        self.one(part);
        let attributes = part.get_mut("Attribute").and_then(Value::as_array_mut).into_iter().flatten();
        attributes.filter_map(Value::as_object_mut).for_each(|attribute| self.one(attribute));
    }

    fn one(self, map: &mut Map<String, Value>) {
        if !self.internal {
            // "This community" there is only us here, "connected" there is our community.
            lower(map, |level| match level {
                "1" => Some("0"),
                "2" => Some("1"),
                _ => None,
            });
        }
        without_local_tags(map);
    }
}

/// What goes out to another server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoesOut {
    /// See [`ComesIn`].
    pub(crate) internal: bool,
}

impl GoesOut {
    /// An event's own members, or a note's.
    pub(crate) fn head(self, head: &mut Map<String, Value>) {
        self.part(head);
        head.insert("locked".into(), true.into());
        for name in ["RelatedEvent", "event_creator_email", "Galaxy", "attribute_count"] {
            head.shift_remove(name);
        }
    }

    /// An attribute, an object without its attributes, a report: those who get it pass it on to their own at
    /// most, and our numbers say nothing there.
    pub(crate) fn part(self, part: &mut Map<String, Value>) {
        if !self.internal {
            lower(part, |level| (level == "2").then_some("1"));
        }
        without_local_tags(part);
        for name in ["id", "event_id", "object_id", "org_id", "orgc_id", "sharing_group_id", "user_id"] {
            part.shift_remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn level(map: &Map<String, Value>) -> String {
        text_of(map.get("distribution")).unwrap().into_owned()
    }

    #[test]
    fn distribution_is_lowered_once_a_hop() {
        let object = || map(json!({"distribution": 2, "Attribute": [{"distribution": "3"}, {"distribution": "2"}]}));
        for (level_there, taken, sent) in
            [("0", "0", "0"), ("1", "0", "1"), ("2", "1", "1"), ("3", "3", "3"), ("5", "5", "5")]
        {
            for internal in [false, true] {
                let event = || {
                    map(
                        json!({"distribution": level_there, "id": "5", "Tag": [{"name": "a"}, {"name": "b", "local": true}]}),
                    )
                };
                let mut came = event();
                ComesIn { internal, unpublish: false, from: None }.head(&mut came);
                assert_eq!(level(&came), if internal { level_there } else { taken });
                assert_eq!((&came["locked"], &came["Tag"]), (&json!(true), &json!([{"name": "a"}])));
                let mut goes = event();
                GoesOut { internal }.head(&mut goes);
                assert_eq!(level(&goes), if internal { level_there } else { sent });
                assert!(!goes.contains_key("id"));
            }
        }
        let mut came = object();
        ComesIn { internal: false, unpublish: true, from: None }.part(&mut came);
        assert_eq!(
            Value::Object(came),
            json!({"distribution": "1", "Attribute": [{"distribution": "3"}, {"distribution": "1"}]})
        );
    }

    #[test]
    fn what_is_not_to_be_released_is_not() {
        let mut event = map(json!({"published": true}));
        ComesIn { internal: false, unpublish: true, from: None }.head(&mut event);
        assert_eq!(event["published"], false);
    }
}
