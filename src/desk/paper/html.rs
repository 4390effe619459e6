//! A page as one HTML file: no script, nothing from elsewhere, to read at any width, with any reader, and on paper
//! (WCAG 2.2 AA). Whatever an agreement says goes through [`escaped`], in one place for each kind of block.

use super::document::{Block, Document, Section, Table, visible};

const STYLE: &str = include_str!("page.css");
/// Nothing is fetched or run, whoever put it there.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The file, whole.
pub fn html(document: &Document) -> String {
    let mut out = String::new();
    let title = escaped(&format!("{}: {}", document.kind, document.title));
    let (kind, heading) = (escaped(&document.kind), escaped(&document.title));
    out.push_str(&format!(
        "<!DOCTYPE html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#page\">Skip to the page</a>\n\
         <header><p>{kind}</p></header>\n<main id=\"page\" tabindex=\"-1\">\n<h1>{heading}</h1>\n"
    ));
    document.lead.iter().for_each(|one| block(one, &mut out));
    contents(&document.sections, &mut out);
    for (at, one) in (1..).zip(&document.sections) {
        let level = if one.is_below() { 3 } else { 2 };
        let heading = escaped(&one.title());
        out.push_str(&format!("<h{level} id=\"s{at}\">{heading}</h{level}>\n"));
        one.blocks.iter().for_each(|one| block(one, &mut out));
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Links to the sections; a page of a few needs none.
fn contents(sections: &[Section], out: &mut String) {
    const FEW: usize = 4;
    if sections.len() <= FEW {
        return;
    }
    out.push_str("<nav aria-label=\"Contents\">\n<ul>\n");
    for (at, section) in (1..).zip(sections).filter(|(_, section)| !section.is_below()) {
        out.push_str(&format!("<li><a href=\"#s{at}\">{}</a></li>\n", escaped(&section.title())));
    }
    out.push_str("</ul>\n</nav>\n");
}

fn block(block: &Block, out: &mut String) {
    match block {
        Block::Paragraph(text) => out.push_str(&format!("<p>{}</p>\n", escaped(text))),
        Block::Points(points) => {
            out.push_str("<dl>\n");
            for (words, what) in points {
                out.push_str(&format!("<dt>{}</dt>\n<dd>{}</dd>\n", escaped(words), escaped(what)));
            }
            out.push_str("</dl>\n");
        }
        Block::Table(one) => table(one, out),
    }
}

/// On a narrow screen the style lays the rows below one another. A browser forgets then that they are a table, so
/// that the roles are said aloud.
fn table(table: &Table, out: &mut String) {
    out.push_str(&format!("<table role=\"table\">\n<caption>{}</caption>\n", escaped(&table.caption)));
    out.push_str("<thead role=\"rowgroup\">\n<tr role=\"row\">");
    for cell in &table.head {
        out.push_str(&format!("<th scope=\"col\" role=\"columnheader\">{}</th>", escaped(cell)));
    }
    out.push_str("</tr>\n</thead>\n<tbody role=\"rowgroup\">\n");
    for row in &table.rows {
        out.push_str("<tr role=\"row\">");
        for (at, (cell, head)) in row.iter().zip(&table.head).enumerate() {
            let cell = escaped(cell);
            out.push_str(&match at {
                0 => format!("<th scope=\"row\" role=\"rowheader\">{cell}</th>"),
                // Shown before the cell where there is no room for a head above it.
                _ => format!("<td role=\"cell\" data-head=\"{}\">{cell}</td>", escaped(head)),
            });
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

/// A text that is nothing but text, in an element and in an attribute (OWASP, rule 1 and 2).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
