//! Contracts and folders for the tests of this room.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Source, load};
use crate::json::Document;
use crate::model::{
    Cardinality, Contract, DatasetId, DatasetVersion, Digest, Effect, Faults, Format, Marks, ObjectShape,
    Operation, OperationId, Property, Scalar, ScalarKind, Shape,
};

/// `name! kind? format`: `!` is required, `?` nullable; instead of a format `key` may stand.
fn property(text: &str) -> Property {
    let mut words = text.split(' ');
    let (name, kind) = (words.next().unwrap(), words.next().unwrap());
    let last = words.next();
    let kinds = [ScalarKind::String, ScalarKind::Integer, ScalarKind::Number, ScalarKind::Boolean];
    let shape = match kind.trim_end_matches('?') {
        "object" => object(&["inner! string"]),
        kind_name => Shape::Scalar(Scalar {
            kind: kinds.into_iter().find(|kind| kind.as_str() == kind_name).unwrap(),
            nullable: kind.ends_with('?'),
            format: last.and_then(Format::parse),
            values: None,
        }),
    };
    let marks = Marks { key: last == Some("key"), ..Marks::default() };
    Property { name: name.trim_end_matches('!').into(), required: name.ends_with('!'), shape, marks }
}

pub fn object(properties: &[&str]) -> Shape {
    let properties = properties.iter().map(|text| property(text)).collect();
    Shape::Object(ObjectShape { properties, nullable: false })
}

pub fn single(id: &str, question: &[&str], answer: &[&str]) -> Operation {
    Operation {
        id: OperationId::new(id).unwrap(),
        path: format!("/{id}"),
        summary: String::new(),
        effect: Effect::Reads,
        cardinality: Cardinality::Single,
        question: object(question),
        question_schema: serde_json::Value::Null,
        answer: object(answer),
        answer_schema: serde_json::Value::Null,
    }
}

pub fn list(id: &str, question: &[&str], answer: &[&str]) -> Operation {
    let row = object(answer);
    Operation {
        cardinality: Cardinality::List,
        answer: Shape::Array { items: Box::new(row), nullable: false },
        ..single(id, question, &[])
    }
}

pub fn contract(operations: Vec<Operation>) -> Contract {
    Contract {
        version: DatasetVersion { dataset: DatasetId::new("records").unwrap(), major: 1 },
        title: "Records".to_owned(),
        digest: Digest::of(b"contract"),
        operations: operations.into_iter().map(Arc::new).collect(),
    }
}

/// What every dataset file begins with.
pub const HEAD: &str =
    "dataset = \"records\"\ncontract = \"c.json\"\nowner = \"Head of Records\"\nopenness = \"agreed\"\n";

pub fn build(body: &str, operations: Vec<Operation>, base: &Folder) -> Result<Source, Faults> {
    rebuild(body, operations, base, None)
}

/// As at a reload.
pub fn rebuild(
    body: &str,
    operations: Vec<Operation>,
    base: &Folder,
    before: Option<&Source>,
) -> Result<Source, Faults> {
    let file = load("d.toml", &format!("{HEAD}{body}"))?;
    Source::build(&file, &contract(operations), &base.0, before)
}

/// The messages of faults, one a line.
pub fn shown<T>(result: Result<T, Faults>) -> String {
    result.err().unwrap().to_string()
}

pub fn json(text: &str) -> Document {
    Document::parse(text.to_owned().into(), 16).unwrap()
}

pub fn id(text: &str) -> OperationId {
    OperationId::new(text).unwrap()
}

/// A folder deleted with the value.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let random = u64::from_be_bytes(crate::crypto::random::<8>().unwrap());
        let dir = std::env::temp_dir().join(format!("tolbooth-source-{random}"));
        std::fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
