//! Conditions as kstatus and people read them.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::{events::News, reason, trouble::Trouble};

/// The longest message that an API server takes.
const LONGEST: usize = 32_000;

/// What a condition is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) type_: String,
    pub(crate) status: bool,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Statement {
    pub(crate) fn new(type_: &str, status: bool, reason: &str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        message.truncate(message.floor_char_boundary(LONGEST));
        Self {
            type_: type_.to_owned(),
            status,
            reason: reason.to_owned(),
            message,
        }
    }

    /// What a condition said before, to be said again.
    pub(crate) fn again(condition: &Condition) -> Self {
        Self::new(
            &condition.type_,
            condition.status == "True",
            &condition.reason,
            condition.message.clone(),
        )
    }
}

/// `Stalled`, by what only a person can mend.
pub(crate) fn stalled(trouble: Option<&Trouble>) -> Statement {
    match trouble {
        Some(trouble) => Statement::new("Stalled", true, trouble.reason, trouble.message.clone()),
        None => Statement::new("Stalled", false, "Going", "Nothing waits for a person."),
    }
}

/// The conditions after `before`: the time of one changes only with what it says is true.
pub(crate) fn merge(
    before: &[Condition],
    stated: Vec<Statement>,
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    // An API server keeps seconds only.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let conditions = stated.into_iter().map(|stated| {
        let status = if stated.status { "True" } else { "False" };
        let old = before
            .iter()
            .find(|it| it.type_ == stated.type_ && it.status == status);
        Condition {
            last_transition_time: old.map_or(Time(now), |it| it.last_transition_time.clone()),
            message: stated.message,
            observed_generation: Some(generation),
            reason: stated.reason,
            status: status.to_owned(),
            type_: stated.type_,
        }
    });
    conditions.collect()
}

/// The conditions of which it is good news when they are true.
const GOOD: [&str; 3] = ["Ready", "Accepted", "BackboneReady"];

/// What people are told: each condition that says something else than before. That everything is
/// still as it was at the beginning is no news.
pub(crate) fn news(before: &[Condition], after: &[Condition]) -> Vec<News> {
    let changed = after.iter().filter(|condition| {
        let old = before.iter().find(|it| it.type_ == condition.type_);
        match old {
            Some(old) => (&old.status, &old.reason) != (&condition.status, &condition.reason),
            None => is_bad(condition),
        }
    });
    let mut news: Vec<News> = Vec::new();
    for condition in changed {
        let reason = match condition.type_.as_str() {
            "Stalled" if condition.status == "False" => continue,
            // What is in the way is said by another one.
            "Reconciling"
                if after
                    .iter()
                    .any(|it| it.type_ == "Ready" && it.reason == condition.reason) =>
            {
                continue;
            }
            "Reconciling"
                if matches!(
                    condition.reason.as_str(),
                    "Stalled" | reason::PENDING | reason::READING
                ) =>
            {
                continue;
            }
            "Accepted" | "Draining" => format!("{}{}", condition.type_, condition.reason),
            "BackboneReady" => format!("Backbone{}", condition.reason),
            _ => condition.reason.clone(),
        };
        if news.iter().all(|known| known.message != condition.message) {
            news.push(News {
                bad: is_bad(condition),
                reason,
                message: condition.message.clone(),
            });
        }
    }
    news
}

fn is_bad(condition: &Condition) -> bool {
    let good = GOOD.contains(&condition.type_.as_str());
    // What is starting is no reason to worry, and to move is what is asked for.
    let harmless = matches!(condition.type_.as_str(), "Reconciling" | "Draining")
        || matches!(
            condition.reason.as_str(),
            reason::STARTING | reason::ROLLING_OUT | reason::BACKBONE_STARTING | reason::PENDING
        );
    let bad = if good {
        condition.status == "False"
    } else {
        condition.status == "True"
    };
    bad && !harmless
}
