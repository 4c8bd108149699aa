//! `events/upload_stix`: a STIX bundle as events.

use crate::answer::{Answer, Fault};
use crate::body::Body;
use crate::context::Context;
use manara_formats::{Input, Limits, events_of_bundle};
use manara_model::record::{flag_of, text_of};
use serde_json::{Value, json};

/// Most bytes of a bundle: its objects refer to each other, and are held together, in ten times that.
const BUNDLE: u64 = 64 << 20;

impl Context<'_> {
    /// `events/upload_stix/2`: the event that the bundle is; of several, their numbers.
    ///
    /// # Errors
    /// STIX 1; what is no bundle; what `events/add` refuses.
    pub fn upload_stix(&self) -> Result<Answer, Fault> {
        if self.call.arg(0) != Some("2") {
            return Err(Fault::new(
                405,
                "STIX 1 is not read; convert it to STIX 2.1 and send that to /events/upload_stix/2.",
            ));
        }
        let limits = Limits { document: BUNDLE, ..Limits::default() };
        let mut input = Input::from_reader("upload_stix", self.call.body.reader()?, limits)
            .map_err(|error| Fault::new(400, error.to_string()))?;
        let events = events_of_bundle(&mut input).map_err(|error| Fault::new(400, error.to_string()))?;
        let publish = flag_of(self.call.named.get("publish")) || matches!(self.call.arg(1), Some("1" | "true"));
        let (mut made, mut faults) = (Vec::new(), Vec::new());
        for mut event in events {
            if let Some(head) = event.as_object_mut() {
                // Who uploads it says whether it goes on from here, and how far.
                if !publish {
                    head.insert("published".into(), false.into());
                }
                for name in ["distribution", "sharing_group_id"] {
                    if let Some(asked) = self.call.named.get(name) {
                        head.insert(name.into(), asked.clone());
                    }
                }
            }
            let body = Body::from(&json!({"Event": &event}));
            match self.add_given(&body.event()?) {
                Ok(one) => made.push(one),
                Err(fault) => faults.push((text_of(event.get("uuid")).unwrap_or_default().into_owned(), fault)),
            }
        }
        if made.is_empty()
            && let Some((_, fault)) = faults.pop()
        {
            return Err(fault);
        }
        match (made.pop(), made.is_empty() && faults.is_empty()) {
            (Some((uuid, refused)), true) => self.stored(uuid, refused),
            (last, _) => {
                let view = self.view()?;
                let mut numbers = Vec::new();
                for (uuid, _) in made.into_iter().chain(last) {
                    if let Some(event) = view.event(manara_store::view::Which::Uuid(uuid))? {
                        numbers.push(event.head.number.to_string());
                        if event.published {
                            self.pass_on(uuid)?;
                        }
                    }
                }
                let text = format!("STIX document imported, event's created: {}.", numbers.join(", "));
                // Of several events each is one by itself: what was not taken is told beside the others.
                let errors: Vec<Value> =
                    faults.into_iter().map(|(uuid, fault)| json!({"uuid": uuid, "errors": fault.message})).collect();
                Ok(Answer::json(&json!({
                    "saved": true, "success": true, "name": text, "message": text, "url": self.call.url, "id": numbers,
                    "errors": errors,
                })))
            }
        }
    }
}
