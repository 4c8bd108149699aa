//! Events, as those who keep them ask for them: by number, author, dates, tags and what they say of
//! themselves; and their attributes by value, identifier or number.

use super::{BODY, HEAD, View};
use crate::engine::{Row, Value, params};
use crate::event::EVENT;
use crate::{Result, chunk, index};
use manara_model::observable::Observable;
use manara_model::{Cleared, Head, Part};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Records about one thing, at most.
const ABOUT: i64 = 1000;

/// Wanted, and not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign<T> {
    /// Any of these; `None`: whatever.
    pub any: Option<Vec<T>>,
    /// None of these.
    pub none: Vec<T>,
}

impl<T> Default for Sign<T> {
    fn default() -> Self {
        Sign { any: None, none: Vec::new() }
    }
}

/// From and until, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// At this or later.
    pub from: Option<i64>,
    /// At this or before.
    pub until: Option<i64>,
}

/// By tags, as their numbers (see [`View::tags_like`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// One of each of these.
    pub all: Vec<Vec<i64>>,
    /// None of these.
    pub none: Vec<i64>,
    /// A tag on one of the event's attributes is as good as one on the event, where it is wanted…
    pub on_parts: bool,
    /// … and where it is not.
    pub none_on_parts: bool,
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Numbers or identifiers, any of them.
    pub which: Option<(Vec<i64>, Vec<Uuid>)>,
    /// None of these.
    pub not_which: (Vec<i64>, Vec<Uuid>),
    /// Who wrote them.
    pub authors: Sign<Uuid>,
    /// Who holds them here.
    pub holders: Sign<Uuid>,
    /// Released by their author, or not.
    pub published: Option<bool>,
    /// `timestamp`, Unix seconds.
    pub touched: Span,
    /// `publish_timestamp`, Unix seconds.
    pub published_at: Span,
    /// `date`, `YYYY-MM-DD`, from and until.
    pub day: (Option<String>, Option<String>),
    /// `threat_level_id`.
    pub threat: Sign<i64>,
    /// `analysis`.
    pub analysis: Sign<i64>,
    /// Titles, with `%` for anything.
    pub titles: Sign<String>,
    /// Those that extend this one.
    pub extends: Option<Uuid>,
    /// Labels that may not be; for sharing groups and distributions, which stand in them.
    pub labels: Option<Vec<i64>>,
    /// Tags.
    pub tags: Tags,
}

/// By what events are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By number, which is when they came first.
    #[default]
    Number,
    /// By `timestamp`.
    Touched,
    /// By `publish_timestamp`.
    Published,
    /// By `date`.
    Day,
    /// By title.
    Title,
}

/// An event in a list.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its head.
    pub head: Cleared<Head>,
    /// Released by its author.
    pub published: bool,
    /// When, Unix seconds.
    pub published_at: i64,
    /// `timestamp`, Unix seconds.
    pub touched: i64,
    /// `date`.
    pub day: String,
    /// Who wrote it.
    pub author: Option<Uuid>,
    /// `threat_level_id`.
    pub threat: i64,
    /// `analysis`.
    pub analysis: i64,
    /// The event that it extends.
    pub extends: Option<Uuid>,
    /// It came from elsewhere.
    pub locked: bool,
    /// When something in it was last sighted, Unix seconds.
    pub sighted: i64,
    /// How many attributes the audience may see that are not deleted.
    pub attributes: i64,
}

const FACTS: &str =
    "e.published, e.published_at, e.touched, e.day, e.author, e.threat, e.analysis, e.extends, e.locked, e.sighted";
const FACTS_AT: usize = 16;

/// A question in the making.
struct Question<'v> {
    sql: String,
    values: Vec<Value<'v>>,
}

impl<'v> Question<'v> {
    fn value(&mut self, value: impl Into<Value<'v>>) -> usize {
        self.values.push(value.into());
        self.values.len()
    }

    fn and(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    fn span(&mut self, column: &str, span: Span) {
        for (sign, limit) in [(">=", span.from), ("<=", span.until)] {
            if let Some(limit) = limit {
                let n = self.value(limit);
                self.and(&format!("{column} {sign} ?{n}"));
            }
        }
    }

    fn uuids(&mut self, uuids: &[Uuid]) -> String {
        let marks: Vec<String> = uuids.iter().map(|uuid| format!("?{}", self.value(*uuid))).collect();
        if marks.is_empty() { "NULL".into() } else { marks.join(", ") }
    }

    fn numbers(&mut self, numbers: &[i64]) -> String {
        let marks: Vec<String> = numbers.iter().map(i64::to_string).collect();
        if marks.is_empty() { "NULL".into() } else { marks.join(", ") }
    }
}

impl View<'_> {
    /// Events, in an order, from `skip` on.
    ///
    /// # Errors
    /// The engine's.
    pub fn events(
        &self,
        filter: &EventFilter,
        order: (Order, bool),
        skip: u64,
        limit: u32,
        bodies: bool,
    ) -> Result<Vec<EventRow>> {
        let body = if bodies { "r.skeleton" } else { "NULL" };
        let mut question = self.question(&format!("{HEAD}, {FACTS}, {body}"), filter);
        self.ordered(&mut question, order, skip, limit);
        self.rows(&question, bodies)
    }

    /// The next events by number, after one of them: for walks over all of them.
    ///
    /// # Errors
    /// The engine's.
    pub fn events_after(&self, filter: &EventFilter, after: i64, limit: u32, bodies: bool) -> Result<Vec<EventRow>> {
        let body = if bodies { "r.skeleton" } else { "NULL" };
        let mut question = self.question(&format!("{HEAD}, {FACTS}, {body}"), filter);
        let n = question.value(after);
        question.and(&format!("r.number > ?{n}"));
        self.ordered(&mut question, (Order::Number, false), 0, limit);
        self.rows(&question, bodies)
    }

    /// How many events there are.
    ///
    /// # Errors
    /// The engine's.
    pub fn count_events(&self, filter: &EventFilter) -> Result<i64> {
        let question = self.question("count(*)", filter);
        self.conn.one(&question.sql, &question.values, |row| row.get(0))
    }

    /// One event with its body, by number or identifier.
    ///
    /// # Errors
    /// The engine's.
    pub fn event(&self, which: Which) -> Result<Option<EventRow>> {
        let which = match which {
            Which::Number(number) => (vec![number], Vec::new()),
            Which::Uuid(uuid) => (Vec::new(), vec![uuid]),
        };
        let filter = EventFilter { which: Some(which), ..EventFilter::default() };
        Ok(self.events(&filter, (Order::Number, false), 0, 1, true)?.pop())
    }

    fn rows(&self, question: &Question<'_>, bodies: bool) -> Result<Vec<EventRow>> {
        let at = FACTS_AT;
        let mut rows = self.conn.all(&question.sql, &question.values, |row| {
            let mut head = self.read_head(row, false)?;
            if bodies {
                head.skeleton = chunk::unpack_text(&row.get::<Vec<u8>>(at + 10)?)?;
            }
            Ok((head, self.read_facts(row, at)?))
        })?;
        let counts = self.attribute_counts(rows.iter().map(|(head, _)| head.row))?;
        let mut found = Vec::with_capacity(rows.len());
        for (head, facts) in rows.drain(..) {
            let attributes = counts.get(&head.row).copied().unwrap_or(0);
            found.extend(self.mint(head).map(|head| facts(head, attributes)));
        }
        Ok(found)
    }

    #[allow(clippy::type_complexity)] // what is left to fill in once the head is cleared
    fn read_facts(&self, row: &Row<'_>, at: usize) -> Result<impl FnOnce(Cleared<Head>, i64) -> EventRow + use<>> {
        let (published, published_at, touched) = (row.get(at)?, row.get(at + 1)?, row.get(at + 2)?);
        let (day, author, threat, analysis) = (row.get(at + 3)?, row.get(at + 4)?, row.get(at + 5)?, row.get(at + 6)?);
        let (extends, locked, sighted) = (row.get(at + 7)?, row.get(at + 8)?, row.get(at + 9)?);
        Ok(move |head, attributes| EventRow {
            head,
            published,
            published_at,
            touched,
            day,
            author,
            threat,
            analysis,
            extends,
            locked,
            sighted,
            attributes,
        })
    }

    fn attribute_counts(&self, records: impl Iterator<Item = i64>) -> Result<BTreeMap<i64, i64>> {
        let records: Vec<i64> = records.collect();
        let sql = format!(
            "SELECT record, CAST(sum(attributes) AS BIGINT) FROM event_count WHERE {}{} GROUP BY record",
            self.conn.within("record", 1),
            self.only("label", 2)
        );
        let values = self.and_labels([self.conn.list(&records)]);
        let counts = self.conn.all(&sql, &values, |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
        Ok(counts.into_iter().collect())
    }

    fn ordered(&self, question: &mut Question<'_>, (order, down): (Order, bool), skip: u64, limit: u32) {
        let way = if down { "DESC" } else { "ASC" };
        let column = match order {
            Order::Number => "",
            Order::Touched => "e.touched",
            Order::Published => "e.published_at",
            Order::Day => "e.day",
            Order::Title => "r.title",
        };
        let first = if column.is_empty() { String::new() } else { format!("{column} {way}, ") };
        let (limit, skip) = (question.value(i64::from(limit)), question.value(i64::try_from(skip).unwrap_or(i64::MAX)));
        question.sql.push_str(&format!(" ORDER BY {first}r.number {way} LIMIT ?{limit} OFFSET ?{skip}"));
    }

    fn question<'v>(&'v self, columns: &str, filter: &'v EventFilter) -> Question<'v> {
        let sql =
            format!("SELECT {columns} FROM record r JOIN event e ON e.record = r.id WHERE r.state = 1 AND r.kind = ?1");
        let mut q = Question { sql, values: params![EVENT].to_vec() };
        let labels = match (&filter.labels, &self.allowed) {
            (Some(wanted), allowed) => {
                Some(wanted.iter().copied().filter(|label| allowed.has(*label)).collect::<Vec<_>>())
            }
            (None, crate::facts::Allowed::Only(labels)) => Some(labels.clone()),
            (None, crate::facts::Allowed::Everything) => None,
        };
        if let Some(labels) = &labels {
            let n = q.value(self.conn.list(labels));
            q.and(&self.conn.within("r.label", n));
        }
        self.one_copy(&mut q);
        let any_of = |q: &mut Question<'v>, (numbers, uuids): &'v (Vec<i64>, Vec<Uuid>)| {
            let (numbers, uuids) = (q.numbers(numbers), q.uuids(uuids));
            format!("(r.number IN ({numbers}) OR r.uuid IN ({uuids}))")
        };
        match &filter.which {
            // The one that is asked for by its identifier is found by it.
            Some((numbers, uuids)) if numbers.is_empty() => {
                let uuids = q.uuids(uuids);
                q.and(&format!("r.uuid IN ({uuids})"));
            }
            Some((numbers, uuids)) if uuids.is_empty() => {
                let numbers = q.numbers(numbers);
                q.and(&format!("r.number IN ({numbers})"));
            }
            Some(which) => {
                let condition = any_of(&mut q, which);
                q.and(&condition);
            }
            None => {}
        }
        if !filter.not_which.0.is_empty() || !filter.not_which.1.is_empty() {
            let condition = any_of(&mut q, &filter.not_which);
            q.and(&format!("NOT {condition}"));
        }
        for (column, sign) in [("e.author", &filter.authors), ("r.owner", &filter.holders)] {
            if let Some(any) = &sign.any {
                let list = q.uuids(any);
                q.and(&format!("{column} IN ({list})"));
            }
            if !sign.none.is_empty() {
                let list = q.uuids(&sign.none);
                q.and(&format!("({column} IS NULL OR {column} NOT IN ({list}))"));
            }
        }
        for (column, sign) in [("e.threat", &filter.threat), ("e.analysis", &filter.analysis)] {
            if let Some(any) = &sign.any {
                let list = q.numbers(any);
                q.and(&format!("{column} IN ({list})"));
            }
            if !sign.none.is_empty() {
                let list = q.numbers(&sign.none);
                q.and(&format!("{column} NOT IN ({list})"));
            }
        }
        if let Some(published) = filter.published {
            let n = q.value(published);
            q.and(&format!("e.published = ?{n}"));
        }
        q.span("e.touched", filter.touched);
        q.span("e.published_at", filter.published_at);
        for (sign, day) in [(">=", &filter.day.0), ("<=", &filter.day.1)] {
            if let Some(day) = day {
                let n = q.value(day.as_str());
                q.and(&format!("e.day {sign} ?{n}"));
            }
        }
        if let Some(any) = &filter.titles.any {
            let each: Vec<String> =
                any.iter().map(|title| self.conn.like("r.title", q.value(title.as_str()))).collect();
            q.and(&format!("({})", if each.is_empty() { "1 = 0".into() } else { each.join(" OR ") }));
        }
        for title in &filter.titles.none {
            let n = q.value(title.as_str());
            q.and(&format!("NOT {}", self.conn.like("r.title", n)));
        }
        if let Some(extends) = filter.extends {
            let n = q.value(extends);
            q.and(&format!("e.extends = ?{n}"));
        }
        self.by_tags(&mut q, &filter.tags);
        q
    }

    /// Two organisations may hold the same event: its reader sees the own one, or the first.
    fn one_copy(&self, q: &mut Question<'_>) {
        let own = q.value(self.audience.org().map(|org| org.0).unwrap_or_default());
        let mut seen = String::new();
        if let Some(labels) = &self.labels {
            // The same list twice costs nothing that matters.
            let n = q.values.len() + 1;
            q.values.push(match labels {
                Value::Text(text) => Value::Text(text.to_string().into()),
                Value::List(list) => Value::List(list.to_vec().into()),
                _ => Value::Null,
            });
            // By the identifier, that is: a label has many.
            seen = format!(" AND {}", self.conn.within("+o.label", n));
        }
        q.and(&format!(
            "(r.owner = ?{own} OR NOT EXISTS (SELECT 1 FROM record o WHERE o.uuid = r.uuid AND o.kind = r.kind
              AND o.state = 1 AND o.id <> r.id AND (o.owner = ?{own} OR o.number < r.number){seen}))"
        ));
    }

    fn by_tags(&self, q: &mut Question<'_>, tags: &Tags) {
        let having = |q: &mut Question<'_>, any: &[i64], on_parts: bool| {
            let list = q.numbers(any);
            let mut sql = format!("SELECT t.record FROM record_tag t WHERE t.tag IN ({list})");
            if on_parts {
                let mut only = String::new();
                if let Some(labels) = &self.labels {
                    let n = q.values.len() + 1;
                    q.values.push(match labels {
                        Value::Text(text) => Value::Text(text.to_string().into()),
                        Value::List(list) => Value::List(list.to_vec().into()),
                        _ => Value::Null,
                    });
                    only = format!(" AND {}", self.conn.within("p.label", n));
                }
                sql.push_str(&format!(" UNION SELECT p.record FROM part_tag p WHERE p.tag IN ({list}){only}"));
            }
            sql
        };
        for any in &tags.all {
            let records = having(q, any, tags.on_parts);
            q.and(&format!("r.id IN ({records})"));
        }
        if !tags.none.is_empty() {
            let records = having(q, &tags.none, tags.none_on_parts);
            q.and(&format!("r.id NOT IN ({records})"));
        }
    }

    /// Numbers of the tags whose name is this, or like it where there is a `%` in it.
    ///
    /// # Errors
    /// The engine's.
    pub fn tags_like(&self, name: &str) -> Result<Vec<i64>> {
        if name.contains('%') {
            return self.conn.all(
                &format!("SELECT id FROM tag WHERE {}", self.conn.like("name", 1)),
                &params![name],
                |row| row.get(0),
            );
        }
        self.conn.all("SELECT id FROM tag WHERE lower(name) = lower(?1)", &params![name], |row| row.get(0))
    }

    /// Where events that the audience may see mention one of these values: rows of records and places in
    /// them, at most `limit`.
    ///
    /// # Errors
    /// The engine's.
    pub fn mentions(&self, observables: &[Observable], limit: usize) -> Result<BTreeMap<i64, Vec<u32>>> {
        let mut numbers = Vec::with_capacity(observables.len());
        for observable in observables {
            numbers.extend(index::find(&self.conn, observable)?);
        }
        self.mentions_of(&numbers, limit)
    }

    /// The same, of values that are like a pattern with `%` in it. Reads all values there are.
    ///
    /// # Errors
    /// The engine's.
    pub fn mentions_like(&self, pattern: &str, limit: usize) -> Result<BTreeMap<i64, Vec<u32>>> {
        let sql = format!("SELECT id FROM observable WHERE {}", self.conn.like("value", 1));
        let numbers = self.conn.all(&sql, &params![pattern], |row| row.get::<i64>(0))?;
        self.mentions_of(&numbers, limit)
    }

    fn mentions_of(&self, observables: &[i64], limit: usize) -> Result<BTreeMap<i64, Vec<u32>>> {
        let sql = format!(
            "SELECT x.record, x.ordinal FROM occurrence x JOIN record r ON r.id = x.record AND r.state = 1 AND r.kind = ?2
             WHERE x.observable = ?1{}{} LIMIT ?3",
            self.only("x.label", 4),
            self.only("r.label", 4),
        );
        let (mut found, mut room): (BTreeMap<i64, Vec<u32>>, usize) = (BTreeMap::new(), limit);
        for observable in observables {
            if room == 0 {
                break;
            }
            let values = self.and_labels(params![*observable, EVENT, room as i64]);
            let rows = self.conn.all(&sql, &values, |row| Ok((row.get::<i64>(0)?, row.get::<u32>(1)?)))?;
            room -= rows.len();
            for (record, ordinal) in rows {
                found.entry(record).or_default().push(ordinal);
            }
        }
        for places in found.values_mut() {
            places.sort_unstable();
            places.dedup();
        }
        Ok(found)
    }

    /// Events by the rows of their records, with their bodies; those that are current and may be seen.
    ///
    /// # Errors
    /// The engine's.
    pub fn events_at(&self, rows: &[i64], filter: &EventFilter) -> Result<Vec<EventRow>> {
        let mut found = Vec::with_capacity(rows.len());
        for rows in rows.chunks(1000) {
            let mut question = self.question(&format!("{HEAD}, {FACTS}, r.skeleton"), filter);
            let n = question.value(self.conn.list(rows));
            question.and(&self.conn.within("r.id", n));
            self.ordered(&mut question, (Order::Number, false), 0, u32::MAX >> 1);
            found.extend(self.rows(&question, true)?);
        }
        Ok(found)
    }

    /// Who wrote the events that the audience may see.
    ///
    /// # Errors
    /// The engine's.
    pub fn authors(&self) -> Result<BTreeSet<Uuid>> {
        let sql = format!(
            "SELECT DISTINCT e.author FROM event e JOIN record r ON r.id = e.record WHERE r.state = 1 AND e.author IS NOT NULL{}",
            self.only("r.label", 1)
        );
        Ok(self.conn.all(&sql, &self.and_labels([]), |row| row.get(0))?.into_iter().collect())
    }

    /// A part of an event by its identifier: its event, and itself.
    ///
    /// # Errors
    /// The engine's.
    pub fn part_of_event(&self, uuid: Uuid) -> Result<Option<(EventRow, Cleared<Part>)>> {
        let places = self.conn.all(
            "SELECT p.record, p.ordinal FROM part_uuid p JOIN record r ON r.id = p.record
             WHERE p.uuid = ?1 AND r.state = 1 AND r.kind = ?2 ORDER BY p.record",
            &params![uuid, EVENT],
            |row| Ok((row.get::<i64>(0)?, row.get::<u32>(1)?)),
        )?;
        let records: Vec<i64> = places.iter().map(|(record, _)| *record).collect();
        for event in self.events_at(&records, &EventFilter::default())? {
            let place = places.iter().find(|(record, _)| *record == event.head.row).map(|(_, ordinal)| *ordinal);
            let part = self.parts_at(&event.head, place.as_slice())?.pop();
            if let Some(part) = part {
                return Ok(Some((event, part)));
            }
        }
        Ok(None)
    }

    /// A part of an event by the row of its record and the place that it is known by. Of a version that
    /// is history, the part is found by its identifier.
    ///
    /// # Errors
    /// The engine's.
    pub fn part_numbered(&self, row: i64, number: u32) -> Result<Option<(EventRow, Cleared<Part>)>> {
        let state =
            self.conn.first("SELECT state FROM record WHERE id = ?1 AND kind = ?2", &params![row, EVENT], |row| {
                row.get::<i64>(0)
            })?;
        if state == Some(1) {
            let ordinal = self
                .conn
                .first("SELECT ordinal FROM moved WHERE record = ?1 AND number = ?2", &params![row, number], |row| {
                    row.get::<u32>(0)
                })?
                .unwrap_or(number);
            let Some(event) = self.events_at(&[row], &EventFilter::default())?.pop() else { return Ok(None) };
            let part = self.parts_at(&event.head, &[ordinal])?.pop();
            return Ok(part.filter(|part| part.number == number).map(|part| (event, part)));
        }
        if state == Some(2)
            && let Some((first, parts)) = crate::event::chunk_at(&self.conn, row, number)?
            && let Some(uuid) = parts.get((number.saturating_sub(first)) as usize).and_then(|part| part.uuid)
        {
            return self.part_of_event(uuid);
        }
        Ok(None)
    }
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// By the number that people know it by.
    Number(i64),
    /// By its identifier.
    Uuid(Uuid),
}

impl View<'_> {
    /// Where one event mentions a value.
    ///
    /// # Errors
    /// The engine's.
    pub fn mentions_in(&self, row: i64, observable: &Observable) -> Result<Vec<u32>> {
        let Some(id) = index::find(&self.conn, observable)? else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT ordinal FROM occurrence WHERE observable = ?1 AND record = ?2
             AND label IN (SELECT label FROM event_count WHERE record = ?2){} ORDER BY ordinal",
            self.only("label", 3)
        );
        self.conn.all(&sql, &self.and_labels(params![id, row]), |row| row.get(0))
    }
}

impl View<'_> {
    /// A record of a kind by number or identifier, with its body; the own copy before another's.
    ///
    /// # Errors
    /// The engine's.
    pub fn of_kind(&self, kind: &str, number: Option<i64>, uuid: Option<Uuid>) -> Result<Option<Cleared<Head>>> {
        let own = self.audience.org().map(|org| org.0).unwrap_or_default();
        let (column, value) = match (number, uuid) {
            (Some(number), _) => ("r.number", Value::from(number)),
            (None, uuid) => ("r.uuid", uuid.unwrap_or_default().into()),
        };
        let sql = format!(
            "SELECT {HEAD}, r.skeleton FROM record r WHERE r.state = 1 AND r.kind = ?1 AND {column} = ?2{}
             ORDER BY r.owner = ?3 DESC, r.id LIMIT 1",
            self.only("+r.label", 4)
        );
        let values = self.and_labels([kind.into(), value, own.into()]);
        let head = self.conn.first(&sql, &values, |row| self.read_head(row, true))?;
        Ok(head.and_then(|head| self.mint(head)))
    }

    /// Records of a kind that say something about what has this identifier, with their bodies.
    ///
    /// # Errors
    /// The engine's.
    pub fn about(&self, uuid: Uuid, kind: &str) -> Result<Vec<Cleared<Head>>> {
        Ok(self.about_any(&[uuid], kind)?.into_iter().map(|(_, head)| head).collect())
    }

    /// The same about any of several, each with what it is about.
    ///
    /// # Errors
    /// The engine's.
    pub fn about_any(&self, uuids: &[Uuid], kind: &str) -> Result<Vec<(Uuid, Cleared<Head>)>> {
        let sql = format!(
            "SELECT {HEAD}, r.skeleton, p.uuid FROM part_uuid p JOIN record r ON r.id = p.record
             WHERE {} AND r.kind = ?2 AND r.state = 1{} ORDER BY r.id LIMIT ?3",
            self.conn.within_bytes("p.uuid", 1),
            self.only("r.label", 4)
        );
        let list = uuids.iter().map(|uuid| uuid.into_bytes()).collect::<Vec<_>>();
        let most = ABOUT.saturating_mul(uuids.len() as i64);
        let values = self.and_labels([self.conn.bytes_list(&list), kind.into(), most.into()]);
        let heads = self.conn.all(&sql, &values, |row| Ok((row.get(BODY + 1)?, self.read_head(row, true)?)))?;
        Ok(heads.into_iter().filter_map(|(uuid, head)| Some((uuid, self.mint(head)?))).collect())
    }

    /// Is there any record of a kind here, whoever may see it? For what need not be looked for at all.
    ///
    /// # Errors
    /// The engine's.
    pub fn has_kind(&self, kind: &str) -> Result<bool> {
        self.conn.exists("SELECT 1 FROM record WHERE state = 1 AND kind = ?1", &params![kind])
    }
}
