//! Texts of the settings pages, of the way back in, and of the letters.

/// Texts of the settings pages, of the way back in, and of the letters.
#[derive(Debug)]
pub struct AccountMessages {}

pub(super) const ENGLISH: AccountMessages = AccountMessages {};
