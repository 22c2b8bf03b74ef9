//! The command line.

mod push;

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use serde_json::{Map, Value};
use sluice_contract::{ENVELOPE_BYTES, USUAL_MAX_PAYLOAD};
use sluice_crds::{Documents, Problem};
use sluice_ops::log::{self, Format};
use sluice_policy::{Policy, sign_development_token};
use sluice_spans::Spans;
use sluice_util::unix_seconds;
use tokio::runtime::Runtime;

use crate::{
    documents::{self, Secrets, Texts},
    gateway::{self, Given, Setup, Start},
};

/// Holds WebSocket and Socket.IO connections and moves messages between them.
#[derive(Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

/// The command line, as its flags are described.
pub fn command() -> clap::Command {
    Cli::command()
}

#[derive(Subcommand)]
enum Command {
    /// Check documents as a cluster and a gateway would, without starting anything.
    Check {
        /// YAML files with a `RealtimeCluster`, its Rooms and the Secrets they name.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print a token signed with the cluster's own key, for development.
    Token(Token),
    /// Give documents to all gateways of a fleet, over NATS.
    Push(push::Push),
}

#[derive(Args)]
struct Serve {
    /// A YAML file, or a directory of them: one `RealtimeCluster`, its Rooms, and Secrets.
    #[arg(long, env = "SLUICE_CONFIG")]
    config: Option<PathBuf>,
    /// A directory with one directory a Secret, as Kubernetes mounts them.
    #[arg(long, env = "SLUICE_SECRETS")]
    secrets: Option<PathBuf>,
    /// A file with the key that the operator shows to the server API, which it may drain gateways
    /// with and nothing else. It is read again when it changes.
    #[arg(long, env = "SLUICE_OPERATOR_KEY_FILE")]
    operator_key: Option<PathBuf>,
    /// Where clients connect.
    #[arg(long, env = "SLUICE_LISTEN", default_value = "0.0.0.0:3000")]
    listen: SocketAddr,
    /// Where backends reach the server API. Never expose it to clients.
    #[arg(long, env = "SLUICE_API_LISTEN", default_value = "0.0.0.0:3001")]
    api_listen: SocketAddr,
    /// Where the platform reads health and metrics.
    #[arg(long, env = "SLUICE_OPS_LISTEN", default_value = "0.0.0.0:3002")]
    ops_listen: SocketAddr,
    /// What people call this gateway; in Kubernetes, its pod's name.
    #[arg(long, env = "SLUICE_NAME", default_value = "gateway")]
    name: String,
    /// Where NATS is, whatever the documents say: URLs separated by commas.
    #[arg(long, env = "SLUICE_NATS_URL")]
    nats: Option<String>,
    /// A file with what lets the gateway into NATS: a .creds file, the seed of an nkey, or
    /// user:password. It is read for each connection; where servers refuse it, whom --nats names is
    /// tried.
    #[arg(long = "nats-login", env = "SLUICE_NATS_LOGIN_FILE")]
    nats_login: Option<PathBuf>,
    /// A folder with certificates for NATS: ca.crt, the authority of its servers, and tls.crt and
    /// tls.key, with which the gateway shows who it is. They are read for each connection.
    #[arg(long, env = "SLUICE_NATS_CERTIFICATES")]
    nats_certificates: Option<PathBuf>,
    /// How log lines are written.
    #[arg(long, env = "SLUICE_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: Format,
    /// What is logged: error, warn, info, debug, trace, or a filter by module.
    #[arg(long, env = "SLUICE_LOG", default_value = "info")]
    log: String,
}

#[derive(Args)]
struct Token {
    /// A YAML file, or a directory of them, as for the gateway.
    #[arg(long, env = "SLUICE_CONFIG")]
    config: PathBuf,
    /// A directory with one directory a Secret, as Kubernetes mounts them.
    #[arg(long, env = "SLUICE_SECRETS")]
    secrets: Option<PathBuf>,
    /// The user's name.
    #[arg(long)]
    user: String,
    /// How long the token is good for, as Go writes durations.
    #[arg(long, default_value = "24h")]
    ttl: String,
    /// Further claims, as a JSON object.
    #[arg(long, default_value = "{}")]
    claims: String,
}

/// Why a command failed: what people are told, a line each.
struct Failed(Vec<String>);

impl From<String> for Failed {
    fn from(line: String) -> Self {
        Self(vec![line])
    }
}

impl From<Vec<Problem>> for Failed {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems.iter().map(ToString::to_string).collect())
    }
}

/// Runs the command line of `sluice-gateway`; problems are told on standard error.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => serve(cli.serve),
        Some(Command::Check { files }) => check(&files),
        Some(Command::Token(token)) => print_token(&token),
        Some(Command::Push(push)) => push::push(&push),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(lines)) => {
            for line in lines {
                say_error(&line);
            }
            ExitCode::FAILURE
        }
    }
}

fn serve(serve: Serve) -> Result<(), Failed> {
    let config = serve.config.ok_or_else(|| {
        "nothing to run by: name a file or directory with --config, such as examples/chat.yaml"
            .to_owned()
    })?;
    let texts = documents::read(&config).map_err(|e| cannot_read(&e))?;
    let documents = load(&texts)?;
    let runtime = gateway::runtime().map_err(|e| e.to_string())?;
    let spans = spans(&documents, &serve.name, &runtime)?;
    log::start(serve.log_format, &serve.log, spans.as_ref())?;
    let policy = compile(&documents, serve.secrets.as_deref())?;
    let setup = Setup {
        config,
        secrets: serve.secrets,
        operator_key: serve.operator_key,
        clients: serve.listen,
        api: serve.api_listen,
        ops: serve.ops_listen,
        name: serve.name,
        nats: Given {
            urls: serve.nats,
            login: serve.nats_login,
            certificates: serve.nats_certificates,
        },
    };
    let start = Start::new(setup, texts, documents, policy);
    gateway::run(start, runtime, spans).map_err(|e| e.to_string().into())
}

/// Where spans go, if the documents name a place.
fn spans(documents: &Documents, gateway: &str, runtime: &Runtime) -> Result<Option<Spans>, Failed> {
    let Some(endpoint) = &documents.cluster.spec.observability.otlp_endpoint else {
        return Ok(None);
    };
    let cluster = documents.cluster.metadata.name.as_deref();
    let cluster = cluster.unwrap_or_default();
    let spans = Spans::new(endpoint, cluster, gateway, runtime.handle().clone());
    Ok(Some(spans.map_err(|e| e.to_string())?))
}

fn load(texts: &Texts) -> Result<Documents, Failed> {
    Ok(texts.load()?)
}

fn compile(documents: &Documents, mounted: Option<&Path>) -> Result<Policy, Failed> {
    Ok(Policy::compile(
        documents,
        &Secrets { documents, mounted },
        None,
    )?)
}

/// Refuses limits that are new and cannot work; a gateway takes those that 0.1.0 has taken.
fn refuse_undeliverable(documents: &Documents) -> Result<(), Failed> {
    match documents.cluster.spec.limits.undeliverable() {
        Some(what) => Err(format!("spec.limits.payloadBytes: {what}").into()),
        None => Ok(()),
    }
}

fn check(files: &[PathBuf]) -> Result<(), Failed> {
    let texts = documents::read_all(files).map_err(|e| cannot_read(&e))?;
    let documents = load(&texts)?;
    refuse_undeliverable(&documents)?;
    compile(&documents, None)?;
    let name = documents
        .cluster
        .metadata
        .name
        .as_deref()
        .unwrap_or_default();
    let rooms = documents.rooms.len();
    say(&format!(
        "RealtimeCluster {name} and its Rooms ({rooms}) can be used as they are."
    ));
    if let Some(needs) = large_payloads(&documents) {
        say(&needs);
    }
    Ok(())
}

/// What NATS servers of one's own must be told, so that they take what clients may send.
fn large_payloads(documents: &Documents) -> Option<String> {
    let spec = &documents.cluster.spec;
    let nats = spec.backbone.as_ref()?.nats.as_ref()?;
    nats.external.as_ref()?;
    let needed = spec.limits.payload_bytes() as usize + ENVELOPE_BYTES;
    (needed > USUAL_MAX_PAYLOAD).then(|| {
        format!(
            "Its NATS servers must take messages of {needed} bytes for limits.payloadBytes: set their max_payload to that or more, since it is {USUAL_MAX_PAYLOAD} unless set."
        )
    })
}

fn print_token(token: &Token) -> Result<(), Failed> {
    let texts = documents::read(&token.config).map_err(|e| cannot_read(&e))?;
    let documents = load(&texts)?;
    let policy = compile(&documents, token.secrets.as_deref())?;
    let reference = documents.cluster.spec.auth.jwt.as_ref();
    let reference = reference.and_then(|jwt| jwt.key_secret_ref.as_ref());
    let (Some(reference), Some(auth)) = (reference, &policy.auth.tokens) else {
        return Err(
            "the cluster's tokens are signed elsewhere: spec.auth.jwt has no keySecretRef"
                .to_owned()
                .into(),
        );
    };
    let secrets = Secrets {
        documents: &documents,
        mounted: token.secrets.as_deref(),
    };
    let key = secrets
        .read(&reference.name, &reference.key)
        .unwrap_or_default();
    let claims: Map<String, Value> = serde_json::from_str(&token.claims)
        .map_err(|e| format!("--claims is not a JSON object: {e}"))?;
    let ttl: sluice_crds::Duration = token.ttl.parse().map_err(|e| format!("--ttl: {e}"))?;
    let ttl: Duration = ttl.into();
    let signed =
        sign_development_token(auth.rules(), &key, &token.user, claims, ttl, unix_seconds());
    say(&signed.map_err(|e| e.to_string())?);
    Ok(())
}

fn cannot_read(error: &std::io::Error) -> String {
    format!("the documents cannot be read: {error}")
}

/// Writes a line for people; whoever closed the pipe does not want it.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn say_error(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_says_what_servers_of_ones_own_must_take() {
        let said = |backbone: &str, limits: &str| {
            let text = format!(
                "apiVersion: sluice.dev/v1alpha1\nkind: RealtimeCluster\nmetadata: {{name: chat}}\nspec: {{auth: {{required: false}}, limits: {limits}, backbone: {{nats: {backbone}}}}}"
            );
            large_payloads(&Texts::one("chat.yaml", &text).load().unwrap())
        };
        let own = "{external: {url: \"nats://nats:4222\"}}";
        let large = "{payloadBytes: 2097152, outboundBytes: 4194304}";
        assert_eq!(said(own, "{}"), None);
        assert_eq!(said("{managed: {replicas: 1}}", large), None);
        assert!(said(own, large).unwrap().contains("2101248 bytes"));
    }

    #[test]
    fn check_refuses_limits_that_a_gateway_takes_only_because_0_1_0_did() {
        let checked = |limits: &str| {
            let text = format!(
                "apiVersion: sluice.dev/v1alpha1\nkind: RealtimeCluster\nmetadata: {{name: chat}}\nspec: {{auth: {{required: false}}, limits: {limits}}}"
            );
            let documents = Texts::one("chat.yaml", &text).load().unwrap();
            refuse_undeliverable(&documents).map_err(|Failed(lines)| lines)
        };
        assert_eq!(checked("{payloadBytes: 500000}"), Ok(()));
        let refused = checked("{payloadBytes: 2097152, outboundBytes: 1048576}").unwrap_err();
        assert!(refused[0].starts_with("spec.limits.payloadBytes: "));
    }
}
