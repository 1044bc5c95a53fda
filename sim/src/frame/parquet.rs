//! Tables as Parquet: one row group for each million rows, Snappy, every column optional.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::{Column, Frame, Kind, Values};

/// How many rows are written together.
const GROUP: usize = 1_000_000;
/// Who wrote it. The same for every build, so that the same rows are the same bytes.
const WRITER: &str = "chappe-sim";

/// Why a table cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A column is of a kind that tables here do not have.
    #[error(
        "column `{0}` is neither text, number nor flag; expected a table that chappe-sim wrote"
    )]
    Kind(String),
    /// It is no Parquet, or the disk says no.
    #[error("{0}")]
    Parquet(#[from] ParquetError),
}

impl Frame {
    /// Writes it, and hands the writer back.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn to_parquet<W: Write + Send>(&self, out: W) -> Result<W, FrameError> {
        let fields = self.columns().iter().map(field);
        let fields = fields.collect::<Result<Vec<TypePtr>, ParquetError>>()?;
        let schema = Type::group_type_builder("row")
            .with_fields(fields)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(WRITER.to_owned())
            .build();
        let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        let mut first = 0;
        while first < self.rows() {
            let rows = first..(first + GROUP).min(self.rows());
            let mut group = writer.next_row_group()?;
            for column in self.columns() {
                let Some(mut place) = group.next_column()? else {
                    break;
                };
                macro_rules! write {
                    ($values:expr, $type:ty, $convert:expr) => {{
                        let values = $values.get(rows.clone()).unwrap_or_default();
                        let levels: Vec<i16> =
                            values.iter().map(|v| i16::from(v.is_some())).collect();
                        let present: Vec<_> = values.iter().flatten().map($convert).collect();
                        place
                            .typed::<$type>()
                            .write_batch(&present, Some(&levels), None)?;
                    }};
                }
                match &column.values {
                    Values::Flag(values) => write!(values, BoolType, |flag| *flag),
                    Values::Integer(values) => write!(values, Int64Type, |number| *number),
                    Values::Real(values) => write!(values, DoubleType, |number| *number),
                    Values::Text(values) => {
                        write!(values, ByteArrayType, |text: &Cow<'static, str>| {
                            ByteArray::from(text.as_bytes().to_vec())
                        })
                    }
                }
                place.close()?;
            }
            group.close()?;
            first = rows.end;
        }
        Ok(writer.into_inner()?)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn from_parquet(bytes: Bytes) -> Result<Self, FrameError> {
        read(bytes)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn from_parquet_file(file: File) -> Result<Self, FrameError> {
        read(file)
    }
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, text) = match column.kind() {
        Kind::Flag => (Physical::BOOLEAN, false),
        Kind::Integer => (Physical::INT64, false),
        Kind::Real => (Physical::DOUBLE, false),
        Kind::Text => (Physical::BYTE_ARRAY, true),
    };
    let mut field =
        Type::primitive_type_builder(&column.name, physical).with_repetition(Repetition::OPTIONAL);
    if text {
        field = field
            .with_logical_type(Some(LogicalType::String))
            .with_converted_type(ConvertedType::UTF8);
    }
    field.build().map(Arc::new)
}

fn read<R: ChunkReader + 'static>(source: R) -> Result<Frame, FrameError> {
    let reader = SerializedFileReader::new(source)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut columns = Vec::new();
    for described in schema.columns() {
        let name = described.name().to_owned();
        let kind = match described.physical_type() {
            Physical::BOOLEAN => Kind::Flag,
            Physical::INT64 => Kind::Integer,
            Physical::DOUBLE => Kind::Real,
            Physical::BYTE_ARRAY => Kind::Text,
            _ => return Err(FrameError::Kind(name)),
        };
        let values = Values::new(kind);
        columns.push(Column { name, values });
    }
    let mut rows = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        rows += count;
        for (place, column) in columns.iter_mut().enumerate() {
            match (&mut column.values, group.get_column_reader(place)?) {
                (Values::Flag(values), ColumnReader::BoolColumnReader(reader)) => {
                    fill(values, reader, count, |flag| flag)?;
                }
                (Values::Integer(values), ColumnReader::Int64ColumnReader(reader)) => {
                    fill(values, reader, count, |number| number)?;
                }
                (Values::Real(values), ColumnReader::DoubleColumnReader(reader)) => {
                    fill(values, reader, count, |number| number)?;
                }
                (Values::Text(values), ColumnReader::ByteArrayColumnReader(reader)) => {
                    fill(values, reader, count, |bytes: ByteArray| {
                        Cow::Owned(String::from_utf8_lossy(bytes.data()).into_owned())
                    })?;
                }
                _ => return Err(FrameError::Kind(column.name.clone())),
            }
        }
    }
    Ok(Frame { columns, rows })
}

/// Reads a column of a row group. A value is there where the definition level is not 0.
fn fill<T: DataType, V>(
    values: &mut Vec<Option<V>>,
    mut reader: ColumnReaderImpl<T>,
    count: usize,
    convert: impl Fn(T::T) -> V,
) -> Result<(), ParquetError> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    let (mut read, mut missing) = (0, false);
    while read < count && !missing {
        let (records, ..) =
            reader.read_records(count - read, Some(&mut levels), None, &mut present)?;
        read += records;
        missing = records == 0;
    }
    let mut present = present.into_iter();
    if levels.is_empty() {
        values.extend(present.map(|value| Some(convert(value))));
    } else {
        let value = |level| if level > 0 { present.next() } else { None };
        values.extend(
            levels
                .into_iter()
                .map(value)
                .map(|value| value.map(&convert)),
        );
    }
    Ok(())
}
