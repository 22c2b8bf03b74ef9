//! One connection while it lasts.

mod expiry;
mod farewell;
mod operations;
mod pause;
mod standby;

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{io::AsyncWriteExt as _, time::timeout};

use self::{
    expiry::Expiry, farewell::Farewell, operations::Operations, pause::Pause, standby::Standby,
};
use super::{
    Handler,
    dial::{Dialer, Established, Stream},
    protocol::encode,
    pulse::{Beat, Pulse},
    reader::Reader,
    servers::Servers,
    shared::Shared,
    writer::Writer,
};

/// How long a connection that is over may take to say so.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(1);

/// How a connection ended.
pub(super) struct Ended {
    /// Why, for people.
    pub(super) why: String,
    /// Because the link is closed.
    pub(super) closed: bool,
    /// The connection that takes its place.
    pub(super) next: Option<Established>,
}

/// One connection while it lasts: reads, writes, and gives what comes to the handler.
pub(super) struct Connection<'a, H> {
    shared: &'a Shared,
    stream: Box<dyn Stream>,
    reader: Reader,
    writer: Writer,
    pulse: Pulse,
    pause: Pause,
    farewell: Farewell,
    standby: Standby<'a>,
    expiry: Expiry,
    operations: Operations<'a, H>,
}

impl<'a, H: Handler> Connection<'a, H> {
    pub(super) fn new(
        shared: &'a Shared,
        dialer: &'a Dialer,
        servers: &'a mut Servers,
        handler: &'a mut H,
        established: Established,
    ) -> Self {
        let is_lame = established.info.lame_duck;
        let mut connection = Self {
            shared,
            stream: established.stream,
            reader: Reader::new(established.decoder, established.input),
            writer: Writer::default(),
            pulse: Pulse::new(dialer.options.ping_interval),
            pause: Pause::default(),
            farewell: Farewell::default(),
            standby: Standby::new(dialer),
            expiry: Expiry::new(&dialer.options.logins, established.expires),
            operations: Operations::new(shared, servers, handler, established.url),
        };
        if is_lame {
            connection.leave();
        }
        connection
    }

    /// The server wants its clients gone.
    fn leave(&mut self) {
        self.standby.start(self.operations.servers);
        self.operations.handler.lame_duck();
    }

    /// Runs until the connection ends.
    pub(super) async fn run(mut self) -> Ended {
        let ended = poll_fn(|cx| self.poll(cx)).await;
        // Whether the server hears of it or not, it is over.
        let _ = timeout(SHUTDOWN_WITHIN, self.stream.shutdown()).await;
        ended
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        match self.advance(cx) {
            Ok(poll) => poll,
            Err(why) => Poll::Ready(Ended {
                why: self.operations.complaint.take().unwrap_or(why),
                closed: self.shared.is_closing(),
                next: self.standby.take(),
            }),
        }
    }

    /// Does all that can be done now. The error says why the connection is lost.
    fn advance(&mut self, cx: &mut Context<'_>) -> Result<Poll<Ended>, String> {
        self.decode()?;
        loop {
            self.shared.register(cx);
            let written = self.writer.poll(cx, &mut self.stream, self.shared);
            let written = written.map_err(|error| broken(&error))?;
            if self.poll_questions(cx)? {
                continue;
            }
            if self.farewell.poll(cx, self.operations.pongs).is_ready() {
                return Ok(Poll::Ready(closed()));
            }
            if self.expiry.poll(cx).is_ready() {
                self.standby.start(self.operations.servers);
            }
            let ready = self.standby.poll(cx).is_ready();
            if ready && written.is_ready() {
                return Ok(Poll::Ready(self.switch()));
            }
            if !self.poll_read(cx)? {
                return Ok(Poll::Pending);
            }
        }
    }

    /// Asks the server whether it lives, or, at the end, whether it has everything. Whether there
    /// is something to write now.
    fn poll_questions(&mut self, cx: &mut Context<'_>) -> Result<bool, String> {
        let closing = self.shared.is_closing() && !self.farewell.is_said();
        if !closing {
            match self.pulse.poll(cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Beat::Stale) => return Err("the server is silent".to_owned()),
                Poll::Ready(Beat::Ask) => {}
            }
        }
        self.operations.pings += 1;
        self.shared.change(|outbox| outbox.operation(encode::PING));
        if closing {
            self.farewell.say(self.operations.pings);
        }
        Ok(true)
    }

    /// Reads once, unless the handler is full. Whether anything came.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<bool, String> {
        let handler = &*self.operations.handler;
        if self.pause.poll(cx, || handler.is_full()).is_pending() {
            // Its answers wait among what is not read.
            self.pulse.excuse();
            return Ok(false);
        }
        let Poll::Ready(read) = self.reader.poll_read(cx, &mut self.stream) else {
            return Ok(false);
        };
        let read = read.map_err(|error| broken(&error))?;
        if read == 0 {
            return Err("the server closed the connection".to_owned());
        }
        self.pulse.excuse();
        self.operations.read(read);
        self.decode()?;
        Ok(true)
    }

    fn decode(&mut self) -> Result<(), String> {
        while let Some(operation) = self.reader.next().map_err(|error| error.to_string())? {
            if let Some(info) = self.operations.apply(operation) {
                self.reader.set_max_payload(info.max_payload);
                if info.lame_duck {
                    self.leave();
                }
            }
        }
        Ok(())
    }

    fn switch(&mut self) -> Ended {
        Ended {
            why: "another connection takes its place, before the server or the login ends"
                .to_owned(),
            closed: false,
            next: self.standby.take(),
        }
    }
}

fn closed() -> Ended {
    Ended {
        why: "the link is closed".to_owned(),
        closed: true,
        next: None,
    }
}

fn broken(error: &io::Error) -> String {
    format!("the connection broke: {error}")
}
