//! Messages to rooms, to users and to everyone.

use std::{rc::Rc, sync::Arc, time::Instant};

use serde::Deserialize;
use sluice_backbone::{Command, Publication, Reply, Target};
use sluice_policy::{Action, RoomPolicy};
use sluice_rooms::{Message, Publisher};
use sluice_spans::{brief, failed, span};
use sluice_util::unix_millis;

use crate::{
    failure::Failure,
    hub::{Hub, Session},
    operation::{Content, Publish},
    outcome::{Outcome, Success},
    rules,
};

impl Hub {
    pub(super) fn publish(
        self: &Rc<Self>,
        session: &Rc<Session>,
        publish: Publish<'_>,
        answer: impl FnOnce(&Outcome) + 'static,
    ) {
        let span = span!("publish", session = %session.id, room = brief(&publish.room),
            event = brief(&publish.content.event));
        let (publication, policy) = match self.publication(session, publish) {
            Ok(checked) => checked,
            Err(failure) => {
                failed(&span, failure.counted());
                return self.answer(&Err(failure), answer);
            }
        };
        let hub = Rc::clone(self);
        self.shared
            .backbone
            .publish(publication)
            .then(move |receipt| {
                let outcome = receipt.map_err(Failure::from).map(|receipt| {
                    let counter = &hub.counters;
                    if receipt.duplicate {
                        counter.duplicates.add(1);
                    } else {
                        counter.published.add(1);
                        policy.tally.published();
                    }
                    let offset = receipt.position.map(|position| position.offset);
                    Success::Published {
                        id: receipt.id,
                        offset,
                    }
                });
                if let Err(failure) = &outcome {
                    failed(&span, failure.counted());
                }
                drop(span);
                hub.answer_behind(outcome, answer);
            });
    }

    /// Checks all that a room asks of a message, and says by what.
    fn publication(
        &self,
        session: &Session,
        publish: Publish<'_>,
    ) -> Result<(Publication, Arc<RoomPolicy>), Failure> {
        let room = self.room(&session.namespace, &publish.room)?;
        let policy = room.policy.borrow();
        rules::may(
            &policy,
            Action::Publish,
            &session.identity.borrow(),
            &room.key,
        )?;
        rules::validate(&policy, &publish.content.event, &publish.content.data)?;
        let Content {
            event,
            data,
            attachments,
        } = publish.content;
        let publisher = publisher(session);
        let publication = Publication {
            room: room.key.clone(),
            settings: room.settings.get(),
            event: event.into(),
            data: data.into(),
            attachments,
            from: match &publisher {
                Publisher::User(user) => Some(Arc::clone(user)),
                _ => None,
            },
            publisher,
            id: publish.id,
            except: (!publish.echo).then_some(session.id),
        };
        Ok((publication, Arc::clone(&policy)))
    }

    pub(super) fn direct(&self, session: &Session, user: &str, content: Content<'_>) -> Outcome {
        self.send_to_fleet(Target::User(user.into()), session, content)
    }

    pub(super) fn broadcast(&self, session: &Session, content: Content<'_>) -> Outcome {
        if !may_broadcast(session.identity.borrow().claims()) {
            return Err(Failure::BROADCAST_DENIED);
        }
        self.send_to_fleet(Target::Everyone, session, content)
    }

    /// Has a message sent to sessions of the fleet, unless the backbone refuses it at once.
    fn send_to_fleet(&self, target: Target, session: &Session, content: Content<'_>) -> Outcome {
        let namespace = Some(Arc::clone(&session.namespace.name));
        let message = Arc::new(message(session, content));
        let command = Command::Send(target, namespace, message);
        match self.shared.backbone.command(command) {
            Reply::Now(Err(error)) => Err(error.into()),
            _ => Ok(Success::Done {}),
        }
    }
}

/// Whose the ids are that a session gives.
fn publisher(session: &Session) -> Publisher {
    let identity = session.identity.borrow();
    if identity.is_anonymous() {
        Publisher::Session(session.id)
    } else {
        Publisher::User(Arc::clone(identity.user()))
    }
}

fn message(session: &Session, content: Content<'_>) -> Message {
    let identity = session.identity.borrow();
    Message {
        room: None,
        event: content.event.into(),
        data: content.data.into(),
        attachments: content.attachments,
        from: (!identity.is_anonymous()).then(|| Arc::clone(identity.user())),
        id: format!("{:016x}", rand::random::<u64>()).into(),
        position: None,
        read: None,
        time: unix_millis(),
        except: None,
        accepted: Instant::now(),
    }
}

/// Whether the claims have `sluice.broadcast: true`.
fn may_broadcast(claims: &str) -> bool {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Sluice {
        broadcast: bool,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Claims {
        sluice: Sluice,
    }
    serde_json::from_str::<Claims>(claims).is_ok_and(|claims| claims.sluice.broadcast)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_claim_lets_a_user_broadcast() {
        assert!(may_broadcast(r#"{"sub":"a","sluice":{"broadcast":true}}"#));
        for claims in [
            "{}",
            r#"{"sluice":{}}"#,
            r#"{"sluice":{"broadcast":"true"}}"#,
            "[]",
            "",
        ] {
            assert!(!may_broadcast(claims), "{claims}");
        }
    }
}
