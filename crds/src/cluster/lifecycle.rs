use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;

/// How the two sides of a connection notice that the other is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Heartbeat::default")]
pub struct Heartbeat {
    /// How often the gateway pings a client.
    #[x_kube(validation = Rule::new("duration(self) >= duration('10ms')")
        .message("the heartbeat needs an interval of 10ms or more, for example 25s"))]
    pub interval: Duration,
    /// How long the gateway waits for the answer before it closes the connection.
    #[x_kube(validation = Rule::new("duration(self) >= duration('10ms')")
        .message("the heartbeat needs a timeout of 10ms or more, for example 20s"))]
    pub timeout: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(25),
            timeout: Duration::from_secs(20),
        }
    }
}

/// How long a session survives its connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Recovery::default")]
pub struct Recovery {
    /// How long after its connection is lost a client can come back to its session: to its rooms,
    /// and to what it missed in those with history. `0s` turns recovery off.
    pub window: Duration,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
        }
    }
}

/// How connections are moved off a gateway that ends, whatever the reason. The pods' grace period
/// follows from `deadline`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Drain::default")]
#[x_kube(
    validation = Rule::new("duration(self.settle) + duration(self.window) <= duration(self.deadline)")
        .message("settle and window together are longer than deadline, so the gateway would end before its connections have moved: raise deadline, or lower settle or window")
        .field_path(".deadline")
)]
pub struct Drain {
    /// How long a gateway that is taken out of the Service still accepts connections, while the
    /// change reaches every proxy.
    pub settle: Duration,
    /// The time over which connections are moved, unless `connectionsPerSecond` makes it longer.
    /// Clients are told of it.
    pub window: Duration,
    /// How many connections may be moved in a second, over all gateways that drain.
    #[schemars(range(min = 1))]
    pub connections_per_second: u32,
    /// When the gateway ends even if connections are left.
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s')")
        .message("a drain needs a deadline of 1s or more, for example 120s"))]
    pub deadline: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(5),
            window: Duration::from_secs(60),
            connections_per_second: 500,
            deadline: Duration::from_secs(120),
        }
    }
}

/// How a new revision of the gateways takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Rollout::default")]
pub struct Rollout {
    /// How many gateways of the new revision may run beyond the wanted number: a number, or a
    /// part of it in percent, rounded up.
    #[x_kube(validation = Rule::new("string(self).matches('^([1-9][0-9]?|100)%$') || (string(self).matches('^[1-9][0-9]{0,3}$') && self == int(string(self)))")
        .message("maxSurge is a number from 1, or a percentage from 1% to 100%, for example 25%"))]
    pub max_surge: IntOrString,
    /// Holds a rollout where it is: no further gateway is started or ended for it, and no further
    /// connection moved, until this is false again. One that has not begun does not begin.
    pub paused: bool,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            max_surge: IntOrString::String("25%".to_owned()),
            paused: false,
        }
    }
}
