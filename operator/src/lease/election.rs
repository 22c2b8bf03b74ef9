//! What a candidate does about a Lease as it is.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};

/// What a candidate knows.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    lasts: Duration,
    /// The version of the Lease that was seen last, and when it was seen first.
    seen: Option<(String, Instant)>,
    leads: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Move {
    /// Somebody else leads.
    Wait,
    /// Nobody has led yet.
    Create(Lease),
    /// The Lease is ours, or free.
    Replace(Lease),
}

impl Election {
    pub(super) fn new(identity: &str, lasts: Duration) -> Self {
        Self {
            identity: identity.to_owned(),
            lasts,
            seen: None,
            leads: false,
        }
    }

    /// Whether this candidate led when the Lease was looked at last.
    pub(super) fn leads(&self) -> bool {
        self.leads
    }

    pub(super) fn look(
        &mut self,
        lease: Option<Lease>,
        name: &str,
        now: Instant,
        time: Timestamp,
    ) -> Move {
        let Some(lease) = lease else {
            self.leads = false;
            return Move::Create(self.first(name, time));
        };
        self.observe(&lease, now);
        let holder = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.holder_identity.as_deref());
        let holder = holder.unwrap_or_default();
        self.leads = holder == self.identity;
        if self.leads {
            return Move::Replace(self.renewed(lease, time));
        }
        if holder.is_empty() || self.is_expired(&lease, now) {
            return Move::Replace(self.taken(lease, time));
        }
        Move::Wait
    }

    /// The Lease as nobody's, if it is ours.
    pub(super) fn released(&mut self, mut lease: Lease) -> Option<Lease> {
        let spec = lease.spec.as_mut()?;
        (spec.holder_identity.as_deref() == Some(&self.identity)).then_some(())?;
        spec.holder_identity = Some(String::new());
        self.leads = false;
        Some(lease)
    }

    fn observe(&mut self, lease: &Lease, now: Instant) {
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        if self.seen.as_ref().is_none_or(|(seen, _)| *seen != version) {
            self.seen = Some((version, now));
        }
    }

    /// Whether it has not changed for as long as it lasts.
    fn is_expired(&self, lease: &Lease, now: Instant) -> bool {
        let said = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.lease_duration_seconds);
        let said = said.and_then(|seconds| u64::try_from(seconds).ok());
        let lasts = said.map_or(self.lasts, Duration::from_secs);
        let seen = self.seen.as_ref().map(|(_, at)| *at);
        seen.is_some_and(|at| now.saturating_duration_since(at) > lasts)
    }

    fn first(&self, name: &str, time: Timestamp) -> Lease {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                lease_transitions: Some(-1),
                ..LeaseSpec::default()
            }),
        };
        self.taken(lease, time)
    }

    fn taken(&self, lease: Lease, time: Timestamp) -> Lease {
        let mut lease = self.renewed(lease, time);
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(self.identity.clone());
            spec.acquire_time = Some(MicroTime(time));
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default() + 1);
        }
        lease
    }

    fn renewed(&self, mut lease: Lease, time: Timestamp) -> Lease {
        let spec = lease.spec.get_or_insert_default();
        spec.renew_time = Some(MicroTime(time));
        spec.lease_duration_seconds = i32::try_from(self.lasts.as_secs()).ok();
        lease.metadata.managed_fields = None;
        lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_secs(15);

    fn look(election: &mut Election, lease: Option<Lease>, now: Instant) -> Move {
        election.look(lease, "lead", now, Timestamp::UNIX_EPOCH)
    }

    /// A Lease as an API server has it after a candidate took it.
    fn held_by(identity: &str, version: &str) -> Lease {
        let mut lease = match look(&mut Election::new(identity, LASTS), None, Instant::now()) {
            Move::Create(lease) => lease,
            other => panic!("{other:?}"),
        };
        lease.metadata.resource_version = Some(version.to_owned());
        lease
    }

    fn holder(lease: &Lease) -> &str {
        lease
            .spec
            .as_ref()
            .unwrap()
            .holder_identity
            .as_deref()
            .unwrap()
    }

    #[test]
    fn the_first_candidate_leads_and_renews() {
        let mut election = Election::new("a", LASTS);
        let lease = held_by("a", "1");
        assert_eq!(lease.spec.as_ref().unwrap().lease_transitions, Some(0));
        let Move::Replace(renewed) = look(&mut election, Some(lease), Instant::now()) else {
            panic!()
        };
        assert_eq!(holder(&renewed), "a");
        assert_eq!(renewed.spec.unwrap().lease_transitions, Some(0));
        assert!(election.leads());
    }

    #[test]
    fn a_lease_that_is_renewed_is_never_taken() {
        let mut election = Election::new("b", LASTS);
        let start = Instant::now();
        for n in 0..10 {
            let lease = held_by("a", &n.to_string());
            assert_eq!(
                look(
                    &mut election,
                    Some(lease),
                    start + n * Duration::from_secs(14)
                ),
                Move::Wait
            );
        }
    }

    #[test]
    fn a_lease_that_is_not_renewed_is_taken() {
        let mut election = Election::new("b", LASTS);
        let start = Instant::now();
        assert_eq!(
            look(&mut election, Some(held_by("a", "1")), start),
            Move::Wait
        );
        let later = start + Duration::from_secs(16);
        let Move::Replace(taken) = look(&mut election, Some(held_by("a", "1")), later) else {
            panic!()
        };
        assert_eq!(holder(&taken), "b");
        assert_eq!(taken.spec.unwrap().lease_transitions, Some(1));
        assert_eq!(taken.metadata.resource_version.as_deref(), Some("1"));
    }

    #[test]
    fn a_lease_that_was_released_is_taken_at_once() {
        let free = Election::new("a", LASTS)
            .released(held_by("a", "1"))
            .unwrap();
        let mut election = Election::new("b", LASTS);
        assert!(matches!(
            look(&mut election, Some(free), Instant::now()),
            Move::Replace(_)
        ));
        assert_eq!(Election::new("b", LASTS).released(held_by("a", "1")), None);
    }

    #[test]
    fn who_finds_another_at_the_lead_leads_no_more() {
        let mut election = Election::new("a", LASTS);
        look(&mut election, Some(held_by("a", "1")), Instant::now());
        assert!(election.leads());
        assert_eq!(
            look(&mut election, Some(held_by("b", "2")), Instant::now()),
            Move::Wait
        );
        assert!(!election.leads());
    }
}
