//! Who people are: the directory from the users file, their password hashes, the headers that
//! tell a backend who they are, and how failed logins are slowed down.
//!
//! Pure: the configuration room reads the file, the glue runs the hashes on a thread and keeps
//! the time. Nothing here knows what a session is or how a page looks.
#![forbid(unsafe_code)]

pub mod app_password;
pub mod regulation;

pub mod authentik;
mod backend_basic;
mod check;
mod directory;
mod header_names;
mod identity;
mod merge;
mod password;
mod policy;
mod template;
mod user;

pub use backend_basic::backend_basic;
pub use directory::{Directory, DirectoryError, Matching, Source};
pub use header_names::{HeaderNames, same_header};
pub use identity::{HeaderSet, header_value, replacement};
pub use password::{
    AlgorithmOptions, HashError, HashOptions, HashParameters, MAX_PASSWORD, ParameterError,
    PasswordHash, Workspace,
};
pub use policy::{PasswordPolicy, Standard, Weakness};
pub use user::{Entry, MAX_NAME, Profile, User};
