//! A page as text of 80 columns, for a terminal, a mail, or paper.

use super::document::{Block, Document, Table, visible};

/// What a terminal has had since there were terminals, and what fits on paper.
const COLUMNS: usize = 80;

/// The page, with its last newline.
pub fn text(document: &Document) -> String {
    let mut out = Lines::default();
    out.wrapped(&document.kind, 0, 0);
    out.wrapped(&document.title, 0, 0);
    out.all.push("=".repeat(COLUMNS));
    document.lead.iter().for_each(|block| out.block(block, ""));
    for section in &document.sections {
        out.blank();
        let title = visible(&section.title());
        let width = title.chars().count().min(COLUMNS);
        out.wrapped(&title, 0, 0);
        out.all.push(if section.is_below() { "-" } else { "=" }.repeat(width));
        section.blocks.iter().for_each(|block| out.block(block, &section.heading));
    }
    out.all.join("\n") + "\n"
}

#[derive(Default)]
struct Lines {
    all: Vec<String>,
}

impl Lines {
    fn blank(&mut self) {
        if self.all.last().is_some_and(|line| !line.is_empty()) {
            self.all.push(String::new());
        }
    }

    fn block(&mut self, block: &Block, heading: &str) {
        self.blank();
        match block {
            Block::Paragraph(text) => self.wrapped(text, 0, 0),
            Block::Points(points) => {
                for (words, what) in points {
                    self.wrapped(&format!("{words}: {what}"), 0, 2);
                }
            }
            Block::Table(table) => self.table(table, heading),
        }
    }

    /// A row is its head, and below it each cell that says something, by the name of its column.
    fn table(&mut self, table: &Table, heading: &str) {
        // What stands right above in the heading is not said again.
        if table.caption != heading {
            self.wrapped(&table.caption, 0, 0);
        }
        for row in &table.rows {
            let mut cells = row.iter();
            let head = cells.next().map_or("", String::as_str);
            let cells: Vec<(&str, &str)> = table
                .head
                .iter()
                .skip(1)
                .zip(cells)
                .map(|(name, cell)| (name.as_str(), cell.as_str()))
                .filter(|(_, cell)| !cell.is_empty())
                .collect();
            match cells.as_slice() {
                [] => self.wrapped(head, 2, 4),
                [(_, says), (_, held)] if table.brief => {
                    self.wrapped(&format!("{head}: {says} [{held}]"), 2, 4);
                }
                [(_, says)] if table.head.len() == 2 => self.wrapped(&format!("{head}: {says}"), 2, 4),
                cells => {
                    self.wrapped(head, 2, 4);
                    cells.iter().for_each(|(name, cell)| self.wrapped(&format!("{name}: {cell}"), 6, 8));
                }
            }
        }
    }

    /// Breaks between words; a longer word, such as a digest, is never cut.
    fn wrapped(&mut self, text: &str, first: usize, rest: usize) {
        let text = visible(text);
        let mut line = " ".repeat(first);
        let mut empty = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let width = line.chars().count() + usize::from(!empty) + word.chars().count();
            if !empty && width > COLUMNS {
                self.all.push(std::mem::replace(&mut line, " ".repeat(rest)));
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        if !empty {
            self.all.push(line);
        }
    }
}
