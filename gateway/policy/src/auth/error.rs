//! Why a token is refused.

use sluice_contract::Code;

/// Why a token is refused. Each has a stable [`code`](Self::code), and its text says what to do;
/// neither ever holds a part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AuthError {
    /// There is no token, and one is needed.
    #[error(
        "a token is needed: send one in `auth.token`, in `Authorization: Bearer` or with `connect`"
    )]
    Missing,
    /// The text is no signed JSON Web Token in compact form.
    #[error(
        "the token is not a signed JSON Web Token: send its three parts unchanged, as they were issued"
    )]
    Malformed,
    /// The token is longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("the token is longer than 8 KiB: issue one with fewer claims")]
    TooLarge,
    /// The token's time is over.
    #[error("the token has expired: get a new one and connect again")]
    Expired,
    /// The token's time has not come.
    #[error("the token is not valid yet: check the clock of the server that issued it")]
    NotYetValid,
    /// The signature is not the key's.
    #[error("the token's signature does not fit: check that it was signed with the cluster's key")]
    Signature,
    /// The algorithm is not allowed, or not one for the key.
    #[error(
        "the token's algorithm is not one that the cluster accepts for its key: check `auth.jwt.algorithms`"
    )]
    Algorithm,
    /// The token was issued by someone else.
    #[error(
        "the token's `iss` is not the issuer that the cluster accepts: check `auth.jwt.issuer`"
    )]
    Issuer,
    /// The token is for someone else.
    #[error("the token's `aud` does not contain the cluster's audience: check `auth.jwt.audience`")]
    Audience,
    /// The token names no user.
    #[error(
        "the token names no user: issue it with the claim of `auth.jwt.userClaim`, 1 to 256 bytes long"
    )]
    UserMissing,
    /// The token, its user or its session was revoked.
    #[error("the token was revoked: sign in again to get a new one")]
    Revoked,
    /// The token names a key that is not in the key set, which may be behind: refresh it, see
    /// [`Jwks::refresh`](crate::Jwks::refresh), and try once more.
    #[error(
        "the token's key is not in the cluster's key set: check that the issuer publishes it at `auth.jwt.jwksUri`"
    )]
    UnknownKey,
}

impl AuthError {
    /// The code that clients, counters and log lines know this by.
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::TokenMissing,
            Self::Malformed => Code::TokenMalformed,
            Self::TooLarge => Code::TokenTooLarge,
            Self::Expired => Code::TokenExpired,
            Self::NotYetValid => Code::TokenNotYetValid,
            Self::Signature => Code::TokenSignature,
            Self::Algorithm => Code::TokenAlgorithm,
            Self::Issuer => Code::TokenIssuer,
            Self::Audience => Code::TokenAudience,
            Self::UserMissing => Code::TokenUserMissing,
            Self::Revoked => Code::TokenRevoked,
            Self::UnknownKey => Code::KeyUnknown,
        }
    }
}
