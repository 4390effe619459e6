//! A page before it is text or HTML: headings, paragraphs, points, tables. Both are written from it, so that what
//! is on paper and what is on the screen are the same words.

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What kind of page it is, above the title.
    pub kind: String,
    pub title: String,
    /// What stands before the first section.
    pub lead: Vec<Block>,
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// As the template numbers it; `1.1` stands below `1`. May be empty.
    pub number: String,
    pub heading: String,
    pub blocks: Vec<Block>,
}

impl Section {
    /// Whether it stands below another.
    pub fn is_below(&self) -> bool {
        self.number.contains('.')
    }

    pub fn title(&self) -> String {
        match self.number.as_str() {
            "" => self.heading.clone(),
            number => format!("{number} {}", self.heading),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Paragraph(String),
    /// A few words and what belongs to them, as `Why: so that ...`.
    Points(Vec<(String, String)>),
    Table(Table),
}

/// The first cell of a row is its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub caption: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Of three short cells: a line of text holds them.
    pub brief: bool,
}

impl Table {
    pub fn new(caption: impl Into<String>, head: &[&str]) -> Self {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Self { caption: caption.into(), head, rows: Vec::new(), brief: false }
    }
}

/// A text as it may be shown: what would reorder or hide what stands around it is named instead. The loader refuses
/// such characters where they stand in the file, but TOML can write them as escapes, and an officer would read
/// something other than what the file says.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if deceives(c) {
            out.push_str(&format!("[U+{:04X}]", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// Controls, and the formatting characters of Unicode (general category Cf, and the fillers that show as nothing).
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
