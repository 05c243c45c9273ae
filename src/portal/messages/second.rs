//! Texts of the pages on which a second factor is proven.

/// Texts of the pages on which a second factor is proven.
#[derive(Debug)]
pub struct SecondMessages {}

pub(super) const ENGLISH: SecondMessages = SecondMessages {};
