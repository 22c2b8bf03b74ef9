//! The crate socketioxide with the two events the load generator uses, at its defaults.
//!
//! `socketioxide-bench PORT`

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use socketioxide::handler::ConnectHandler;

/// Packets a connection may owe. The default of 128 drops deliveries when the open loop
/// saturates the server, and a benchmark that loses messages compares nothing.
const MAX_BUFFER: usize = 16_384;

/// Registers the events before the client learns that it is connected. A connect handler runs
/// after that, and loses the events of a client that speaks at once.
async fn register(socket: SocketRef) -> Result<(), Infallible> {
    socket.on(
        "join",
        async |socket: SocketRef, Data(room): Data<String>, ack: AckSender| {
            socket.join(room);
            ack.send(&json!({"ok": true})).ok();
        },
    );
    socket.on("publish", publish);
    Ok(())
}

async fn publish(
    io: SocketIo,
    Data((room, event, data)): Data<(String, String, Value)>,
    ack: AckSender,
) {
    io.to(room).emit(event, &data).await.ok();
    ack.send(&json!({"ok": true})).ok();
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args()
        .nth(1)
        .ok_or("usage: socketioxide-bench PORT")?
        .parse()?;
    let (layer, io) = SocketIo::builder()
        .ping_interval(Duration::from_secs(25))
        .ping_timeout(Duration::from_secs(20))
        .max_buffer_size(MAX_BUFFER)
        .build_layer();
    io.ns("/", (async || {}).with(register));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, axum::Router::new().layer(layer)).await?;
    Ok(())
}
