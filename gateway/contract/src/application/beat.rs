//! Signs of life of instances and gateways.

use serde::{Deserialize, Serialize};

use crate::GatewayNumber;

/// What an instance says of itself every half second.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceBeat {
    /// The newest version of the protocol that it speaks.
    pub protocol: u32,
    /// Its id: 1 to 32 letters and digits.
    pub instance: Box<str>,
    /// Its name for people, such as a pod's.
    pub name: Box<str>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Box<str>>,
    /// How many sessions are attached to it.
    pub sessions: u64,
    /// Milliseconds since its main loop last ran.
    pub tick: u64,
    /// Whether it takes no more sessions.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub leaving: bool,
    /// Whether this is its last beat.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bye: bool,
}

impl InstanceBeat {
    /// Reads one; none where it is no beat, or has an id that cannot be a part of a subject.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let beat: Self = serde_json::from_slice(bytes).ok()?;
        is_instance(&beat.instance).then_some(beat)
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Whether that can be an instance's id.
pub(super) fn is_instance(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What a gateway says of itself to instances every half second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayBeat {
    /// The newest version of the protocol that it speaks.
    pub protocol: u32,
    /// Its number.
    pub gateway: GatewayNumber,
    /// Its name for people.
    #[serde(default)]
    pub name: Box<str>,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Box<str>>,
    /// Whether this is its last beat.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bye: bool,
}

impl GatewayBeat {
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_of_a_newer_version_is_understood_as_far_as_it_goes() {
        let text = br#"{"protocol":9,"instance":"Zk3x","sessions":7,"later":[1]}"#;
        let beat = InstanceBeat::decode(text).unwrap();
        assert_eq!((beat.protocol, beat.sessions, beat.leaving), (9, 7, false));
        assert_eq!(InstanceBeat::decode(&beat.encode()), Some(beat));
    }

    #[test]
    fn a_beat_whose_id_no_subject_can_have_is_none() {
        for id in ["", "a.b", "a b", "*", ">", &"a".repeat(33)] {
            let text = format!(r#"{{"instance":"{id}"}}"#);
            assert_eq!(InstanceBeat::decode(text.as_bytes()), None, "{id}");
        }
        assert_eq!(InstanceBeat::decode(b"[]"), None);
    }
}
