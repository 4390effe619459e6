//! A CSV file in memory (RFC 4180, read strictly): the cells of the columns that are used, one after
//! the other, and for each look-up the rows in the order of their keys. No maps: five bytes or so for
//! a cell besides its own, four for a row and look-up.
//!
//! Strict, because what is lost in reading would be told as "no such record": a quote that is never
//! closed, a row of another length or a file that is not UTF-8 make the whole file unusable.

use std::cmp::Ordering;

use crate::model::{Digest, Fault, Faults};

/// What a file has to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub delimiter: u8,
    pub columns: Vec<WantedColumn>,
    /// Look-ups by these columns, in this order.
    pub keys: Vec<Vec<usize>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedColumn {
    pub header: String,
    /// The file cannot be used without it.
    pub required: bool,
    /// Every cell must be empty or an integer as JSON writes it: questions with integers are
    /// compared with it, and `007` would never be found.
    pub integer_key: bool,
}

#[derive(Debug)]
pub struct Table {
    pub digest: Digest,
    pub rows: u32,
    width: usize,
    cells: Vec<u8>,
    /// Where each cell ends; it begins where the one before it does.
    ends: Vec<u32>,
    /// For each look-up, the rows sorted by key.
    order: Vec<Vec<u32>>,
    keys: Vec<Vec<usize>>,
}

impl Table {
    /// Reads a whole file. `name` is the file's, for faults.
    pub fn read(name: &str, bytes: &[u8], wanted: &Wanted) -> Result<Self, Faults> {
        let fault = |line, message: &str| Faults::from(Fault::new(name, line, message));
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            fault(Some(1 + newlines(before)), "not UTF-8: save the file as UTF-8")
        })?;
        if text.contains('\0') {
            return Err(fault(None, "holds zero bytes: save the file as UTF-8"));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader { rest: text.as_bytes(), line: 1, delimiter: wanted.delimiter };
        let mut row = Row::default();
        if !reader.row(&mut row).map_err(|(line, message)| fault(Some(line), message))? {
            return Err(fault(None, "has no header"));
        }
        let headers: Vec<String> =
            (0..row.ends.len()).map(|at| String::from_utf8_lossy(row.cell(at)).into_owned()).collect();
        let places = places(name, &headers, wanted)?;
        let mut table = Self {
            digest: Digest::of(bytes),
            rows: 0,
            width: places.len(),
            cells: Vec::new(),
            ends: Vec::new(),
            order: Vec::new(),
            keys: wanted.keys.clone(),
        };
        loop {
            let line = reader.line;
            if !reader.row(&mut row).map_err(|(line, message)| fault(Some(line), message))? {
                break;
            }
            if row.ends.len() != headers.len() {
                return Err(fault(Some(line), "has not as many cells as the header"));
            }
            table.push(&row, &places, wanted).map_err(|message| fault(Some(line), message))?;
        }
        table.cells.shrink_to_fit();
        table.ends.shrink_to_fit();
        table.sort();
        Ok(table)
    }

    fn push(&mut self, row: &Row, places: &[Option<usize>], wanted: &Wanted) -> Result<(), &'static str> {
        for (place, column) in places.iter().zip(&wanted.columns) {
            let cell = place.map(|place| row.cell(place)).unwrap_or_default();
            if column.integer_key && !cell.is_empty() {
                let text = std::str::from_utf8(cell).unwrap_or_default();
                if !super::cell::is_integer(text) {
                    return Err("a key that has to be an integer is not one");
                }
            }
            self.cells.extend_from_slice(cell);
            self.ends.push(u32::try_from(self.cells.len()).map_err(|_| "too large")?);
        }
        self.rows = self.rows.checked_add(1).ok_or("too many rows")?;
        Ok(())
    }

    fn sort(&mut self) {
        let order = self.keys.iter().map(|key| {
            let mut rows: Vec<u32> = (0..self.rows).collect();
            // A row without a key cannot be asked for by it.
            rows.retain(|row| key.iter().all(|column| !self.cell(*row, *column).is_empty()));
            rows.sort_by(|a, b| self.key(*a, key).cmp(self.key(*b, key)));
            rows
        });
        self.order = order.collect();
    }

    fn key<'t>(&'t self, row: u32, key: &'t [usize]) -> impl Iterator<Item = &'t [u8]> {
        key.iter().map(move |column| self.cell(row, *column))
    }

    /// A cell by row and wanted column; empty if the file has no such column.
    pub fn cell(&self, row: u32, column: usize) -> &[u8] {
        let at = row as usize * self.width + column;
        let end_of = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let start = at.checked_sub(1).map_or(0, end_of);
        self.cells.get(start..end_of(at)).unwrap_or_default()
    }

    /// The rows whose key is this, in the file's order. `look_up` is an index into [`Wanted::keys`].
    pub fn find(&self, look_up: usize, value: &[&str]) -> &[u32] {
        let (Some(order), Some(key)) = (self.order.get(look_up), self.keys.get(look_up)) else { return &[] };
        let compare = |row: &u32| self.key(*row, key).cmp(value.iter().map(|text| text.as_bytes()));
        let start = order.partition_point(|row| compare(row) == Ordering::Less);
        let rest = order.get(start..).unwrap_or_default();
        let count = rest.partition_point(|row| compare(row) == Ordering::Equal);
        rest.get(..count).unwrap_or_default()
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| **b == b'\n').count()
}

/// Where each wanted column stands in the file.
fn places(name: &str, headers: &[String], wanted: &Wanted) -> Result<Vec<Option<usize>>, Faults> {
    let mut faults = Faults::default();
    let place = |column: &WantedColumn| {
        let mut at =
            headers.iter().enumerate().filter(|(_, header)| **header == column.header).map(|(at, _)| at);
        let (first, second) = (at.next(), at.next());
        if second.is_some() {
            faults.push(Fault::new(name, Some(1), format!("the column `{}` is there twice", column.header)));
        }
        if first.is_none() && column.required {
            let message = format!("there is no column `{}`", column.header);
            // Of the file's own words nothing is told: where the line of headers is missing they are somebody's data.
            let fault = Fault::new(name, Some(1), message);
            faults
                .push(fault.with_help("the first line names the columns, as the dataset's file spells them"));
        }
        first
    };
    let places = wanted.columns.iter().map(place).collect();
    faults.into_result()?;
    Ok(places)
}

/// One row as it is read, used again for each.
#[derive(Default)]
struct Row {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Row {
    fn cell(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(at).and_then(|end| self.bytes.get(start..*end)).unwrap_or_default()
    }
}

struct Reader<'t> {
    rest: &'t [u8],
    line: usize,
    delimiter: u8,
}

/// The line and what is wrong there.
type Wrong = (usize, &'static str);

impl<'t> Reader<'t> {
    /// Reads the next row, skipping empty lines; `false` at the end.
    fn row(&mut self, row: &mut Row) -> Result<bool, Wrong> {
        loop {
            row.bytes.clear();
            row.ends.clear();
            if self.rest.is_empty() {
                return Ok(false);
            }
            let quoted = self.rest.first() == Some(&b'"');
            while self.cell(row)? {}
            if row.ends.len() > 1 || !row.bytes.is_empty() || quoted {
                return Ok(true);
            }
        }
    }

    /// Reads one cell and what follows it; `true` if the row goes on.
    fn cell(&mut self, row: &mut Row) -> Result<bool, Wrong> {
        match self.rest.strip_prefix(b"\"") {
            Some(inner) => self.quoted(inner, row)?,
            None => {
                let stop = |b: &u8| *b == self.delimiter || matches!(b, b'\r' | b'\n' | b'"');
                let (cell, rest) = split(self.rest, self.rest.iter().position(stop));
                row.bytes.extend_from_slice(cell);
                self.rest = rest;
            }
        }
        row.ends.push(row.bytes.len());
        match self.rest {
            [] => Ok(false),
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => {
                self.rest = rest;
                self.line += 1;
                Ok(false)
            }
            [next, rest @ ..] if *next == self.delimiter => {
                self.rest = rest;
                Ok(true)
            }
            [b'\r', ..] => Err((self.line, "a carriage return without its newline")),
            _ => Err((
                self.line,
                "a quote where none can be: a cell with quotes is quoted whole, its quotes doubled",
            )),
        }
    }

    /// A quoted cell, after its first quote.
    fn quoted(&mut self, inner: &'t [u8], row: &mut Row) -> Result<(), Wrong> {
        let first_line = self.line;
        let mut inner = inner;
        loop {
            let Some(at) = inner.iter().position(|b| *b == b'"') else {
                return Err((first_line, "a quoted cell begins here and is never closed"));
            };
            let (text, rest) = split(inner, Some(at));
            row.bytes.extend_from_slice(text);
            self.line += newlines(text);
            match rest {
                [b'"', b'"', after @ ..] => {
                    row.bytes.push(b'"');
                    inner = after;
                }
                _ => {
                    self.rest = split(rest, Some(1)).1;
                    return Ok(());
                }
            }
        }
    }
}

/// Splits at a place, or at the end.
fn split(bytes: &[u8], at: Option<usize>) -> (&[u8], &[u8]) {
    at.and_then(|at| bytes.split_at_checked(at)).unwrap_or((bytes, &[]))
}
