//! Tables of columns, as Parquet and as CSV.
//!
//! ```
//! use chappe_sim::frame::{Frame, Kind, Value};
//!
//! let mut frame = Frame::new([("router", Kind::Text), ("delivered", Kind::Integer)]);
//! frame.push([Value::text("epidemic"), Value::from(12_u64)]);
//! frame.push([Value::text("direct-delivery"), Value::Missing]);
//! let bytes = frame.to_parquet(Vec::new())?;
//! let again = Frame::from_parquet(bytes.into())?;
//! assert_eq!(again, frame);
//! assert_eq!(again.to_csv(), "router,delivered\nepidemic,12\ndirect-delivery,\n");
//! # Ok::<(), chappe_sim::frame::FrameError>(())
//! ```

mod csv;
mod parquet;

use std::borrow::Cow;

pub use self::parquet::FrameError;

/// A table: columns of one length, each of one kind. Any value may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    columns: Vec<Column>,
    rows: usize,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What it is called.
    pub name: String,
    values: Values,
}

/// The kinds of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no; `BOOLEAN`.
    Flag,
    /// Whole numbers; `INT64`.
    Integer,
    /// Numbers; `DOUBLE`.
    Real,
    /// Texts; `BYTE_ARRAY` as `STRING`.
    Text,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Flag(Vec<Option<bool>>),
    Integer(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Text(Vec<Option<Cow<'static, str>>>),
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// There is none.
    Missing,
    /// A number.
    Real(f64),
    /// A text.
    Text(Cow<'static, str>),
}

impl Frame {
    /// A table without rows.
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Kind)>) -> Self {
        let columns = columns.into_iter().map(|(name, kind)| Column {
            name: name.into(),
            values: Values::new(kind),
        });
        Self {
            columns: columns.collect(),
            rows: 0,
        }
    }

    /// Adds a row. What a row does not have, or has in another kind than the column, is missing.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        let mut row = row.into_iter();
        for column in &mut self.columns {
            column.values.push(row.next().unwrap_or(Value::Missing));
        }
        self.rows += 1;
    }

    /// Adds the rows of another table, by the names of its columns. Columns that only one of them has are missing in the
    /// other's rows.
    pub fn append(&mut self, other: &Self) {
        for theirs in &other.columns {
            if self.column(&theirs.name).is_none() {
                let mut values = Values::new(theirs.values.kind());
                for _ in 0..self.rows {
                    values.push(Value::Missing);
                }
                self.columns.push(Column {
                    name: theirs.name.clone(),
                    values,
                });
            }
        }
        for row in 0..other.rows {
            let of = |column: &Column| other.value(row, &column.name);
            let values: Vec<Value> = self.columns.iter().map(of).collect();
            self.push(values);
        }
    }

    /// How many rows there are.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// One value; missing where there is no such column or row.
    pub fn value(&self, row: usize, column: &str) -> Value {
        self.column(column)
            .map_or(Value::Missing, |column| column.value(row))
    }

    /// The columns for which this holds, in their order.
    #[must_use]
    pub fn select(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let columns = self.columns.iter().filter(|column| wanted(&column.name));
        Self {
            columns: columns.cloned().collect(),
            rows: self.rows,
        }
    }

    /// The same columns in another order; those of one key stay in theirs.
    #[must_use]
    pub fn arranged<K: Ord>(&self, key: impl Fn(&str) -> K) -> Self {
        let mut columns = self.columns.clone();
        columns.sort_by_key(|column| key(&column.name));
        Self {
            columns,
            rows: self.rows,
        }
    }

    /// The columns of both; rows beyond the end of either are left out.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Self {
        let new = other
            .columns
            .iter()
            .filter(|column| self.column(&column.name).is_none());
        let columns: Vec<&Column> = self.columns.iter().chain(new).collect();
        let named = columns
            .iter()
            .map(|column| (column.name.clone(), column.kind()));
        let mut both = Self::new(named);
        for row in 0..self.rows.min(other.rows) {
            both.push(columns.iter().map(|column| column.value(row)));
        }
        both
    }

    /// Each row as a table of its own.
    pub fn each_row(&self) -> impl Iterator<Item = Self> + '_ {
        (0..self.rows).map(|row| {
            let named = self
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.kind()));
            let mut one = Self::new(named);
            one.push(self.columns.iter().map(|column| column.value(row)));
            one
        })
    }
}

impl Column {
    /// One value; missing beyond the end.
    pub fn value(&self, row: usize) -> Value {
        fn of<T: Clone>(values: &[Option<T>], row: usize, make: fn(T) -> Value) -> Value {
            let value = values.get(row).cloned().flatten();
            value.map_or(Value::Missing, make)
        }
        match &self.values {
            Values::Flag(values) => of(values, row, Value::Flag),
            Values::Integer(values) => of(values, row, Value::Integer),
            Values::Real(values) => of(values, row, Value::Real),
            Values::Text(values) => of(values, row, Value::Text),
        }
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        self.values.kind()
    }
}

impl Values {
    const fn new(kind: Kind) -> Self {
        match kind {
            Kind::Flag => Self::Flag(Vec::new()),
            Kind::Integer => Self::Integer(Vec::new()),
            Kind::Real => Self::Real(Vec::new()),
            Kind::Text => Self::Text(Vec::new()),
        }
    }

    const fn kind(&self) -> Kind {
        match self {
            Self::Flag(_) => Kind::Flag,
            Self::Integer(_) => Kind::Integer,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
        }
    }

    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Flag(values), Value::Flag(flag)) => values.push(Some(flag)),
            (Self::Integer(values), Value::Integer(number)) => values.push(Some(number)),
            (Self::Real(values), Value::Real(number)) => values.push(Some(number)),
            (Self::Real(values), Value::Integer(number)) => values.push(Some(number as f64)),
            (Self::Text(values), Value::Text(text)) => values.push(Some(text)),
            (Self::Flag(values), _) => values.push(None),
            (Self::Integer(values), _) => values.push(None),
            (Self::Real(values), _) => values.push(None),
            (Self::Text(values), _) => values.push(None),
        }
    }
}

impl Value {
    /// A text that is known when the program is built.
    pub const fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// The kind of column that it belongs in; `None` where it is missing.
    pub const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Flag(_) => Some(Kind::Flag),
            Self::Integer(_) => Some(Kind::Integer),
            Self::Missing => None,
            Self::Real(_) => Some(Kind::Real),
            Self::Text(_) => Some(Kind::Text),
        }
    }

    /// As a number, if it is one.
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            _ => None,
        }
    }

    /// As a whole number, if it is one.
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// As a text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A whole number; one that is too large becomes the largest.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}
