//! Room portal.
#![forbid(unsafe_code)]
