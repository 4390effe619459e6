//! Where in an agreement's file a clause stands, so that a person can lay a finger on it. An agreement written
//! in another way than people write them (inline tables, say) has no lines to show, and none are made up.

/// A part of the file, with the lines it takes, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    pub table: &'static str,
    pub file: String,
    pub from: usize,
    pub to: usize,
    pub text: String,
}

/// The tables of an agreement that decide: who may ask as whom, how proven, of what, when.
const DECIDING: [&str; 7] =
    ["[[party.system]]", "[purpose]", "[dataset]", "[access]", "[data]", "[limits]", "[dates]"];

/// The clauses of an agreement that decide on a question of one system of one member.
pub(super) fn clauses(file: &str, text: &str, (member, system): (&str, &str)) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut party = None;
    for block in blocks(text) {
        if block.header == "[[party]]" {
            party = value(&block, "member").map(str::to_owned);
        }
        let Some(table) = DECIDING.into_iter().find(|table| *table == block.header) else { continue };
        let is_other = table == "[[party.system]]"
            && (party.as_deref() != Some(member) || value(&block, "id") != Some(system));
        if is_other {
            continue;
        }
        let text = block.lines.join("\n");
        let to = block.from + block.lines.len().saturating_sub(1);
        clauses.push(Clause { table, file: file.to_owned(), from: block.from, to, text });
    }
    clauses
}

/// A table with its header, without the comments and blank lines behind it.
struct Block<'t> {
    header: &'t str,
    from: usize,
    lines: Vec<&'t str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (at, line) in (1..).zip(text.lines()) {
        let header = line.split('#').next().unwrap_or_default().trim();
        if header.starts_with('[') && header.ends_with(']') && !line.starts_with(' ') {
            blocks.push(Block { header, from: at, lines: Vec::new() });
        }
        if let Some(block) = blocks.last_mut() {
            block.lines.push(line);
        }
    }
    for block in &mut blocks {
        let says_something = |line: &&&str| !line.trim().is_empty() && !line.starts_with('#');
        let told = block.lines.iter().rposition(|line| says_something(&line)).map_or(0, |last| last + 1);
        block.lines.truncate(told);
    }
    blocks
}

/// The text of a key that is written on one line.
fn value<'t>(block: &Block<'t>, key: &str) -> Option<&'t str> {
    block.lines.iter().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_the_systems_own_with_its_lines() {
        let text = "a = 1\n\n[[party]]\nmember = \"one\"\n\n[[party.system]]\nid = \"x\"\npurposes = [\n    \"p\",\n]\n\
                    \n# of the other\n[[party.system]]\nid = \"y\"\n\n[[party]]\nmember = \"two\"\n\
                    [[party.system]]\nid = \"x\"\n\n[dates] # days\nfrom = 2026-12-01\n";
        let found = clauses("a.toml", text, ("one", "x"));
        let shown: Vec<_> = found.iter().map(|one| (one.table, one.from, one.to)).collect();
        assert_eq!(shown, [("[[party.system]]", 6, 10), ("[dates]", 21, 22)]);
        assert!(found[0].text.ends_with("]"), "{found:?}");
        assert_eq!(clauses("a.toml", text, ("two", "x"))[0].from, 18);
        assert!(clauses("a.toml", "dates = { from = 2026-12-01 }", ("one", "x")).is_empty());
    }
}
