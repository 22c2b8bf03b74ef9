//! Revoking tokens.

use axum::{Json, extract::State, http::Method, routing::post};
use schemars::JsonSchema;
use serde::Deserialize;
use sluice_backbone::{Command, Target};
use sluice_contract::Code;
use sluice_rooms::SessionId;
use sluice_util::unix_seconds;

use super::{Done, command};
use crate::{
    Api, Refusal,
    extract::{Body, Name},
    route::{Required, Route},
};

/// How long a revocation is kept that does not say: 30 days, in seconds.
const DEFAULT_KEPT: u64 = 30 * 24 * 3600;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "revoke",
            Method::POST,
            "/v1/revocations",
            post(revoke),
            "Refuses tokens from now on, and disconnects the sessions that came with them.",
        )
        .body::<Revoke>(Required::Yes)
        .answer::<Done>(),
    ]
}

/// What is revoked: exactly one of a token, a user and a session.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Revocation")]
struct Revoke {
    /// The id (`jti`) of a token.
    token: Option<Name>,
    /// A user; the tokens that were issued up to `issuedBefore`.
    user: Option<Name>,
    /// The public id of a session, which cannot be recovered any more.
    #[schemars(with = "Option<String>")]
    session: Option<SessionId>,
    /// Of a user: tokens issued up to and in this Unix second; without it, those issued until
    /// now.
    issued_before: Option<u64>,
    /// The Unix second at which all these tokens have expired by themselves, so that the
    /// revocation can be forgotten; without it, 30 days from now.
    until: Option<u64>,
}

async fn revoke(State(api): State<Api>, Body(body): Body<Revoke>) -> Result<Json<Done>, Refusal> {
    let now = unix_seconds();
    let until = body.until.unwrap_or(now + DEFAULT_KEPT);
    if until <= now {
        let message = "until has passed, so nothing would be revoked; give a second in the future or leave it out";
        return Err(Refusal::new(Code::UntilPassed, message));
    }
    let (target, issued) = subject(body, now)?;
    let kept = api.rules().revoke(&target, issued, until)?;
    let command = command(&api, Command::Revoke(target, issued));
    // What could not be kept is said even if all sessions that are there now were disconnected.
    let (kept, done) = tokio::join!(kept, command);
    kept.and(done)
}

fn subject(body: Revoke, now: u64) -> Result<(Target, Option<u64>), Refusal> {
    let issued = body.issued_before;
    let target = match (body.token, body.user, body.session) {
        (None, Some(user), None) => return Ok((Target::User(user.0), Some(issued.unwrap_or(now)))),
        (Some(token), None, None) => Target::Token(token.0),
        (None, None, Some(session)) => Target::Session(session),
        _ => {
            let message = "name exactly one of token, user and session";
            return Err(Refusal::new(Code::RevocationUnclear, message));
        }
    };
    if issued.is_some() {
        let message = "issuedBefore belongs to a user; leave it out for a token or a session";
        return Err(Refusal::new(Code::RevocationUnclear, message));
    }
    Ok((target, None))
}
