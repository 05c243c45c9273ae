//! Letters to users: what is sent when somebody asks for a code or a new password, and when a
//! factor or the password has changed.

/// A letter, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Name of the recipient, as it is shown.
    pub name: String,
    /// Address of the recipient.
    pub address: String,
    /// The title; the notifier puts it into its own subject line.
    pub title: String,
    /// The plain text.
    pub text: String,
    /// The same as a page.
    pub html: String,
}
