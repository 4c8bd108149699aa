//! The gate. A label and an audience give yes, no, or redacted, with the reason in words, and
//! [`Cleared`] is minted here and nowhere else: its fields are private to this module.
//!
//! Comes in: a thing with a label, an audience, the facts ([`World`]). Goes out: `Cleared<T>` or a
//! [`Refusal`]. Never happens here: looking things up, guessing, exceptions for administrators' links.
//!
//! ```compile_fail
//! // Nobody else can mint.
//! let leak = manara_model::policy::Cleared { inner: "secret" };
//! ```
//!
//! ```compile_fail
//! // And nothing turns into something cleared by itself.
//! fn leak(head: manara_model::Head) -> manara_model::Cleared<manara_model::Head> {
//!     head.into()
//! }
//! ```

mod decide;
mod redact;

pub use decide::{Decision, Rule, decide};
pub use redact::Redactor;

use crate::record::{Head, Part};
use crate::{Audience, Label, Purpose, World};
use std::ops::Deref;

/// Something that policy has allowed to leave for one audience.
///
/// There is no way to make one but [`Gate`], and no way to change what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared<T> {
    inner: T,
}

impl<T> Deref for Cleared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> Cleared<T> {
    /// The content, for whoever writes it out.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }
}

/// Something with a label, that can be cleared as one piece.
pub trait Labelled {
    /// What policy judges.
    fn label(&self) -> &Label;
    /// Replaces what identifies persons by pseudonyms, or takes it out.
    fn redact(&mut self, redactor: &Redactor<'_>);
}

/// Why something stays here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not cleared for {audience}: {reason}")]
pub struct Refusal {
    /// For whom.
    pub audience: String,
    /// By which rule.
    pub rule: Rule,
    /// In words.
    pub reason: String,
}

/// The gate for one audience and purpose.
#[derive(Debug, Clone)]
pub struct Gate<'w> {
    world: &'w World,
    audience: Audience,
    purpose: Purpose,
}

impl<'w> Gate<'w> {
    /// A gate for one audience.
    #[must_use]
    pub fn new(world: &'w World, audience: Audience, purpose: Purpose) -> Self {
        Gate { world, audience, purpose }
    }

    /// For whom this gate is.
    #[must_use]
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The facts this gate judges by.
    #[must_use]
    pub fn world(&self) -> &'w World {
        self.world
    }

    /// The judgement alone; this is also what the SQL predicate is made of.
    #[must_use]
    pub fn judge(&self, label: &Label) -> Decision {
        decide(label, &self.audience, self.purpose, self.world)
    }

    /// Clears one whole thing.
    ///
    /// # Errors
    /// The [`Refusal`] names the rule.
    pub fn clear<T: Labelled>(&self, mut item: T) -> Result<Cleared<T>, Refusal> {
        let decision = self.judge(item.label());
        if !decision.allowed() {
            return Err(Refusal {
                audience: self.audience.to_string(),
                rule: decision.rule(),
                reason: decision.reason(),
            });
        }
        if let Some(redactor) = self.redactor(item.label()) {
            item.redact(&redactor);
        }
        Ok(Cleared { inner: item })
    }

    /// Clears a part of a record whose head was cleared: a part is never wider than its whole.
    ///
    /// # Errors
    /// The [`Refusal`] names the rule.
    pub fn clear_part(&self, _whole: &Cleared<Head>, part: Part) -> Result<Cleared<Part>, Refusal> {
        self.clear(part)
    }

    /// What must be redacted for this audience in something with this label; `None`: nothing.
    fn redactor(&self, label: &Label) -> Option<Redactor<'w>> {
        let own = matches!(self.audience, Audience::Node) || self.audience.org() == Some(label.owner);
        let agreed = matches!(&self.audience, Audience::Peer { agreement, .. } if agreement.persons_in_clear);
        (!own && !agreed).then(|| Redactor::new(&self.world.pseudonym_key))
    }
}
