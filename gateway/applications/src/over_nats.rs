//! An application whose instances are reached over NATS, on a thread of its own.

use std::{
    io,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use sluice_contract::GatewayNumber;
use sluice_nats::{
    Packet,
    link::{Handler, Options, ServerInfo, link},
};
use tokio::{sync::Notify, time::MissedTickBehavior};

use crate::{Application, Identity, Sockets, post::Nats};

/// How often what is due is done.
const TICK: Duration = Duration::from_millis(50);

impl Application {
    /// Begins to speak with the instances of an application, on a thread of its own, for as long
    /// as what is returned is used.
    ///
    /// # Errors
    /// Where the options cannot be used, or the thread not be started.
    pub fn start(
        name: &str,
        identity: Identity,
        options: Options,
        sockets: Arc<dyn Sockets>,
    ) -> io::Result<Arc<Self>> {
        let (link, task) = link(options).map_err(io::Error::other)?;
        let names = identity.names.application(name);
        link.subscribe(&names.instance_beats());
        link.subscribe(&names.from(GatewayNumber(identity.gateway)));
        let application = Self::over(
            name,
            identity,
            Box::new(Nats(link)),
            sockets,
            rand::random(),
        );
        let (weak, wake) = (Arc::downgrade(&application), application.wake());
        let handler = LinkHandler(Weak::clone(&weak));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("application".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    tokio::select! {
                        () = task.run(handler) => {}
                        () = turn(weak, wake) => {}
                    }
                });
            })?;
        Ok(application)
    }
}

async fn turn(application: Weak<Application>, wake: Arc<Notify>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = tokio::select! {
            _ = ticks.tick() => true,
            () = wake.notified() => false,
        };
        let Some(application) = application.upgrade() else {
            return;
        };
        let now = Instant::now();
        if due {
            application.tick(now);
        } else {
            application.flush(now);
        }
    }
}

/// What the link calls.
struct LinkHandler(Weak<Application>);

impl LinkHandler {
    fn with(&self, call: impl FnOnce(&Application)) {
        if let Some(application) = self.0.upgrade() {
            call(&application);
        }
    }
}

impl Handler for LinkHandler {
    fn connected(&mut self, _: &ServerInfo) {
        self.with(|application| application.connected(Instant::now()));
    }

    fn disconnected(&mut self, why: &str) {
        self.with(|application| {
            tracing::warn!(application = %application.name(), why,
                "the connection to the application's instances is lost; clients stay, and it is tried again");
        });
    }

    fn message(&mut self, packet: Packet) {
        self.with(|application| {
            application.message(packet.subject(), &packet.payload, Instant::now());
        });
    }

    fn is_full(&self) -> bool {
        self.0
            .upgrade()
            .is_some_and(|application| application.is_full())
    }
}
