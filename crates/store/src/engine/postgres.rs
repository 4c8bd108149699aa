//! PostgreSQL 15 or later, over its own protocol.

use super::{Kind, Row, Use, Value};
use crate::{Result, StoreError};
use bytes::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls, Statement};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

/// Statements kept prepared on a connection.
const PREPARED: usize = 256;

/// A connection.
pub(crate) struct Link {
    client: RefCell<Client>,
    statements: RefCell<HashMap<String, Statement>>,
    open: Cell<bool>,
}

impl Link {
    pub(super) fn open(url: &str, purpose: Use) -> Result<Self> {
        let mut config: postgres::Config = url
            .parse()
            .map_err(|error| StoreError::Invalid(format!("the database's address can't be read: {error}")))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        config.application_name("manara");
        let mut client = config.connect(NoTls)?;
        // What was acknowledged is on the disk, whatever the server's default is.
        client.batch_execute("SET synchronous_commit = on; SET client_min_messages = warning; SET jit = off")?;
        if purpose == Use::Read {
            client.batch_execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")?;
        }
        Ok(Link { client: client.into(), statements: RefCell::default(), open: Cell::new(false) })
    }

    fn prepared(&self, client: &mut Client, sql: &str) -> Result<Statement> {
        let mut statements = self.statements.borrow_mut();
        if let Some(statement) = statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = client.prepare(&numbered(sql))?;
        if statements.len() >= PREPARED {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let mut client = self.client.borrow_mut();
        let statement = self.prepared(&mut client, sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
        Ok(client.execute(&statement, &params)?)
    }

    pub(super) fn query(
        &self,
        sql: &str,
        params: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        let rows = {
            let mut client = self.client.borrow_mut();
            let statement = self.prepared(&mut client, sql)?;
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
            client.query(&statement, &params)?
        };
        for row in &rows {
            if !take(&Row::Postgres(row))? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn script(&self, sql: &str) -> Result<()> {
        self.client.borrow_mut().batch_execute(sql)?;
        match sql.split_whitespace().next() {
            Some("BEGIN") => self.open.set(true),
            Some("COMMIT" | "ROLLBACK") if !sql.contains(" TO ") => self.open.set(false),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.open.get()
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.client.borrow().is_closed()
    }

    pub(super) fn answers(&self) -> bool {
        self.client.borrow_mut().is_valid(Duration::from_secs(5)).is_ok()
    }

    /// Runs a statement over `unnest` of these rows' columns.
    pub(super) fn execute_arrays<'a, R: IntoIterator<Item = Value<'a>>>(
        &self,
        sql: &str,
        columns: usize,
        rows: impl Iterator<Item = R>,
    ) -> Result<u64> {
        let arrays = arrays(columns, rows);
        let mut client = self.client.borrow_mut();
        let statement = self.prepared(&mut client, sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| array as _).collect();
        Ok(client.execute(&statement, &params)?)
    }

    /// The same, with an answer.
    pub(crate) fn query_arrays<'a, T, R: IntoIterator<Item = Value<'a>>>(
        &self,
        sql: &str,
        columns: usize,
        rows: impl Iterator<Item = R>,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let arrays = arrays(columns, rows);
        let mut client = self.client.borrow_mut();
        let statement = self.prepared(&mut client, sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| array as _).collect();
        client.query(&statement, &params)?.iter().map(|row| read(&Row::Postgres(row))).collect()
    }
}

/// `?1` becomes `$1`. No statement here has a question mark in a literal.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

/// `unnest` over one array a column.
pub(crate) fn unnest(kinds: &[Kind]) -> String {
    let arrays: Vec<String> = (1..)
        .zip(kinds)
        .map(|(n, kind)| {
            let kind = match kind {
                Kind::Int => "bigint",
                Kind::Text => "text",
                Kind::Blob => "bytea",
            };
            format!("CAST(?{n} AS {kind}[])")
        })
        .collect();
    format!("unnest({})", arrays.join(", "))
}

fn arrays<'a, R: IntoIterator<Item = Value<'a>>>(columns: usize, rows: impl Iterator<Item = R>) -> Vec<Array<'a>> {
    let mut arrays: Vec<Array<'a>> = (0..columns).map(|_| Array(Vec::new())).collect();
    for row in rows {
        for (array, value) in arrays.iter_mut().zip(row) {
            array.0.push(value);
        }
    }
    arrays
}

/// One column of many rows.
#[derive(Debug)]
struct Array<'a>(Vec<Value<'a>>);

type Failure = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Array<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Failure> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Vec<Value<'_>> as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Failure> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Value::Int(number) => number.to_sql(ty, out),
            // PostgreSQL's texts have no NUL; the picture of one stands for it, in questions as in rows.
            Value::Text(text) if text.contains('\0') => text.replace('\0', "\u{2400}").to_sql(ty, out),
            Value::Text(text) => text.as_ref().to_sql(ty, out),
            Value::Blob(bytes) => bytes.as_ref().to_sql(ty, out),
            Value::List(list) => list.as_ref().to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR | Type::BYTEA | Type::INT8_ARRAY)
    }

    to_sql_checked!();
}
