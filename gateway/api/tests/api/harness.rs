//! An API that runs, with everything behind it.

use std::sync::{Arc, Mutex};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use sluice_api::{Api, Drain, Fleet, Kept, Keys, Limits, Refusal, Rules};
use sluice_backbone::{BackboneEvent, Command, Gather, Memory, SessionInfo, Target, Workers};
use sluice_contract::{
    Code, DrainPhase, DrainProgress, DrainRequest, FleetStatus, GatewayNumber, GatewayState,
    GatewayStatus, PolicyStatus, RoomCount, RoomCounts, WireVersion,
};
use sluice_rooms::{HistoryLimits, Message, Pid, PresenceMode, RoomKey, RoomSettings, SessionId};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

pub const KEY: &str = "a-key-for-tests-0123456789";

/// One worker whose sessions are a list.
#[derive(Default)]
pub struct Worker {
    pub sessions: Mutex<Vec<SessionInfo>>,
    pub messages: Mutex<Vec<Arc<Message>>>,
    pub commands: Mutex<Vec<Command>>,
    /// Answers that are kept back, if any are to be.
    pub held: Mutex<Option<Vec<Gather<u64>>>>,
    pub full: Mutex<bool>,
}

impl Worker {
    fn command(&self, command: &Command, gather: Gather<u64>) {
        let of = |info: &SessionInfo| match command.target() {
            Target::User(user) => info.user == *user,
            Target::Session(session) => info.session == *session,
            Target::Token(_) => false,
            Target::Everyone => true,
        };
        gather.add(
            self.sessions
                .lock()
                .unwrap()
                .iter()
                .filter(|info| of(info))
                .count() as u64,
        );
        if let Some(held) = &mut *self.held.lock().unwrap() {
            held.push(gather);
        }
        self.commands.lock().unwrap().push(command.clone());
    }
}

impl Workers for Worker {
    fn count(&self) -> usize {
        1
    }

    fn is_full(&self, _: usize) -> bool {
        *self.full.lock().unwrap()
    }

    fn is_idle(&self, _: usize) -> bool {
        true
    }

    fn deliver(&self, _: usize, event: BackboneEvent) {
        match event {
            BackboneEvent::Room(message) => self.messages.lock().unwrap().push(message),
            BackboneEvent::Command(command, gather) => self.command(&command, gather),
            BackboneEvent::Sessions(user, _, gather) => {
                let sessions = self.sessions.lock().unwrap();
                let of = |info: &&SessionInfo| user.as_ref().is_none_or(|user| info.user == *user);
                sessions
                    .iter()
                    .filter(of)
                    .for_each(|info| gather.add(info.clone()));
            }
            _ => {}
        }
    }
}

/// What was asked of the policy, and rooms whose names say what they are.
#[derive(Default)]
pub struct Policy {
    pub revoked: Mutex<Vec<(Target, Option<u64>, u64)>>,
    pub full: Mutex<bool>,
    /// Whether nothing can be kept beyond this gateway.
    pub unkept: Mutex<bool>,
    pub published: Mutex<Vec<RoomKey>>,
}

impl Rules for Policy {
    fn has_namespace(&self, namespace: &str) -> bool {
        matches!(namespace, "/" | "/admin")
    }

    fn room(&self, room: &RoomKey) -> Option<RoomSettings> {
        let history = HistoryLimits {
            max_messages: 2000,
            max_age: std::time::Duration::MAX,
        };
        let settings = RoomSettings::default();
        match &*room.name {
            "nowhere" => None,
            "slow" => Some(RoomSettings {
                messages_per_second: Some(1),
                ..settings
            }),
            "dark" => Some(RoomSettings {
                presence: PresenceMode::Off,
                ..settings
            }),
            "plain" => Some(settings),
            _ => Some(RoomSettings {
                history: Some(history),
                ..settings
            }),
        }
    }

    fn check(&self, _: &RoomKey, event: &str, data: &str) -> Result<(), Refusal> {
        if event == "typed" && !data.starts_with('{') {
            return Err(Refusal::new(
                Code::SchemaViolation,
                "data is not an object; send one",
            ));
        }
        Ok(())
    }

    fn published(&self, room: &RoomKey) {
        self.published.lock().unwrap().push(room.clone());
    }

    fn revoke(&self, target: &Target, issued: Option<u64>, until: u64) -> Result<Kept, Refusal> {
        if *self.full.lock().unwrap() {
            return Err(Refusal::new(
                Code::RevocationsFull,
                "as many are in force as can be",
            ));
        }
        self.revoked
            .lock()
            .unwrap()
            .push((target.clone(), issued, until));
        let kept = if *self.unkept.lock().unwrap() {
            Err(sluice_backbone::Error::Unavailable.into())
        } else {
            Ok(())
        };
        Ok(Box::pin(async { kept }))
    }
}

/// A fleet of one.
struct Alone;

impl Fleet for Alone {
    fn gateways(&self) -> FleetStatus {
        FleetStatus {
            ok: true,
            writes: WireVersion::FIRST,
            gateways: vec![GatewayStatus {
                name: "gateway".into(),
                number: GatewayNumber(0x2a),
                state: GatewayState::Serving,
                connections: 3,
                policy: PolicyStatus::default(),
                reads: WireVersion::FIRST,
            }],
        }
    }

    fn rooms(&self) -> RoomCounts {
        let room = |name: &str, members| RoomCount {
            name: name.into(),
            members,
            published: 7,
        };
        RoomCounts {
            ok: true,
            stores: true,
            rooms: vec![room("support", 5), room("lobby", 2)],
        }
    }
}

/// A drain that moves when it is told to.
pub struct Draining(pub Mutex<(DrainPhase, Option<DrainRequest>)>);

impl Drain for Draining {
    fn start(&self, request: DrainRequest) -> DrainProgress {
        *self.0.lock().unwrap() = (DrainPhase::Settle, Some(request));
        self.progress()
    }

    fn stop(&self) -> Option<DrainProgress> {
        let mut state = self.0.lock().unwrap();
        (state.0 != DrainPhase::Release).then(|| state.0 = DrainPhase::Serving)?;
        drop(state);
        Some(self.progress())
    }

    fn progress(&self) -> DrainProgress {
        let phase = self.0.lock().unwrap().0;
        DrainProgress {
            phase,
            moved: 3,
            remaining: 7,
            connections: 9,
            rate: 2.0,
            eta: Some(3.5),
        }
    }
}

pub struct Running {
    pub api: Api,
    pub url: String,
    pub http: reqwest::Client,
    pub worker: Arc<Worker>,
    pub backbone: Arc<Memory>,
    pub policy: Arc<Policy>,
    pub draining: Arc<Draining>,
    pub registry: prometheus::Registry,
    pub stop: Option<oneshot::Sender<()>>,
    pub served: Option<JoinHandle<()>>,
}

/// Starts an API that takes [`KEY`].
pub async fn start() -> Running {
    start_with(Limits::default()).await
}

pub async fn start_with(limits: Limits) -> Running {
    let worker = Arc::new(Worker::default());
    let backbone = Arc::new(Memory::new(Arc::clone(&worker) as Arc<dyn Workers>));
    let policy = Arc::new(Policy::default());
    let draining = Arc::new(Draining(Mutex::new((DrainPhase::Serving, None))));
    let registry = prometheus::Registry::new();
    let api = Api::new(
        backbone.clone(),
        policy.clone(),
        draining.clone(),
        Arc::new(Alone),
        limits,
        &registry,
    )
    .unwrap();
    api.set_keys(Keys::new([KEY]).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(sluice_api::serve(listener, api.clone(), async {
        let _ = stopped.await;
    }));
    let http = reqwest::Client::new();
    let (stop, served) = (Some(stop), Some(served));
    Running {
        api,
        url,
        http,
        worker,
        backbone,
        policy,
        draining,
        registry,
        stop,
        served,
    }
}

impl Running {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(KEY)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn put(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::PUT, path)).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    /// Adds a session and says its id.
    pub fn session(&self, user: &str) -> SessionId {
        let session = Pid::random().session();
        self.worker.sessions.lock().unwrap().push(SessionInfo {
            session,
            user: user.into(),
            namespace: "/".into(),
            protocol: "socketio",
            connected: true,
            rooms: vec!["lobby".into()],
        });
        session
    }

    pub fn commands(&self) -> Vec<Command> {
        self.worker.commands.lock().unwrap().clone()
    }

    /// The metrics as Prometheus reads them.
    pub fn metrics(&self) -> String {
        prometheus::TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap()
    }
}

pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// Asserts that an answer is a refusal with this status and code and a sentence.
#[track_caller]
pub fn assert_refused((status, body): &(StatusCode, Value), expected: u16, code: &str) {
    assert_eq!(
        (status.as_u16(), body["error"]["code"].as_str()),
        (expected, Some(code)),
        "{body}"
    );
    assert!(
        body["error"]["message"].as_str().unwrap().len() > 10,
        "{body}"
    );
}

/// Waits until a condition holds.
pub async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
