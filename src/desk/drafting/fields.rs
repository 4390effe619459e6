//! Which fields leave: what the contract offers, what is withheld unless somebody names it, and the answer taken
//! apart. Whether a transform fits its field `minimise/` judges, as ever.

use std::sync::Arc;

use crate::minimise::{self, leaves};
use crate::model::{
    Band, Fault, FieldPath, OperationId, Property, Shape, SpecialCategory, Transform, suggestion,
};

use super::super::ruleset::Offer;
use super::words::{listed, wrong};

/// The mark of criminal offences, which are apart from special categories (UK GDPR Art 10).
const OFFENCE: &str = "criminal_offence";
/// Transforms that need nothing beside their name, in the order they are offered.
const PLAIN: [Transform; 5] = [
    Transform::YearOfBirth,
    Transform::Initials,
    Transform::PostcodeDistrict,
    Transform::ExistsYesNo,
    Transform::Pseudonym,
];

/// The rows of the operations, as the contract has them.
pub(super) fn rows_of(offer: &Offer, operations: &[OperationId]) -> Vec<Shape> {
    let known = operations.iter().filter_map(|id| offer.contract.operation(id));
    known.map(|operation| operation.answer.row().clone()).collect()
}

/// A field that can be listed, with every mark on it or above it.
struct Leaf<'s> {
    path: FieldPath,
    marked: Vec<&'s Property>,
}

impl Leaf<'_> {
    fn is_special(&self) -> bool {
        self.marked.iter().any(|property| property.marks.special.is_some() || property.marks.safe_address)
    }

    fn is_personal(&self) -> bool {
        self.marked.iter().any(|property| property.marks.personal || property.marks.subject.is_some())
    }

    fn words(&self) -> String {
        let mut words = Vec::new();
        if self.marked.iter().any(|property| property.marks.safe_address) {
            words.push("an address that may endanger somebody".to_owned());
        }
        let special = self.marked.iter().filter_map(|property| property.marks.special.as_deref());
        words.extend(special.map(|category| format!("special: {category}")));
        if self.is_personal() {
            words.push("personal".to_owned());
        }
        words.join(", ")
    }
}

fn leaves_of(row: &Shape) -> Vec<Leaf<'_>> {
    let properties = row.fields();
    let leaf = |path: FieldPath| {
        let on_the_way = properties.iter().filter(|(above, _)| path.is_within(above));
        let marked = on_the_way.map(|(_, property)| *property).collect();
        Leaf { path, marked }
    };
    leaves(row).into_iter().map(|(path, _)| leaf(path)).collect()
}

/// The fields of all rows, each once, in the order of the contract.
fn all(rows: &[Shape]) -> Vec<Leaf<'_>> {
    let mut out: Vec<Leaf<'_>> = Vec::new();
    for leaf in rows.iter().flat_map(leaves_of) {
        if out.iter().all(|known| known.path != leaf.path) {
            out.push(leaf);
        }
    }
    out
}

/// What leaves unless somebody says otherwise: nothing the contract marks as personal, as of a special category
/// or as an address that may endanger somebody.
pub(super) fn unmarked(rows: &[Shape]) -> Vec<FieldPath> {
    let plain = all(rows).into_iter().filter(|leaf| !leaf.is_special() && !leaf.is_personal());
    plain.map(|leaf| leaf.path).collect()
}

/// What stands for the answer until there is one: something no lint objects to, if there is any.
pub(super) fn stand_in(rows: &[Shape], personal: bool) -> Vec<(FieldPath, Transform)> {
    let plain = unmarked(rows);
    let any = all(rows).into_iter().filter(|leaf| personal && !leaf.is_special()).map(|leaf| leaf.path);
    plain.into_iter().chain(any).take(1).map(|path| (path, Transform::None)).collect()
}

/// Each field with what is said of it, and the transforms its type allows.
pub(super) fn offered(rows: &[Shape]) -> Vec<(String, String)> {
    let offered = all(rows).into_iter().map(|leaf| {
        let shape = rows.iter().find_map(|row| row.at(&leaf.path).map(|(shape, _)| shape));
        let mut words = leaf.words();
        if let Some(Shape::Scalar(scalar)) = shape {
            let mut names: Vec<&str> =
                PLAIN.iter().filter(|plain| minimise::fits(plain, scalar)).map(Transform::name).collect();
            // By an example of each that wants something beside its name.
            let more = ["age_band 16 18", "mask_keep_last 4", "round 5"].into_iter();
            let fitting =
                |example: &&str| transform_of(example).is_ok_and(|one| minimise::fits(&one, scalar));
            names.extend(more.filter(fitting));
            if !words.is_empty() {
                words.push_str("; ");
            }
            words.push_str(&format!("whole, or as {}", names.join(", ")));
        }
        (leaf.path.to_string(), words)
    });
    offered.collect()
}

/// `status, date_of_birth as year_of_birth, siblings as exists_yes_no`.
pub(super) fn parse(given: &str, rows: &[Shape]) -> Result<Vec<(FieldPath, Transform)>, Fault> {
    let mut out: Vec<(FieldPath, Transform)> = Vec::new();
    for part in listed(given) {
        let (path, transform) = part.split_once(" as ").unwrap_or((part, "none"));
        let path = FieldPath::parse(path.trim()).map_err(|error| wrong(error.to_string()))?;
        let transform = transform_of(transform.trim())?;
        for path in meant(&path, &transform, rows)? {
            if out.iter().any(|(known, _)| *known == path) {
                return Err(wrong(format!("`{path}` is named twice")));
            }
            out.push((path, transform.clone()));
        }
    }
    if out.is_empty() {
        return Err(wrong("releases nothing: name at least one field"));
    }
    Ok(out)
}

/// The field itself; of an object or list its fields, but for those that leave only by their own names.
fn meant(path: &FieldPath, transform: &Transform, rows: &[Shape]) -> Result<Vec<FieldPath>, Fault> {
    let leaves = all(rows);
    let is_whole = *transform == Transform::ExistsYesNo && rows.iter().any(|row| row.at(path).is_some());
    if is_whole || leaves.iter().any(|leaf| leaf.path == *path) {
        return Ok(vec![path.clone()]);
    }
    let below = leaves.iter().filter(|leaf| leaf.path.is_within(path) && !leaf.is_special());
    let below: Vec<FieldPath> = below.map(|leaf| leaf.path.clone()).collect();
    if below.is_empty() {
        let known: Vec<String> = leaves.iter().map(|leaf| leaf.path.to_string()).collect();
        let help = suggestion(&path.to_string(), known.iter().map(String::as_str));
        return Err(Fault { help, ..wrong(format!("the contract has no field `{path}`")) });
    }
    Ok(below)
}

fn transform_of(text: &str) -> Result<Transform, Fault> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let unsaid = |what: &str| wrong(format!("`{name}` wants {what}"));
    if let Some(plain) = PLAIN.iter().find(|plain| plain.name() == name && rest.is_empty()) {
        return Ok(plain.clone());
    }
    match name {
        "none" => Ok(Transform::None),
        "mask_keep_last" => {
            let characters =
                rest.trim().parse().map_err(|_| unsaid("how many characters stay: `mask_keep_last 4`"))?;
            Ok(Transform::MaskKeepLast { characters })
        }
        "round" => {
            let to: f64 = rest.trim().parse().map_err(|_| unsaid("to what: `round 5`"))?;
            if to.is_finite() { Ok(Transform::Round { to }) } else { Err(unsaid("a number")) }
        }
        "age_band" => {
            bands(rest).ok_or_else(|| unsaid("the ages at which a band begins: `age_band 16 18 65`"))
        }
        "code_map" => Err(wrong(
            "`code_map` needs a table: release the field whole or not at all here, and write the table into the file",
        )),
        _ => Err(Fault {
            help: suggestion(name, Transform::NAMES),
            ..wrong(format!("`{text}` is not a transform"))
        }),
    }
}

/// `16 18` is under 16, 16 to 17, and 18 and over.
fn bands(ages: &str) -> Option<Transform> {
    let starts: Vec<u32> = ages.split_whitespace().map(|age| age.parse().ok()).collect::<Option<_>>()?;
    let first = *starts.first()?;
    let mut bands = vec![Band { from: 0, label: format!("under {first}") }];
    for (index, from) in starts.iter().enumerate() {
        let label = match starts.get(index + 1).map(|next| next.saturating_sub(1)) {
            Some(last) => format!("{from} to {last}"),
            None => format!("{from} and over"),
        };
        bands.push(Band { from: *from, label });
    }
    Some(Transform::AgeBand { bands })
}

/// Everything that is not released: an object or list of which nothing leaves by its own name alone.
pub(super) fn withheld(rows: &[Shape], released: &[(FieldPath, Transform)]) -> Vec<FieldPath> {
    let mut out = Vec::new();
    for row in rows {
        below(row, &FieldPath::root(), released, &mut out);
    }
    let mut seen: Vec<FieldPath> = Vec::new();
    out.retain(|path| {
        let fresh = !seen.contains(path);
        seen.push(path.clone());
        fresh
    });
    out
}

fn below(shape: &Shape, at: &FieldPath, released: &[(FieldPath, Transform)], out: &mut Vec<FieldPath>) {
    match shape {
        Shape::Object(object) => {
            for property in &object.properties {
                let path = at.property(&property.name);
                if released.iter().any(|(field, _)| *field == path) {
                    continue;
                }
                if released.iter().any(|(field, _)| field.is_within(&path)) {
                    below(&property.shape, &path, released, out);
                } else {
                    out.push(path);
                }
            }
        }
        Shape::Array { items, .. } => below(items, &at.items(), released, out),
        Shape::Scalar(_) => {}
    }
}

/// What the contract marks the released fields as.
pub(super) fn categories(
    rows: &[Shape],
    released: &[(FieldPath, Transform)],
) -> (Vec<SpecialCategory>, bool) {
    let mut special: Vec<SpecialCategory> = Vec::new();
    let mut offence = false;
    for leaf in all(rows).iter().filter(|leaf| {
        released.iter().any(|(field, _)| leaf.path.is_within(field) || field.is_within(&leaf.path))
    }) {
        for mark in leaf.marked.iter().filter_map(|property| property.marks.special.as_ref()).map(Arc::as_ref)
        {
            offence |= mark == OFFENCE;
            special.extend(SpecialCategory::parse(mark).filter(|category| !special.contains(category)));
        }
    }
    (special, offence)
}

/// Whether anybody is in the answers, by the marks of the contract.
pub(super) fn has_people(rows: &[Shape]) -> bool {
    all(rows)
        .iter()
        .any(|leaf| leaf.is_personal() || leaf.marked.iter().any(|property| property.marks.special.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The child protection register, with a safe address beside what it has.
    fn register() -> Vec<Shape> {
        let text = include_str!("../../../schemas/child-protection.v1.json")
            .replace("\"description\": \"House and street.\",", "\"x-tolbooth-safe-address\": true,");
        let contract = crate::contract::load("c.json", &text).unwrap();
        contract.operations.iter().map(|operation| operation.answer.row().clone()).collect()
    }

    fn released(answer: &str) -> Vec<String> {
        let fields = parse(answer, &register()).unwrap();
        fields.iter().map(|(path, transform)| format!("{path} {}", transform.name())).collect()
    }

    #[test]
    fn unless_somebody_names_it_nothing_marked_leaves() {
        let plain: Vec<String> = unmarked(&register()).iter().map(ToString::to_string).collect();
        assert_eq!(plain, ["registered", "status", "start_date", "ended_on", "recent_enquiries"]);
    }

    #[test]
    fn an_object_stands_for_its_fields_but_for_those_that_leave_by_their_own_name_alone() {
        assert_eq!(released("address"), ["address.town none", "address.postcode none"]);
        assert_eq!(released("address.street"), ["address.street none"]);
        assert_eq!(released("siblings as exists_yes_no"), ["siblings exists_yes_no"]);
        assert_eq!(released("siblings"), ["siblings[].given_name none", "siblings[].date_of_birth none"]);
        let twice = parse("address, address.town", &register()).unwrap_err();
        assert!(twice.message.contains("`address.town` is named twice"), "{twice}");
    }

    #[test]
    fn a_field_is_offered_with_what_its_type_allows() {
        let offered = offered(&register());
        let words = |name: &str| offered.iter().find(|(known, _)| known == name).unwrap().1.clone();
        assert_eq!(words("registered"), "whole, or as exists_yes_no");
        assert_eq!(
            words("date_of_birth"),
            "personal; whole, or as year_of_birth, initials, postcode_district, exists_yes_no, pseudonym, age_band 16 18, mask_keep_last 4"
        );
        assert_eq!(words("recent_enquiries"), "whole, or as exists_yes_no, pseudonym, round 5");
        assert!(words("address.street").starts_with("an address that may endanger somebody, personal; "));
        assert!(words("case_notes").starts_with("special: health, personal; "));
    }

    #[test]
    fn what_is_not_released_is_withheld_by_the_shortest_name() {
        let fields = parse("status, lead_officer.name, siblings[].given_name", &register()).unwrap();
        let withheld: Vec<String> = withheld(&register(), &fields).iter().map(ToString::to_string).collect();
        for name in ["chi", "address", "lead_officer.day_phone", "siblings[].date_of_birth"] {
            assert!(withheld.iter().any(|known| known == name), "{name}: {withheld:?}");
        }
        assert!(!withheld.iter().any(|name| name == "siblings" || name == "address.street"), "{withheld:?}");
    }

    #[test]
    fn bands_and_masks_say_what_they_need() {
        let bands = transform_of("age_band 16 18 65").unwrap();
        let Transform::AgeBand { bands } = bands else { panic!("{bands:?}") };
        let labels: Vec<&str> = bands.iter().map(|band| band.label.as_str()).collect();
        assert_eq!(labels, ["under 16", "16 to 17", "18 to 64", "65 and over"]);
        assert_eq!(transform_of("mask_keep_last 3").unwrap(), Transform::MaskKeepLast { characters: 3 });
        for (text, wanted) in [
            ("round", "wants to what"),
            ("age_band", "wants the ages"),
            ("code_map", "needs a table"),
            ("year_of_brith", "is not a transform"),
            ("initials 3", "is not a transform"),
        ] {
            let fault = transform_of(text).unwrap_err();
            assert!(fault.message.contains(wanted), "{text}: {fault}");
        }
    }
}
