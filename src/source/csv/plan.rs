//! A CSV source's columns matched with the contract, and rows written as the contract's JSON.

use std::borrow::Cow;

use super::cell::{self, NotOfType, TimeFormat};
use super::file::{self, CsvFile};
use super::table::{Table, Wanted, WantedColumn};
use crate::json::{self, Document, Node};
use crate::model::limits::{ANSWER_BYTES_MAX, JSON_DEPTH_MAX};
use crate::model::{
    Cardinality, Contract, Fault, Faults, Mapping, Operation, OperationId, Property, Scalar, ScalarKind,
    Shape,
};
use crate::source::template::{self, Field};
use crate::source::{Fetched, Found, SourceFault};

/// One operation over a table.
#[derive(Debug)]
pub struct CsvOperation {
    pub id: OperationId,
    pub mapping: Mapping,
    single: bool,
    look_up: Option<LookUp>,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct LookUp {
    /// Index into [`Wanted::keys`].
    key: usize,
    fields: Vec<Field>,
}

/// One property of the answer's row.
#[derive(Debug)]
struct Column {
    /// `"name":`, for writing.
    member: Vec<u8>,
    /// For faults.
    field: String,
    scalar: Scalar,
    format: Option<TimeFormat>,
    /// Index into [`Wanted::columns`].
    at: usize,
}

/// Matches the dataset file with the contract; all faults at once.
pub fn plan(name: &str, file: &CsvFile, contract: &Contract) -> Result<(Wanted, Vec<CsvOperation>), Faults> {
    let mut plan = Plan {
        name,
        file,
        wanted: Wanted { delimiter: file.delimiter, ..Wanted::default() },
        faults: Faults::default(),
    };
    let mut operations = Vec::new();
    for operation in &file.operations {
        if let Some(contracted) = contract.operation(&operation.head.id) {
            operations.push(plan.operation(operation, contracted));
        }
    }
    plan.unknown_fields(contract);
    plan.faults.into_result()?;
    Ok((plan.wanted, operations))
}

struct Plan<'f> {
    name: &'f str,
    file: &'f CsvFile,
    wanted: Wanted,
    faults: Faults,
}

impl Plan<'_> {
    fn fault(&mut self, line: usize, message: impl Into<String>) {
        self.faults.push(Fault::new(self.name, Some(line), message));
    }

    fn operation(&mut self, operation: &file::CsvOperation, contracted: &Operation) -> CsvOperation {
        let line = operation.head.line;
        let single = contracted.cardinality == Cardinality::Single;
        let columns = match contracted.answer.row() {
            Shape::Object(row) => {
                row.properties.iter().filter_map(|property| self.column(property, line)).collect()
            }
            _ => {
                self.fault(line, "a row of a CSV file is an object in the contract");
                Vec::new()
            }
        };
        if single && operation.lookup.is_empty() {
            self.fault(line, "an operation that answers with one record wants a `lookup`");
        }
        let look_up = self.look_up(operation, contracted);
        let no_match = if single { vec!["no row with the key".to_owned()] } else { Vec::new() };
        let mapping =
            Mapping { no_match, semantics: self.semantics(operation, contracted), ..Mapping::default() };
        CsvOperation { id: operation.head.id.clone(), mapping, single, look_up, columns }
    }

    fn column(&mut self, property: &Property, line: usize) -> Option<Column> {
        let Shape::Scalar(scalar) = &property.shape else {
            self.fault(line, format!("`{}` is not a single value: a CSV file has no others", property.name));
            return None;
        };
        let file = self.file;
        let named = file.columns.iter().any(|column| column.field == *property.name);
        let format = file.format(&property.name).cloned();
        let header = file.header(&property.name);
        let at = self.want(header, property.required || named, false);
        let mut member = Vec::new();
        json::write_string(&mut member, &property.name);
        member.push(b':');
        Some(Column { member, field: property.name.to_string(), scalar: scalar.clone(), format, at })
    }

    /// The place of a column among those wanted.
    fn want(&mut self, header: &str, required: bool, integer_key: bool) -> usize {
        let columns = &mut self.wanted.columns;
        if let Some((at, column)) = columns.iter_mut().enumerate().find(|(_, column)| column.header == header)
        {
            column.required |= required;
            column.integer_key |= integer_key;
            return at;
        }
        columns.push(WantedColumn { header: header.to_owned(), required, integer_key });
        columns.len() - 1
    }

    fn look_up(&mut self, operation: &file::CsvOperation, contracted: &Operation) -> Option<LookUp> {
        let line = operation.head.line;
        let fields: Vec<&Field> = operation.lookup.iter().map(|(field, _)| field).collect();
        for message in template::unused_keys(&contracted.question, &fields) {
            self.fault(line, message);
        }
        let mut key = Vec::new();
        for (field, header) in &operation.lookup {
            if let Some(message) = field.fault(&contracted.question, true) {
                self.fault(line, message);
                continue;
            }
            let kind = match contracted.question.at(field.path()) {
                Some((Shape::Scalar(scalar), _)) => scalar.kind,
                _ => ScalarKind::Null,
            };
            if !matches!(kind, ScalarKind::String | ScalarKind::Integer) {
                self.fault(
                    line,
                    format!("`{}` is neither text nor integer: rows are looked up by these", field.path()),
                );
            }
            if self.file.formats.iter().any(|format| self.file.header(&format.field) == header) {
                self.fault(
                    line,
                    format!("rows cannot be looked up by `{header}`, which has a format of its own"),
                );
            }
            key.push(self.want(header, true, kind == ScalarKind::Integer));
        }
        if operation.lookup.is_empty() {
            return None;
        }
        let at = self.wanted.keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.wanted.keys.push(key);
            self.wanted.keys.len() - 1
        });
        Some(LookUp { key: at, fields: fields.into_iter().cloned().collect() })
    }

    /// What a reader of the view has to know of whose rows these are, and how their fields are read.
    fn semantics(&self, operation: &file::CsvOperation, contracted: &Operation) -> Vec<String> {
        let row = contracted.answer.row().fields();
        let here = |field: &str| row.iter().any(|(path, _)| path.to_string() == field);
        let columns = self.file.columns.iter().filter(|column| here(&column.field));
        let mut out: Vec<String> =
            columns.map(|column| format!("`{}` is the column `{}`", column.field, column.header)).collect();
        let formats = self.file.formats.iter().filter(|format| here(&format.field));
        out.extend(formats.map(|format| format!("`{}` is {}", format.field, format.format.in_words())));
        // Else another column, such as that of a relative, could be looked into under the same signatures.
        let looked = operation.lookup.iter().map(|(field, header)| {
            format!("rows are those whose column `{header}` is `{}` of the question", field.path())
        });
        out.extend(looked);
        if operation.lookup.is_empty() {
            out.push("rows are all of the file".to_owned());
        }
        out.sort();
        out
    }

    /// Columns and formats of fields that no operation answers with, and formats that cannot be.
    fn unknown_fields(&mut self, contract: &Contract) {
        let rows: Vec<&Shape> = contract.operations.iter().map(|operation| operation.answer.row()).collect();
        let property = |field: &str| {
            rows.iter().find_map(|row| match row {
                Shape::Object(object) => object.property(field),
                _ => None,
            })
        };
        let unknown = |field: &str| format!("the contract's answers have no field `{field}`");
        let mut found = Vec::new();
        for column in &self.file.columns {
            if property(&column.field).is_none() {
                found.push((column.line, unknown(&column.field)));
            }
        }
        for format in &self.file.formats {
            let of = property(&format.field).map(|property| match &property.shape {
                Shape::Scalar(scalar) if scalar.kind == ScalarKind::String => scalar.format,
                _ => None,
            });
            match of {
                None => found.push((format.line, unknown(&format.field))),
                Some(of) => found.extend(format.format.fault(of).map(|message| (format.line, message))),
            }
        }
        for (line, message) in found {
            self.fault(line, message);
        }
    }
}

impl CsvOperation {
    pub fn answer(&self, table: &Table, question: Node<'_>) -> Result<Fetched, SourceFault> {
        let every: Vec<u32>;
        let rows = match &self.look_up {
            Some(look_up) => look_up.rows(table, question)?,
            None => {
                every = (0..table.rows).collect();
                &every
            }
        };
        let mut out = Vec::with_capacity(256);
        match (self.single, rows) {
            (true, []) => return Ok(Fetched::NoMatch),
            (true, [row]) => self.write_row(table, *row, &mut out)?,
            (true, _) => return Err(SourceFault::Invalid("several rows have the key".into())),
            (false, rows) => self.write_list(table, rows, &mut out)?,
        }
        let answer = Document::parse(out.into(), JSON_DEPTH_MAX)
            .map_err(|fault| SourceFault::Invalid(fault.to_string().into()))?;
        Ok(Fetched::Document(Found { answer, pointer: "".into() }))
    }

    fn write_list(&self, table: &Table, rows: &[u32], out: &mut Vec<u8>) -> Result<(), SourceFault> {
        out.push(b'[');
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.write_row(table, *row, out)?;
            if out.len() > ANSWER_BYTES_MAX {
                return Err(SourceFault::Invalid("the rows are more than an answer may hold".into()));
            }
        }
        out.push(b']');
        Ok(())
    }

    fn write_row(&self, table: &Table, row: u32, out: &mut Vec<u8>) -> Result<(), SourceFault> {
        out.push(b'{');
        let mut first = true;
        for column in &self.columns {
            let start = out.len();
            if !first {
                out.push(b',');
            }
            out.extend_from_slice(&column.member);
            let text = std::str::from_utf8(table.cell(row, column.at)).unwrap_or_default();
            let written = cell::write(text, &column.scalar, column.format.as_ref(), out);
            if written.map_err(|NotOfType(wanted)| column.fault(wanted))? {
                first = false;
            } else {
                out.truncate(start);
            }
        }
        out.push(b'}');
        Ok(())
    }
}

impl Column {
    fn fault(&self, wanted: &str) -> SourceFault {
        SourceFault::Invalid(format!("a cell of `{}` is not {wanted}", self.field).into())
    }
}

impl LookUp {
    fn rows<'t>(&self, table: &'t Table, question: Node<'_>) -> Result<&'t [u32], SourceFault> {
        let value = |field: &Field| match field.text(question)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(SourceFault::Question("a field that rows are looked up by is empty".into())),
        };
        let values: Vec<Cow<'_, str>> = self.fields.iter().map(value).collect::<Result<_, SourceFault>>()?;
        let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        Ok(table.find(self.key, &values))
    }
}
