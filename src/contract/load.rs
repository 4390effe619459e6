//! From a contract's text to a [`Contract`]: the OpenAPI 3.1 part of the closed subset.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::place::{File, Place, line_of};
use super::schema::{Read, Schemas};
use crate::json::{Document, Node};
use crate::model::limits::JSON_DEPTH_MAX;
use crate::model::{
    Cardinality, Contract, DatasetId, DatasetVersion, Digest, Effect, Fault, Faults, Operation, OperationId,
    Shape, suggestion,
};

/// Loads a contract. `file` is its name as the host gave it.
///
/// # Errors
/// Everything that is not the closed subset of design 4, each with its line and JSON Pointer.
pub fn load(file: &str, text: &str) -> Result<Contract, Faults> {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let document = Document::parse(bytes, JSON_DEPTH_MAX)
        .map_err(|fault| Fault::new(file, Some(line_of(text, fault.at)), fault.kind.to_string()))?;
    load_root(file, text, document.root())
}

fn load_root(name: &str, text: &str, root: Node<'_>) -> Result<Contract, Faults> {
    let file = File { name, text, root, faults: RefCell::default() };
    let contract = contract(&Place::root(&file), Digest::of(text.as_bytes()));
    let faults = file.faults.into_inner();
    match contract {
        Some(contract) if faults.is_empty() => Ok(contract),
        _ if faults.is_empty() => Err(Fault::new(name, None, "could not be read").into()),
        _ => Err(faults),
    }
}

fn contract(root: &Place<'_>, digest: Digest) -> Option<Contract> {
    if !root.only(&["openapi", "info", "x-tolbooth-dataset", "paths", "components"]) {
        return None;
    }
    if let Some(openapi) = root.required("openapi")
        && !openapi.text()?.starts_with("3.1.")
    {
        openapi.fault("contracts are OpenAPI 3.1");
    }
    let dataset = root.required("x-tolbooth-dataset").and_then(|place| dataset(&place));
    let info = root.required("info").and_then(|info| title_and_major(&info));
    let mut schemas = Schemas::default();
    if let Some(components) = root.child("components") {
        check_components(&components, &mut schemas);
    }
    let operations = root.required("paths").map(|paths| operations(&paths, &mut schemas));
    let (title, major) = info?;
    Some(Contract {
        version: DatasetVersion { dataset: dataset?, major },
        title,
        digest,
        operations: operations?,
    })
}

fn dataset(place: &Place<'_>) -> Option<DatasetId> {
    let id = DatasetId::new(&place.text()?).map_err(|error| place.fault(error)).ok()?;
    if id.is_reserved() {
        place.fault(format!("`{id}` means something else at the gateway, and so cannot be a dataset"));
        return None;
    }
    Some(id)
}

fn title_and_major(info: &Place<'_>) -> Option<(String, u32)> {
    info.only(&["title", "version", "description"]);
    info.child("description").map(|place| place.text());
    let title = info.required("title").and_then(|place| place.text());
    let version = info.required("version")?;
    let major = major(&version.text()?);
    if major.is_none() {
        version.fault_with_help(
            "not a version",
            Some("write it as `1.0.0`; the first number is the major".into()),
        );
    }
    Some((title?, major?))
}

/// The major of a semantic version of three plain numbers.
fn major(text: &str) -> Option<u32> {
    let plain =
        |part: &str| part == "0" || (!part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()));
    let parts: Vec<&str> = text.split('.').collect();
    match parts.as_slice() {
        [major, minor, patch] if [major, minor, patch].iter().all(|part| plain(part)) => major.parse().ok(),
        _ => None,
    }
}

/// Schemas nobody refers to must be legal too: they are part of what officers read.
fn check_components(components: &Place<'_>, schemas: &mut Schemas) {
    components.only(&["schemas"]);
    for (_, place) in components.child("schemas").map(|all| all.entries()).unwrap_or_default() {
        schemas.read_property(&place);
    }
}

fn operations(paths: &Place<'_>, schemas: &mut Schemas) -> Vec<Arc<Operation>> {
    let mut ids = HashSet::new();
    let mut out = Vec::new();
    let entries = paths.entries();
    if entries.is_empty() {
        paths.fault("a contract has at least one operation");
    }
    for (path, item) in entries {
        if !is_path(&path) {
            item.fault_with_help(
                "not a path an operation can have",
                Some(
                    "small letters, digits, `-` and `_` between slashes; identifiers travel in the body"
                        .into(),
                ),
            );
        }
        if !item.only(&["post"]) {
            continue;
        }
        let Some(post) = item.required("post") else { continue };
        if let Some(operation) = operation(path, &post, schemas) {
            if !ids.insert(operation.id.clone()) {
                post.fault(format!("`{}` is there twice", operation.id));
            }
            out.push(Arc::new(operation));
        }
    }
    out
}

/// Without templates: an identifier is never in a URL.
fn is_path(path: &str) -> bool {
    let is_segment = |segment: &str| {
        !segment.is_empty()
            && segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    path.len() <= 128 && path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment))
}

fn operation(path: String, post: &Place<'_>, schemas: &mut Schemas) -> Option<Operation> {
    let known = ["operationId", "summary", "description", "x-tolbooth-effect", "requestBody", "responses"];
    if !post.only(&known) {
        return None;
    }
    post.child("description").map(|place| place.text());
    let id = post
        .required("operationId")
        .and_then(|place| OperationId::new(&place.text()?).map_err(|error| place.fault(error)).ok());
    let summary = post.required("summary").and_then(|place| place.text());
    let effect = post.required("x-tolbooth-effect").and_then(|place| effect(&place));
    let question = post.required("requestBody").and_then(|body| {
        body.only(&["description", "required", "content"]);
        if let Some(required) = body.child("required")
            && required.boolean() == Some(false)
        {
            required.fault("a question always has a body");
        }
        content(&body, schemas)
    });
    let answer = post.required("responses").and_then(|responses| {
        responses.only(&["200"]);
        let ok = responses.required("200")?;
        ok.only(&["description", "content"]);
        content(&ok, schemas)
    });
    let question = question.and_then(|read| question_of(post, read));
    let (cardinality, answer) = answer.and_then(|read| answer_of(post, read))?;
    let question = question?;
    Some(Operation {
        id: id?,
        path,
        summary: summary?,
        effect: effect?,
        cardinality,
        question: question.shape,
        question_schema: question.schema,
        answer: answer.shape,
        answer_schema: answer.schema,
    })
}

fn effect(place: &Place<'_>) -> Option<Effect> {
    let text = place.text()?;
    let all = [Effect::Reads, Effect::Changes];
    let found = all.into_iter().find(|effect| effect.as_str() == text);
    if found.is_none() {
        let help = suggestion(&text, all.map(Effect::as_str));
        place.fault_with_help("an operation `reads` or `changes`", help);
    }
    found
}

fn content(body: &Place<'_>, schemas: &mut Schemas) -> Option<Read> {
    body.child("description").map(|place| place.text());
    let content = body.required("content")?;
    content.only(&["application/json"]);
    let media = content.required("application/json")?;
    media.only(&["schema"]);
    schemas.read_document(&media.required("schema")?)
}

fn question_of(post: &Place<'_>, read: Read) -> Option<Read> {
    if matches!(&read.shape, Shape::Object(object) if !object.nullable) {
        return Some(read);
    }
    post.fault("a question is an object, and never null");
    None
}

fn answer_of(post: &Place<'_>, read: Read) -> Option<(Cardinality, Read)> {
    let is_record = |shape: &Shape| matches!(shape, Shape::Object(object) if !object.nullable);
    match &read.shape {
        shape if is_record(shape) => Some((Cardinality::Single, read)),
        Shape::Array { items, nullable: false } if is_record(items) => Some((Cardinality::List, read)),
        _ => {
            post.fault("an answer is an object or a list of objects, and never null");
            None
        }
    }
}
