//! Why a browser's answer proves nothing.

/// Why an answer is refused. For the log: visitors are told nothing but that it did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is too long, or not JSON of the right form.
    #[error("answer is not the JSON of a public key credential")]
    Form,
    /// The client data are not JSON of the right form.
    #[error("client data cannot be read")]
    ClientData,
    /// It answers the other question: registration instead of sign-in, or the reverse.
    #[error("answer is for another ceremony")]
    Ceremony,
    /// It answers another challenge.
    #[error("challenge is not the one that was asked")]
    Challenge,
    /// It was made on another site.
    #[error("origin is not the portal's")]
    Origin,
    /// It was made in a frame of another site.
    #[error("made inside another site")]
    CrossOrigin,
    /// Attestation object or authenticator data cannot be read.
    #[error("authenticator data cannot be read")]
    AuthenticatorData,
    /// The authenticator made it for another relying party.
    #[error("relying party is not the portal")]
    RelyingParty,
    /// Nobody touched the authenticator.
    #[error("user was not present")]
    Presence,
    /// The authenticator did not ask for PIN or finger, and it had to.
    #[error("user was not verified")]
    Verification,
    /// It says to be backed up and not to be able to, or the latter has changed.
    #[error("backup flags contradict each other or the registration")]
    Backup,
    /// The configuration forbids credentials that can be backed up.
    #[error("credentials that can be backed up are not allowed")]
    BackupForbidden,
    /// The configuration forbids this model of authenticator.
    #[error("model of authenticator is not allowed")]
    Model,
    /// The credential is not the one that the browser names, or the one looked up.
    #[error("credential is another one")]
    Credential,
    /// The credential belongs to somebody else.
    #[error("credential belongs to another user")]
    Owner,
    /// The public key cannot be used.
    #[error("public key cannot be used: {0}")]
    Key(#[from] super::BadKey),
    /// The attestation statement is of an unknown format or wrong.
    #[error("attestation statement is wrong")]
    Statement,
    /// The attestation statement cannot be checked, and the configuration asks for it.
    #[error("attestation statement cannot be verified")]
    Unverified,
    /// The signature is wrong.
    #[error("signature is wrong")]
    Signature,
    /// All is right but the signature counter, which did not advance: two authenticators have the
    /// key. Mark the credential.
    #[error("signature counter did not advance, the key may have been copied")]
    Cloned,
}
