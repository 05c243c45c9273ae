//! A Basic `Authorization` for an application, made of two attributes of the user.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::User;

/// The value of the header: the user's attribute `name`, else his first e-mail address, and his
/// attribute `password`. `None` where one of the two is missing.
pub fn backend_basic(user: &User, name: &str, password: &str) -> Option<String> {
    let name = user.attributes.get(name).or(user.emails.first())?;
    let password = user.attributes.get(password)?;
    // A colon would move the border between the two.
    let whole = !name.contains(':') && !password.is_empty();
    whole.then(|| format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
}
