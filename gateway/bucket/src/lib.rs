//! The bucket of a cluster in NATS: the documents that its gateways work by, what is revoked, and up
//! to which wire version rollouts are finalised.
//!
//! It is reached by a [`Connection`], which is never waited for: a gateway starts and works
//! without NATS by what it has. What is put into the bucket reaches all who [`watch`] it, those
//! too that were away then: whoever comes back is told of all that it holds. Documents have one
//! entry, of which the newest counts; each revocation has its own, which goes when it can be
//! forgotten. By the same connection the stored messages of rooms are purged.
//!
//! ```
//! use sluice_bucket::{Connection, Login, News, watch};
//! use sluice_contract::{Names, Revocation, Role};
//! use sluice_nats::link::Logins;
//! # use sluice_test_nats::{Server, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::start(Settings::default().jetstream()).await;
//! let login = Login {
//!     urls: server.url(),
//!     logins: Logins::default(),
//!     certificates: None,
//!     name: "an example".to_owned(),
//!     role: Role::Gateway,
//! };
//! let connection = Connection::open(&login, Names::new("default", "chat")).await?;
//! connection.connected().await;
//! let revision = connection.push("kind: RealtimeCluster".to_owned()).await?;
//!
//! let (news, mut heard) = tokio::sync::mpsc::channel(8);
//! tokio::spawn(watch(connection.clone(), news));
//! let Some(News::Documents(pushed)) = heard.recv().await else {
//!     panic!("what the bucket holds comes first");
//! };
//! assert_eq!((pushed.revision, &*pushed.text), (revision, "kind: RealtimeCluster"));
//! assert_eq!(heard.recv().await, Some(News::Current));
//!
//! let now = 1_800_000_000;
//! let revocation = Revocation::Token {
//!     id: "the token's jti".into(),
//!     until: now + 3600,
//! };
//! connection.revoke(&revocation, now).await?;
//! assert_eq!(heard.recv().await, Some(News::Revoked(revocation)));
//! # Ok(())
//! # }
//! ```

mod bucket;
mod connection;
mod documents;
mod error;
mod finalised;
mod link;
mod login;
mod purge;
mod revocations;
mod watch;

pub use connection::{Connection, Login};
pub use documents::Pushed;
pub use error::BucketError;
pub use watch::{News, watch};
