//! Whom admission lets in.

use std::{net::IpAddr, sync::Arc};

use http::{Request, request::Parts};
use sluice_contract::Code;
use sluice_crds::Source;
use sluice_net::Peer;
use sluice_policy::Policy;

use super::{Admission, Admitted};
use crate::documents::Secrets;

/// The policy of a cluster with these limits.
fn policy(limits: &str) -> Policy {
    let text = format!(
        r"
apiVersion: sluice.dev/v1alpha1
kind: RealtimeCluster
metadata: {{name: test}}
spec:
  auth: {{required: false}}
  limits: {limits}
  backbone: {{memory: {{}}}}
"
    );
    let source = Source {
        name: "test.yaml",
        text: &text,
    };
    let documents = sluice_crds::load(&[source]).unwrap();
    let secrets = Secrets {
        documents: &documents,
        mounted: None,
    };
    Policy::compile(&documents, &secrets, None).unwrap()
}

fn head() -> Parts {
    let request = Request::get("/socket.io/?EIO=4&transport=polling");
    request.body(()).unwrap().into_parts().0
}

fn admit(admission: &Arc<Admission>, policy: &Policy, address: IpAddr) -> Result<Admitted, Code> {
    let peer = Peer {
        address: (address, 40_000).into(),
        tls: false,
    };
    let admitted = admission.admit(policy, &head(), peer);
    admitted.map_err(|(code, _)| code)
}

/// All at once, which is harder than at any rate.
#[test]
fn five_thousand_clients_of_one_address_come_back_and_none_is_touched() {
    let policy = policy("{connectionsPerIP: 5000}");
    let (admission, address) = (Arc::<Admission>::default(), IpAddr::from([192, 0, 2, 1]));
    let mut clients = Vec::new();
    for number in 0..5_000 {
        // It polls, sends, and moves to a WebSocket, whose socket is no longer counted.
        let sockets = [(); 3].map(|()| admission.arrive(&policy, address));
        assert!(sockets.iter().all(Option::is_some), "{number}");
        let admitted = admit(&admission, &policy, address);
        assert!(admitted.is_ok(), "{number}: {:?}", admitted.err());
        // The tokens of some have expired meanwhile, and they get another one.
        if number % 5 == 0 {
            admission.charge_bad_token(&policy, address);
        }
        let [poll, post, upgraded] = sockets;
        clients.push((admitted, poll, post));
        drop(upgraded);
    }
    assert_eq!(admission.open(), 5_000);
    let other = admit(&admission, &policy, address).err();
    assert_eq!(other, Some(Code::IpConnectionsExceeded));
}

#[test]
fn what_one_address_uses_up_is_not_anothers() {
    let policy = policy("{connectionsPerIP: 1}");
    let admission = Arc::<Admission>::default();
    let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
    let sockets: Vec<_> = std::iter::from_fn(|| admission.arrive(&policy, one)).collect();
    assert_eq!(sockets.len(), 3);
    // It has another one after a second, which may pass in between.
    let mut tries = (0..100).map(|_| {
        admission.charge_bad_token(&policy, one);
        admit(&admission, &policy, one).err()
    });
    assert!(tries.any(|refused| refused == Some(Code::IpBadTokensExceeded)));
    assert!(admission.arrive(&policy, other).is_some());
    assert!(admit(&admission, &policy, other).is_ok());
}

#[test]
fn sockets_of_trusted_proxies_are_their_clients() {
    let policy = policy("{connectionsPerIP: 1, trustedProxies: [192.0.2.0/24]}");
    let admission = Admission::default();
    let proxy = IpAddr::from([192, 0, 2, 1]);
    let sockets: Vec<_> = (0..100).map(|_| admission.arrive(&policy, proxy)).collect();
    assert!(sockets.iter().all(Option::is_some));
}
