//! A gateway whose node is gone, as far as anybody can tell.

use std::{
    net::{SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

use sluice_operator::Kind;
use socket2::{Domain, Socket, Type};

use super::kubelet::{Kubelet, say};
use crate::support::World;

/// The server API's port.
const API: u16 = 3001;

/// The pod of a gateway that does nothing any more, at an address where nothing answers.
pub(crate) struct Cut {
    pod: String,
    process: u32,
    /// Where the gateway listens in truth.
    address: String,
    _deaf: Deaf,
}

impl Cut {
    /// Has a gateway fall silent. Its kubelet says nothing of it either.
    pub(crate) async fn off(world: &World, kubelet: &Kubelet, pod: &str) -> Self {
        let process = kubelet.leave(pod);
        signal("STOP", process);
        let live = world.get(Kind::Pod, pod).await.unwrap();
        let address = live.data["status"]["podIP"].as_str().unwrap().to_owned();
        let network = address.rsplit_once('.').unwrap().0;
        let away = format!("{network}.250");
        let deaf = Deaf::at(format!("{away}:{API}").parse().unwrap());
        assert!(say(&world.api(Kind::Pod), pod, &away, true).await);
        Self {
            pod: pod.to_owned(),
            process,
            address,
            _deaf: deaf,
        }
    }

    /// Has the gateway go on, where nobody reaches it.
    pub(crate) fn go_on(&self) {
        signal("CONT", self.process);
    }

    /// Has everything be as it was.
    pub(crate) async fn mend(self, world: &World, kubelet: &Kubelet) {
        self.go_on();
        assert!(say(&world.api(Kind::Pod), &self.pod, &self.address, true).await);
        kubelet.notice();
    }
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// A socket that takes no connection and refuses none: what comes is dropped, because too many wait
/// already.
struct Deaf {
    _listener: Socket,
    _waiting: Vec<TcpStream>,
}

impl Deaf {
    fn at(address: SocketAddr) -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&address.into()).unwrap();
        listener.listen(0).unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
        let waiting: Vec<_> = std::iter::from_fn(|| connect().ok()).collect();
        Self {
            _listener: listener,
            _waiting: waiting,
        }
    }
}
