//! Reads the forms of a page, as far as our own pages need it.

/// A form with the fields a browser would submit.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
    kinds: Vec<String>,
}

impl Form {
    /// All forms of a page.
    pub fn all(page: &str) -> Vec<Form> {
        page.split("<form")
            .skip(1)
            .map(|rest| Form::parse(rest.split("</form").next().unwrap_or_default()))
            .collect()
    }

    /// The form that asks for a password.
    pub fn with_password(page: &str) -> Form {
        let form = Form::all(page)
            .into_iter()
            .find(|form| form.kinds.iter().any(|kind| kind == "password"));
        form.unwrap_or_else(|| panic!("no form with a password in:\n{page}"))
    }

    /// Types a name and a password into it.
    pub fn fill(&mut self, user: &str, password: &str) {
        for ((_, value), kind) in self.fields.iter_mut().zip(&self.kinds) {
            match kind.as_str() {
                "password" => *value = password.to_owned(),
                "text" | "email" | "" => *value = user.to_owned(),
                _ => {}
            }
        }
    }

    fn parse(text: &str) -> Form {
        let (head, body) = text.split_once('>').unwrap_or((text, ""));
        let mut form = Form {
            action: attribute(head, "action").unwrap_or_default(),
            ..Form::default()
        };
        for input in body
            .split("<input")
            .skip(1)
            .chain(body.split("<button").skip(1))
        {
            let tag = input.split('>').next().unwrap_or_default();
            let kind = attribute(tag, "type").unwrap_or_default();
            let Some(name) = attribute(tag, "name") else {
                continue;
            };
            if kind == "checkbox" && !tag.contains("checked") {
                continue;
            }
            form.fields
                .push((name, attribute(tag, "value").unwrap_or_default()));
            form.kinds.push(kind);
        }
        form
    }
}

/// The value of an attribute in a tag, entities resolved.
pub fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag
        .match_indices(&format!("{name}="))
        .find(|(at, _)| tag[..*at].ends_with(char::is_whitespace))?
        .0;
    let rest = &tag[start + name.len() + 1..];
    let value = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split(quote).next()?,
        _ => rest.split(char::is_whitespace).next()?,
    };
    Some(unescape(value))
}

/// Resolves the entities that an escaping template writes.
pub fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}
