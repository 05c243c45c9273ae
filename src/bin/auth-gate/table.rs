//! Lists as people and programs read them.

use cookie::time::OffsetDateTime;
use serde_json::Value;

/// Rows under a heading, in columns two spaces apart.
pub fn text(heading: &[&str], rows: &[Vec<String>]) -> String {
    let heading = heading.iter().map(|word| (*word).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(heading)
        .chain(
            rows.iter()
                .map(|row| row.iter().map(|cell| printable(cell)).collect()),
        )
        .collect();
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| lines.iter().map(|line| width(&line[column])).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut row = String::new();
        for (cell, width_of_column) in line.iter().zip(&widths) {
            row += cell;
            row += &" ".repeat(width_of_column - width(cell) + 2);
        }
        text += row.trim_end();
        text.push('\n');
    }
    text
}

/// An array, one object a line.
pub fn json(objects: &[Value]) -> String {
    let lines: Vec<String> = objects.iter().map(|object| format!("  {object}")).collect();
    match lines.is_empty() {
        true => "[]\n".into(),
        false => format!("[\n{}\n]\n", lines.join(",\n")),
    }
}

/// A time for people.
pub fn minute(seconds: u64) -> String {
    civil(seconds).map_or_else(far, |time| {
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02} UTC",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute()
        )
    })
}

/// A time for programs, as RFC 3339 has it.
pub fn instant(seconds: u64) -> String {
    civil(seconds).map_or_else(far, |time| {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
    })
}

fn civil(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

fn far() -> String {
    "9999-12-31T23:59:59Z".into()
}

/// A cell that moves no cursor, whatever somebody called himself.
fn printable(cell: &str) -> String {
    cell.chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect()
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}
