//! Values that go into questions and come out of answers. Numbers, texts and bytes are all there is;
//! UUIDs are sixteen bytes, truth is 0 or 1.

use super::Row;
use crate::{Result, StoreError};
use std::borrow::Cow;
use uuid::Uuid;

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
    /// A list of numbers, for [`super::Conn::within`].
    List(Cow<'a, [i64]>),
}

impl Value<'_> {
    /// The same value, for as long as this one lives.
    pub(crate) fn by_ref(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Int(number) => Value::Int(*number),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::Blob(bytes) => Value::Blob(Cow::Borrowed(bytes)),
            Value::List(list) => Value::List(Cow::Borrowed(list)),
        }
    }
}

macro_rules! from {
    ($($kind:ty, |$value:ident| $make:expr;)*) => {
        $(impl<'a> From<$kind> for Value<'a> {
            fn from($value: $kind) -> Self {
                $make
            }
        })*
    };
}
from! {
    i64, |n| Value::Int(n);
    u32, |n| Value::Int(i64::from(n));
    u16, |n| Value::Int(i64::from(n));
    u8, |n| Value::Int(i64::from(n));
    bool, |b| Value::Int(i64::from(b));
    &'a str, |text| Value::Text(Cow::Borrowed(text));
    &'a String, |text| Value::Text(Cow::Borrowed(text));
    String, |text| Value::Text(Cow::Owned(text));
    &'a [u8], |bytes| Value::Blob(Cow::Borrowed(bytes));
    Vec<u8>, |bytes| Value::Blob(Cow::Owned(bytes));
    Uuid, |uuid| Value::Blob(Cow::Owned(uuid.into_bytes().to_vec()));
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A list of parameters of different kinds.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        [$($crate::engine::Value::from($value)),*]
    };
}
pub(crate) use params;

/// Something that can be read from a column.
pub(crate) trait Column: Sized {
    fn read(row: &Row<'_>, column: usize) -> Result<Self>;
}

macro_rules! native {
    ($($kind:ty),*) => {
        $(impl Column for $kind {
            fn read(row: &Row<'_>, column: usize) -> Result<Self> {
                match row {
                    Row::Sqlite(row) => Ok(row.get(column)?),
                    Row::Postgres(row) => Ok(row.try_get(column)?),
                }
            }
        })*
    };
}
native!(i64, String, Vec<u8>, Option<i64>, Option<String>, Option<Vec<u8>>);

macro_rules! narrow {
    ($($kind:ty),*) => {
        $(impl Column for $kind {
            fn read(row: &Row<'_>, column: usize) -> Result<Self> {
                <$kind>::try_from(i64::read(row, column)?).map_err(StoreError::damaged)
            }
        })*
    };
}
narrow!(u32, u16);

impl Column for Option<u32> {
    fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        Option::<i64>::read(row, column)?.map(u32::try_from).transpose().map_err(StoreError::damaged)
    }
}

impl Column for bool {
    fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        Ok(i64::read(row, column)? != 0)
    }
}

impl Column for Uuid {
    fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        Uuid::from_slice(&Vec::<u8>::read(row, column)?).map_err(StoreError::damaged)
    }
}

impl Column for Option<Uuid> {
    fn read(row: &Row<'_>, column: usize) -> Result<Self> {
        let bytes = Option::<Vec<u8>>::read(row, column)?;
        bytes.map(|bytes| Uuid::from_slice(&bytes)).transpose().map_err(StoreError::damaged)
    }
}
