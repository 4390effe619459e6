//! A dataset whose operation changes something: notes left for a child's social worker.

use std::path::Path;

use super::agreements::{self, CHILD, agree};

pub const PATH: &str = "/case-note/v1/add";
pub const QUESTION: &str = r#"{"chi":"1403170129","note":"seen today"}"#;

const CONTRACT: &str = r#"{
  "openapi": "3.1.0",
  "info": { "title": "Notes for the social worker", "version": "1.0.0" },
  "x-tolbooth-dataset": "case-note",
  "paths": { "/add": { "post": {
    "operationId": "add",
    "summary": "Leave a note.",
    "x-tolbooth-effect": "changes",
    "requestBody": { "content": { "application/json": { "schema": {
      "type": "object", "additionalProperties": false, "required": ["chi", "note"],
      "properties": {
        "chi": { "type": "string", "pattern": "^[0-9]{10}$", "x-tolbooth-key": true, "x-tolbooth-subject": "chi" },
        "note": { "type": "string", "maxLength": 200 }
      } } } } },
    "responses": { "200": { "description": "Left.", "content": { "application/json": { "schema": {
      "type": "object", "additionalProperties": false, "required": ["reference"],
      "properties": { "reference": { "type": "string", "maxLength": 40 } } } } } } }
  } } }
}
"#;

const DATASET: &str = r#"dataset = "case-note"
contract = "schemas/case-note.v1.json"
owner = "Head of Children's Services"
openness = "agreed"
synthetic = true

[source]
kind = "http"
url = "{url}"
forward_headers = ["idempotency-key"]

[[operation]]
id = "add"
method = "POST"
path = "/notes"
body = { chi = "{chi}", note = "{note}" }
"#;

/// Adds the dataset, served by the system the child protection register is served by, and an
/// agreement with NHS Lomond to leave notes.
pub fn add(home: &Path) {
    let register = std::fs::read_to_string(home.join("policies/datasets/child-protection.toml")).unwrap();
    let url = register.split("url = \"").nth(1).unwrap().split('"').next().unwrap();
    std::fs::write(home.join("schemas/case-note.v1.json"), CONTRACT).unwrap();
    // By the guardrail that is shipped nothing is changed by a trial, and no test has a live agreement.
    std::fs::remove_file(home.join("policies/guardrails/changes.cedar")).unwrap();
    std::fs::write(home.join("policies/datasets/case-note.toml"), DATASET.replace("{url}", url)).unwrap();
    let text = agreements::unsealed(&agreements::text(home, CHILD));
    let (head, rest) = text.split_once("[data]").unwrap();
    let (_, dates) = rest.split_once("[limits]").unwrap();
    let head = head
        .replace("child-protection\"", "case-note\"")
        .replace("\"check\"", "\"add\"")
        .replace("\"ed_clinician\", ", "");
    let text =
        format!("{head}[data]\nrelease = [\"reference\"]\nwithhold = []\nall_rows = true\n\n[limits]{dates}");
    agree(home, "case-note", &text);
}
