//! Typed values that can be seen, each with one normal form. (placeholder until the table lands)
#![allow(missing_docs)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Type(u16);
pub enum Privacy {
    None,
    Contact,
    Person,
}
pub struct TypeRow {
    pub name: &'static str,
    pub privacy: Privacy,
    pub correlates: bool,
}
static ROWS: [TypeRow; 3] = [
    TypeRow { name: "domain", privacy: Privacy::None, correlates: true },
    TypeRow { name: "email", privacy: Privacy::Contact, correlates: true },
    TypeRow { name: "msisdn", privacy: Privacy::Person, correlates: true },
];
impl Type {
    pub fn by_name(name: &str) -> Option<Type> {
        ROWS.iter().position(|r| r.name == name).map(|i| Type(i as u16))
    }
    pub fn name(self) -> &'static str {
        self.row().name
    }
    pub fn code(self) -> u16 {
        self.0
    }
    pub fn by_code(code: u16) -> Option<Type> {
        (usize::from(code) < ROWS.len()).then_some(Type(code))
    }
    pub fn row(self) -> &'static TypeRow {
        &ROWS[usize::from(self.0)]
    }
}
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Observable {
    ty: Type,
    value: String,
}
impl Observable {
    pub fn ty(&self) -> Type {
        self.ty
    }
    pub fn value(&self) -> &str {
        &self.value
    }
    pub fn from_store(ty: Type, value: String) -> Observable {
        Observable { ty, value }
    }
    pub fn reach(&self) -> Option<Reach> {
        None
    }
}
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach {
    Name(String),
    Net { addr: [u8; 16], len: u8 },
}
#[derive(Debug, thiserror::Error)]
#[error("no")]
pub struct NormaliseError;
pub fn normalise(ty: Type, raw: &str) -> Result<Observable, NormaliseError> {
    Ok(Observable { ty, value: raw.to_lowercase() })
}
