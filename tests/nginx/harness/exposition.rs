//! A reader of Prometheus' text format that takes nothing but what the format allows.

use std::collections::{BTreeMap, BTreeSet};

/// What tells numbers of one name apart.
pub type Labels = BTreeMap<String, String>;

/// All numbers of a text, by name and labels.
#[derive(Debug, Default)]
pub struct Exposition {
    /// Type and help of each name.
    pub families: BTreeMap<String, (String, String)>,
    numbers: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    /// Reads a text; panics at the first thing that is not as it should be.
    pub fn read(text: &str) -> Exposition {
        assert!(text.ends_with('\n'), "the last line ends");
        let (mut read, mut current, mut done) =
            (Exposition::default(), String::new(), BTreeSet::new());
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a name and its help");
                let kind = lines.next().expect("a type after its help");
                let kind = kind
                    .strip_prefix(&format!("# TYPE {name} "))
                    .expect("the type of the same name");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(is_name(name) && done.insert(name.to_owned()), "{line}");
                current = name.to_owned();
                let about = (kind.to_owned(), unescaped(help, false));
                read.families.insert(name.to_owned(), about);
                continue;
            }
            let (name, labels, value) = number(line);
            read.belongs(&current, &name, &labels, line);
            let before = read.numbers.insert((name, labels), value);
            assert_eq!(before, None, "twice: {line}");
        }
        read.histograms_add_up();
        read
    }

    /// A number that must be there.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let key = (format!("auth_gate_{name}"), labels);
        let found = self.numbers.get(&key);
        *found.unwrap_or_else(|| panic!("there is no {key:?}"))
    }

    /// All numbers of a name together; there must be such a name.
    pub fn sum(&self, name: &str) -> f64 {
        let name = format!("auth_gate_{name}");
        // Else a slip of the pen would be a sum of nothing, which never changes.
        assert!(self.families.contains_key(&name), "there is no {name}");
        self.of(&name).map(|(_, value)| value).sum()
    }

    /// All numbers of a name.
    pub fn of<'s>(&'s self, name: &'s str) -> impl Iterator<Item = (&'s Labels, f64)> {
        let numbers = self.numbers.iter().filter(move |((n, _), _)| n == name);
        numbers.map(|((_, labels), value)| (labels, *value))
    }

    fn belongs(&self, current: &str, name: &str, labels: &Labels, line: &str) {
        let (kind, _) = self.families.get(current).expect("a type before a number");
        let suffix = name.strip_prefix(current).expect(line);
        let fits = match (kind.as_str(), suffix) {
            ("histogram", "_bucket") => labels.contains_key("le"),
            ("histogram", "_sum" | "_count") | ("counter" | "gauge", "") => {
                !labels.contains_key("le")
            }
            _ => false,
        };
        assert!(fits, "{line} does not belong to {current}");
    }

    /// Buckets hold those before them, and the last holds all.
    fn histograms_add_up(&self) {
        for (name, _) in self
            .families
            .iter()
            .filter(|(_, about)| about.0 == "histogram")
        {
            let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
            for (labels, value) in self.of(&format!("{name}_bucket")) {
                let mut labels = labels.clone();
                let bound = labels.remove("le").expect("a bound");
                let bound = bound.replace("+Inf", "inf").parse().expect("a number");
                series.entry(labels).or_default().push((bound, value));
            }
            for (labels, mut buckets) in series {
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(buckets.windows(2).all(|two| two[0].1 <= two[1].1), "{name}");
                let last = buckets.last().expect("a bucket");
                let count = self.numbers.get(&(format!("{name}_count"), labels.clone()));
                assert_eq!((last.0, Some(&last.1)), (f64::INFINITY, count), "{name}");
                let sum = self.numbers.get(&(format!("{name}_sum"), labels));
                assert!(sum.is_some_and(|sum| *sum >= 0.0), "{name}");
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with("auth_gate_") && name.chars().all(word)
}

/// Name, labels and value of a line.
fn number(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).expect("a value after the name");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").expect("a label and its value");
            assert!(
                label.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{line}"
            );
            let (value, after) = quoted(after);
            assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None => {
                    rest = after.strip_prefix('}').expect("the end of the labels");
                    break;
                }
            }
        }
    }
    let value = rest.strip_prefix(' ').expect("one space before the value");
    (name.to_owned(), labels, value.parse().expect(line))
}

/// A text up to its closing quote, and what follows that.
fn quoted(text: &str) -> (String, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return (unescaped(&text[..at], true), &text[at + 1..]),
            c => escaped = c == '\\' && !escaped,
        }
    }
    panic!("no closing quote: {text}");
}

fn unescaped(text: &str, quotes: bool) -> String {
    let (mut out, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => panic!("\\{other:?} in {text}"),
            },
            c => c,
        });
    }
    out
}
