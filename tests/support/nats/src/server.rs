//! One server.

use std::{fs, path::Path, process::Stdio};

use tokio::process::{Child, Command};

use sluice_test_programs::program;

use crate::{Settings, folder::Folder, free_port, monitor, until};

/// A running nats-server, or one between a kill and a restart. Killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    folder: Folder,
    port: u16,
    monitor: u16,
    jetstream: bool,
    process: Option<Child>,
}

impl Server {
    /// Starts a server and waits until it takes clients.
    pub async fn start(settings: Settings) -> Self {
        let mut server = Self::new(&settings);
        server.restart().await;
        server
    }

    /// A server that is not started.
    pub(crate) fn new(settings: &Settings) -> Self {
        let (folder, port, monitor) = (Folder::new(), free_port(), free_port());
        let config = settings.text(port, monitor, folder.path());
        fs::write(folder.path().join("config"), config).expect("a file can be written");
        Self {
            folder,
            port,
            monitor,
            jetstream: settings.has_jetstream(),
            process: None,
        }
    }

    /// Starts it, on the ports and with the store that it has.
    pub(crate) fn spawn(&mut self) {
        let mut command = Command::new(program("nats-server"));
        command.arg("-c").arg(self.folder.path().join("config"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let errors = fs::File::create(self.folder.path().join("errors"));
        command
            .stderr(errors.expect("a file can be made"))
            .kill_on_drop(true);
        self.process = Some(command.spawn().expect("nats-server can be started"));
    }

    /// Gives it other settings, for its next start. Those of a cluster's members cannot be changed.
    pub fn configure(&mut self, settings: &Settings) {
        let config = settings.text(self.port, self.monitor, self.folder.path());
        fs::write(self.folder.path().join("config"), config).expect("a file can be written");
    }

    /// Starts it again after [`Self::kill`] or [`Self::stop`], on the same ports and with the same
    /// store, and waits until it takes clients.
    pub async fn restart(&mut self) {
        self.spawn();
        self.healthy().await;
    }

    /// Waits until it takes clients, and JetStream, where it has it, is ready.
    pub async fn healthy(&mut self) {
        let (monitor, jetstream) = (self.monitor, self.jetstream);
        until("nats-server is healthy", async || {
            assert!(self.is_running(), "nats-server ended:\n{}", self.log());
            let path = if jetstream {
                "/healthz"
            } else {
                "/healthz?js-server-only=1"
            };
            monitor::get(monitor, path).await.is_ok()
        })
        .await;
    }

    /// A copy of what it has stored, to be put back with [`Self::put_back`]. It must not run.
    pub fn copy_store(&mut self) -> Folder {
        assert!(
            !self.is_running(),
            "a store is copied while nobody writes to it"
        );
        let copy = Folder::new();
        copy_folder(
            &self.folder.path().join("store"),
            &copy.path().join("store"),
        );
        copy
    }

    /// Puts its store back to what it was when it was copied. It must not run.
    pub fn put_back(&mut self, copy: &Folder) {
        assert!(
            !self.is_running(),
            "a store is put back while nobody writes to it"
        );
        let store = self.folder.path().join("store");
        fs::remove_dir_all(&store).expect("the store can be removed");
        copy_folder(&copy.path().join("store"), &store);
    }

    /// Where clients connect to.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote into its log, and what it said when it could not start.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("log") + &read("errors")
    }

    /// What its monitoring tells at `path`, such as `/connz?subs=1`: JSON.
    pub async fn monitor(&self, path: &str) -> String {
        let answer = monitor::get(self.monitor, path).await;
        answer.expect("nats-server answers over HTTP")
    }

    /// How many servers of its cluster it tells clients of, itself among them.
    pub(crate) async fn announced(&self) -> usize {
        let told = self.monitor("/varz").await;
        let urls = told.split("\"connect_urls\": [").nth(1);
        let urls = urls.and_then(|rest| rest.split(']').next());
        urls.map_or(0, |urls| urls.matches(':').count())
    }

    /// Whether the process is there, paused or not.
    pub fn is_running(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_some_and(|process| process.try_wait().is_ok_and(|status| status.is_none()))
    }

    /// SIGKILL: it ends without a word.
    pub async fn kill(&mut self) {
        self.signal("KILL").await;
        self.ended().await;
    }

    /// SIGTERM: it ends in an orderly way.
    pub async fn stop(&mut self) {
        self.signal("TERM").await;
        self.ended().await;
    }

    /// It tells its clients that it will end, sends them away bit by bit, and ends.
    pub async fn lame_duck(&self) {
        self.signal("USR2").await;
    }

    /// SIGSTOP: it does nothing any more, and its connections stay open.
    pub async fn pause(&self) {
        self.signal("STOP").await;
    }

    /// SIGCONT: it goes on.
    pub async fn resume(&self) {
        self.signal("CONT").await;
    }

    async fn signal(&self, name: &str) {
        let pid = self.process.as_ref().and_then(Child::id);
        let pid = pid.expect("nats-server runs").to_string();
        let kill = Command::new("kill").args(["-s", name, &pid]).status().await;
        assert!(
            kill.is_ok_and(|status| status.success()),
            "kill -s {name} {pid} failed"
        );
    }

    async fn ended(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.wait().await.expect("nats-server ends");
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}
