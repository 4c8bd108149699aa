//! Writes events: those that came as events as they came, others as events made of what they mention.

use super::synthesis::Synthesis;
use crate::writer::{HeldBack, WriteOptions, Writer};
use manara_model::record::Slot;
use manara_model::{Cleared, Head, Part};
use std::io::{self, Write};

/// `{"response":[{"Event":{…}}, …]}`, streaming.
pub(crate) struct MispWriter<W: Write> {
    out: W,
    options: WriteOptions,
    events: u64,
    wrapped: bool,
    state: State,
}

enum State {
    Closed,
    /// In an event that came as one: which list is open, and whether an object in it is.
    Native {
        list: Option<Slot>,
        object: Option<bool>,
        first: bool,
    },
    /// In an event that is made up.
    Made(Synthesis),
}

/// The member that a slot's parts stand in.
fn member(slot: Slot) -> &'static str {
    match slot {
        Slot::Attribute => "Attribute",
        Slot::Object => "Object",
        Slot::EventReport => "EventReport",
        _ => "ShadowAttribute",
    }
}

impl<W: Write> MispWriter<W> {
    pub(crate) fn new(out: W, options: WriteOptions) -> Self {
        MispWriter { out, options, events: 0, wrapped: true, state: State::Closed }
    }

    /// One event without the wrapper, for a feed's files.
    pub(crate) fn single(out: W, options: WriteOptions) -> Self {
        MispWriter { wrapped: false, ..MispWriter::new(out, options) }
    }

    fn open_event(&mut self) -> io::Result<()> {
        if self.wrapped {
            self.out.write_all(if self.events == 0 { b"{\"response\":[" } else { b",\n" })?;
        }
        self.events += 1;
        self.out.write_all(b"{\"Event\":")
    }

    fn close_object(&mut self) -> io::Result<()> {
        if let State::Native { object, .. } = &mut self.state
            && let Some(with_attributes) = object.take()
        {
            self.out.write_all(if with_attributes { b"]}" } else { b"}" })?;
        }
        Ok(())
    }

    fn close_list(&mut self) -> io::Result<()> {
        self.close_object()?;
        if let State::Native { list, .. } = &mut self.state
            && list.take().is_some()
        {
            self.out.write_all(b"]")?;
        }
        Ok(())
    }

    /// An object's body without its closing brace, so that more members can follow.
    fn open_body(&mut self, raw: &str) -> io::Result<bool> {
        let body = raw.trim_end();
        let body = body.strip_suffix('}').unwrap_or(body);
        self.out.write_all(body.as_bytes())?;
        Ok(!body.trim_end().ends_with('{'))
    }

    fn native_part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        if part.slot == Slot::ObjectAttribute {
            let State::Native { object: Some(with_attributes), .. } = &mut self.state else { return Ok(()) };
            self.out.write_all(if *with_attributes { b"," } else { b",\"Attribute\":[" })?;
            *with_attributes = true;
            return self.out.write_all(part.raw.as_bytes());
        }
        let same = matches!(&self.state, State::Native { list: Some(open), .. } if *open == part.slot);
        if same {
            self.close_object()?;
            self.out.write_all(b",")?;
        } else {
            self.close_list()?;
            if let State::Native { list, first, .. } = &mut self.state {
                if !std::mem::replace(first, false) {
                    self.out.write_all(b",")?;
                }
                *list = Some(part.slot);
            }
            write!(self.out, "\"{}\":[", member(part.slot))?;
        }
        if part.slot == Slot::Object && part.raw.starts_with('{') {
            self.open_body(&part.raw)?;
            if let State::Native { object, .. } = &mut self.state {
                *object = Some(false);
            }
            return Ok(());
        }
        self.out.write_all(part.raw.as_bytes())
    }
}

impl<W: Write> Writer for MispWriter<W> {
    fn head(&mut self, head: &Cleared<Head>) -> io::Result<()> {
        if head.format == "misp" {
            self.open_event()?;
            let more = self.open_body(&head.skeleton)?;
            self.state = State::Native { list: None, object: None, first: !more };
        } else {
            self.state = State::Made(Synthesis::new(head, &self.options));
        }
        Ok(())
    }

    fn part(&mut self, part: &Cleared<Part>) -> io::Result<()> {
        let opens = match &mut self.state {
            State::Closed => return Ok(()),
            State::Native { .. } => return self.native_part(part),
            State::Made(made) => made.opens(part),
        };
        if opens {
            self.open_event()?;
        }
        match &mut self.state {
            State::Made(made) => made.part(&mut self.out, part),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Closed => Ok(()),
            native @ State::Native { .. } => {
                self.state = native;
                self.close_list()?;
                self.state = State::Closed;
                self.out.write_all(b"}}")
            }
            State::Made(made) => {
                if made.opens_at_end() {
                    self.open_event()?;
                }
                made.close(&mut self.out)
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.wrapped {
            self.out.write_all(if self.events == 0 { b"{\"response\":[]}\n" } else { b"]}\n" })?;
        }
        self.out.flush()
    }

    fn held_back(&self) -> HeldBack {
        HeldBack::default()
    }
}
