//! One operation: its request, made from a question, and its part of the mapping.

use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use bytes::Bytes;

use super::answer::Reading;
use super::body::Body;
use super::file::{self, HttpFile};
use super::pool::Whole;
use crate::json::Node;
use crate::model::{Cardinality, Effect, Fault, Faults, FieldPath, Mapping, Operation, OperationId, Shape};
use crate::source::SourceFault;
use crate::source::template::{self, Field, Template};

#[derive(Debug)]
pub struct HttpOperation {
    pub id: OperationId,
    /// Asking twice does no harm.
    pub reads: bool,
    pub mapping: Mapping,
    pub reading: Reading,
    method: Method,
    prefix: String,
    path: Vec<Template>,
    query: Vec<(String, Template)>,
    /// What every request has, our own and the secret ones included.
    fixed: HeaderMap,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Body>,
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl HttpOperation {
    /// Checks an operation of the dataset file against the contract's.
    pub fn build(
        name: &str,
        operation: &file::HttpOperation,
        file: &HttpFile,
        fixed: &HeaderMap,
        contracted: &Operation,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let line = Some(operation.head.line);
        if contracted.effect == Effect::Changes && !file.forward.contains(&IDEMPOTENCY_KEY) {
            let message = format!(
                "`{}` changes something, and `forward_headers` does not list `idempotency-key`",
                operation.head.id
            );
            faults.push(Fault::new(name, line, message).with_help(
                "without the key the system behind cannot tell a repeated change from a second one",
            ));
        }
        for message in question_faults(operation, &contracted.question) {
            faults.push(Fault::new(name, line, message));
        }
        for rename in &operation.renames {
            if let Some(message) = rename_fault(&rename.field, contracted.answer.row()) {
                faults.push(Fault::new(name, Some(rename.line), message));
            }
        }
        faults.into_result()?;
        let mut fixed = fixed.clone();
        if operation.body.is_some() {
            fixed.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let no_match = &operation.no_match;
        Ok(Self {
            id: operation.head.id.clone(),
            reads: contracted.effect == Effect::Reads,
            mapping: mapping(operation),
            reading: Reading {
                bytes_max: file.answer_bytes_max,
                statuses: no_match.statuses.clone(),
                empty: no_match.empty,
                missing: no_match.missing,
                single: contracted.cardinality == Cardinality::Single,
                pointer: operation.document.as_str().into(),
            },
            method: operation.method.clone(),
            prefix: file.url.prefix.clone(),
            path: operation.path.clone(),
            query: operation.query.clone(),
            fixed,
            headers: operation.headers.clone(),
            body: operation.body.clone(),
        })
    }

    /// # Errors
    /// [`SourceFault::Question`] if a value cannot stand where the mapping wants it.
    pub fn request(&self, question: Node<'_>) -> Result<Request<Whole>, SourceFault> {
        let body = match &self.body {
            None => Bytes::new(),
            Some(body) => {
                let mut out = Vec::new();
                if !body.write(question, &mut out)? {
                    out.extend_from_slice(b"null");
                }
                out.into()
            }
        };
        let mut request = Request::new(Whole::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target(question)?;
        *request.headers_mut() = self.fixed.clone();
        for (name, template) in &self.headers {
            let mut out = Vec::new();
            if template.fill(question, template::header, &mut out)? {
                let value = HeaderValue::from_bytes(&out).map_err(|_| unaskable())?;
                request.headers_mut().insert(name.clone(), value);
            }
        }
        Ok(request)
    }

    /// Path and query (RFC 9112 section 3.2.1, origin-form).
    fn target(&self, question: Node<'_>) -> Result<Uri, SourceFault> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(self.prefix.as_bytes());
        for segment in &self.path {
            out.push(b'/');
            if !segment.fill(question, template::segment, &mut out)? {
                return Err(unaskable());
            }
        }
        let mut between = b'?';
        for (name, template) in &self.query {
            let start = out.len();
            out.push(between);
            out.extend_from_slice(name.as_bytes());
            if template.fill(question, template::query, &mut out)? {
                between = b'&';
            } else {
                out.truncate(start);
            }
        }
        let target = PathAndQuery::from_maybe_shared(Bytes::from(out)).map_err(|_| unaskable())?;
        Ok(Uri::from(target))
    }
}

fn unaskable() -> SourceFault {
    SourceFault::Question("a value cannot stand where the mapping wants it".into())
}

/// What is wrong between the operation's templates and the contract's question.
fn question_faults(operation: &file::HttpOperation, question: &Shape) -> Vec<String> {
    let path: Vec<&Field> = operation.path.iter().flat_map(Template::fields).collect();
    let query = operation.query.iter().flat_map(|(_, template)| template.fields());
    let headers = operation.headers.iter().flat_map(|(_, template)| template.fields());
    let mut used: Vec<&Field> = query.chain(headers).collect();
    let mut out: Vec<String> = path.iter().filter_map(|field| field.fault(question, true)).collect();
    out.extend(used.iter().filter_map(|field| field.fault(question, false)));
    out.extend(operation.body.iter().flat_map(|body| body.faults(question)));
    used.extend(path);
    used.extend(operation.body.iter().flat_map(Body::fields));
    out.extend(template::unused_keys(question, &used));
    out
}

fn rename_fault(field: &FieldPath, row: &Shape) -> Option<String> {
    let there = row.fields().iter().any(|(path, _)| path == field);
    (!there).then(|| format!("the contract's answer has no field `{field}` to rename"))
}

fn mapping(operation: &file::HttpOperation) -> Mapping {
    let no_match = &operation.no_match;
    let mut sentences: Vec<String> =
        no_match.statuses.iter().map(|status| format!("status {status}")).collect();
    if no_match.empty {
        sentences.push("an empty document".to_owned());
    }
    if no_match.missing {
        sentences.push("a missing document".to_owned());
    }
    sentences.sort();
    let rename = |rename: &file::Rename| (rename.field.clone(), rename.pointer.clone());
    Mapping {
        document: operation.document.clone(),
        renames: operation.renames.iter().map(rename).collect(),
        no_match: sentences,
        semantics: Vec::new(),
    }
}
