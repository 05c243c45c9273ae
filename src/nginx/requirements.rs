//! What a place asks of its visitors, as directives say it: whether it is guarded, by which policy,
//! whom it wants, what is open to everybody, and how strangers are told.

use std::collections::HashSet;

use super::{
    conf::{ChallengeForm, LocationConf},
    directive::{Directive, Mistake, once},
};
use crate::access::{Pattern, PolicySource, Requirement, SubjectTerm};

/// `auth_gate on` and `off`.
pub fn set_gate(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let value = match directive.text()? {
        "on" => true,
        "off" => false,
        other => {
            return Err(Mistake::Says(format!(
                "must be \"on\" or \"off\", not \"{other}\""
            )));
        }
    };
    once(&mut conf.gate, value)
}

/// `auth_gate_policy`.
pub fn set_policy(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let word = directive.text()?;
    let policy = match (word, Requirement::from_word(word)) {
        ("rules", _) => PolicySource::Rules,
        (_, Some(requirement)) => PolicySource::Fixed(requirement),
        _ => {
            return Err(Mistake::Says(format!(
                "has no policy \"{word}\": write rules, bypass, one_factor, two_factor or deny"
            )));
        }
    };
    once(&mut conf.policy, policy)
}

/// `auth_gate_require`.
pub fn add_require(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let line = directive
        .texts()?
        .into_iter()
        .map(|word| match SubjectTerm::parse(word) {
            Some(SubjectTerm::User(name) | SubjectTerm::Group(name)) if name.is_empty() => {
                Err(Mistake::Says(format!("has \"{word}\" without a name")))
            }
            Some(term) => Ok(term),
            None => Err(Mistake::Says(format!(
                "has no subject \"{word}\": write user:NAME or group:NAME"
            ))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let names = line
        .iter()
        .filter(|term| matches!(term, SubjectTerm::User(_)));
    if names.collect::<HashSet<_>>().len() > 1 {
        return Err(Mistake::Says(
            "asks for two users at once, and nobody is both: write a line for each".into(),
        ));
    }
    conf.require.get_or_insert_default().push(line);
    Ok(())
}

/// `auth_gate_unauthenticated`.
pub fn add_unauthenticated(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    add_patterns(directive, &mut conf.unauthenticated)
}

/// `auth_gate_unauthenticated_url`.
pub fn add_unauthenticated_url(
    directive: &Directive,
    conf: &mut LocationConf,
) -> Result<(), Mistake> {
    add_patterns(directive, &mut conf.unauthenticated_url)
}

/// `auth_gate_challenge`.
pub fn set_challenge(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let form = match directive.text()? {
        "auto" => ChallengeForm::Auto,
        "redirect" => ChallengeForm::Redirect,
        "status" => ChallengeForm::Status,
        other => {
            return Err(Mistake::Says(format!(
                "has no value \"{other}\": write auto, redirect or status"
            )));
        }
    };
    once(&mut conf.challenge, form)
}

fn add_patterns(directive: &Directive, list: &mut Option<Vec<Pattern>>) -> Result<(), Mistake> {
    for text in directive.texts()? {
        let pattern = Pattern::compile(text).map_err(|error| {
            Mistake::Says(format!(
                "has the pattern \"{text}\", which does not compile: {error}"
            ))
        })?;
        list.get_or_insert_default().push(pattern);
    }
    Ok(())
}
