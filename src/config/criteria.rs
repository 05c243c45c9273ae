//! Methods, subjects and query conditions of a rule.

use super::report::{At, Report};
use super::yaml::Kind;
use crate::access::{Method, QueryTerm, Requirement, SubjectTerm};

/// `methods`.
pub(super) fn methods(at: &At<'_>, report: &mut Report) -> Vec<Method> {
    let mut methods = Vec::new();
    for item in at.list("methods") {
        let Some(word) = item.text() else { continue };
        match Method::parse(word) {
            Some(method) if methods.contains(&method) => {
                report.error(&item, format!("`{word}` is given twice; keep one of them"));
            }
            Some(method) => methods.push(method),
            None => {
                let upper = word.to_ascii_uppercase();
                let hint = match Method::parse(&upper) {
                    Some(_) => format!("write `{upper}`"),
                    None => "rules know GET, HEAD, POST, PUT, PATCH, DELETE, TRACE, CONNECT, \
                        OPTIONS, COPY, LOCK, MKCOL, MOVE, PROPFIND, PROPPATCH and UNLOCK"
                        .into(),
                };
                report.error(&item, format!("`{word}` is no method; {hint}"));
            }
        }
    }
    methods
}

/// `subject`.
pub(super) fn subjects(
    at: &At<'_>,
    requirement: Requirement,
    report: &mut Report,
) -> Vec<Vec<SubjectTerm>> {
    let items = at.list("subject");
    if let (Requirement::Bypass, Some(subject), false) =
        (requirement, at.get("subject"), items.is_empty())
    {
        report.error(
            &subject,
            "has no place beside policy `bypass`, which asks nobody who he is; \
            write one_factor, or take it out",
        );
    }
    let term = |item: &At<'_>, report: &mut Report| {
        let text = item.text()?;
        let term = SubjectTerm::parse(text);
        if term.is_none() && text.starts_with("oauth2:client:") {
            report.error(
                item,
                format!(
                    "`{text}` names an OpenID Connect client, which is not built yet; \
                    write user:NAME or group:NAME"
                ),
            );
        } else if term.is_none() {
            report.error(
                item,
                format!("`{text}` names nobody; write user:NAME or group:NAME"),
            );
        }
        term
    };
    let all = |item: &At<'_>, report: &mut Report| -> Vec<SubjectTerm> {
        item.items()
            .iter()
            .filter_map(|item| term(item, report))
            .collect()
    };
    items
        .iter()
        .map(|item| all(item, report))
        .filter(|terms| !terms.is_empty())
        .collect()
}

/// `query`.
pub(super) fn query(at: &At<'_>, report: &mut Report) -> Vec<Vec<QueryTerm>> {
    let all = |item: &At<'_>, report: &mut Report| -> Vec<QueryTerm> {
        item.items()
            .iter()
            .filter_map(|item| query_term(item, report))
            .collect()
    };
    at.list("query")
        .iter()
        .map(|item| all(item, report))
        .filter(|terms| !terms.is_empty())
        .collect()
}

fn query_term(at: &At<'_>, report: &mut Report) -> Option<QueryTerm> {
    let value = at.get("value");
    if let Some(value) = &value
        && value.kind() != Some(Kind::Text)
    {
        let text = value.text().unwrap_or_default();
        report.error(
            value,
            format!("must be a text; put it in quotes: value: '{text}'"),
        );
        return None;
    }
    let text = |key: &str| at.get(key).and_then(|at| at.filled());
    let value = value.and_then(|at| at.text());
    match QueryTerm::new(text("operator"), text("key").unwrap_or_default(), value) {
        Ok(term) => Some(term),
        Err(error) => {
            report.error(at, error.to_string());
            None
        }
    }
}
