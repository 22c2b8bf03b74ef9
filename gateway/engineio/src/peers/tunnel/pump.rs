//! The task at each end of a tunnel: it passes bytes on between a stream and the other end.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf as _, Bytes};
use sluice_codec::peer::{Marks, Tell};
use sluice_net::wake_after_others;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Told, Tunnel,
    flow::{Broken, Feedback, Flow, Frame},
};

/// As much as one read moves.
const READ: usize = 16 * 1024;

/// How often the task reads before it lets others run.
const READS_A_TURN: usize = 4;

/// Why a tunnel ended.
#[derive(Debug, Error)]
enum End {
    #[error("both directions were ended, one after the other")]
    Finished,
    #[error("the other end is gone")]
    Reset,
    #[error("the other gateway is gone")]
    Gone,
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the stream failed: {0}")]
    Stream(#[from] io::Error),
}

/// Passes bytes on until either end is closed or the other gateway is gone; `leftover` was read
/// from the stream already. `leave` is called when the gateway at the other end wants its client to
/// move.
pub(crate) async fn pump<S>(stream: S, tunnel: Tunnel, leftover: &[u8], leave: impl Fn())
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut pump = Pump {
        stream,
        tunnel,
        leave,
        flow: Flow::default(),
        waiting: VecDeque::new(),
        unflushed: false,
        shut: false,
        timer: None,
    };
    pump.flow.take(leftover);
    let end = poll_fn(|cx| pump.poll(cx)).await;
    let counters = &pump.tunnel.tunnels.counters;
    if let End::Gone | End::Broken(_) = end {
        counters.broken.add();
    }
    counters.sent_again.add_many(pump.flow.sent_again());
    tracing::debug!(tunnel = ?pump.tunnel, %end, "a tunnel between gateways ends");
    pump.tunnel.finished = matches!(end, End::Finished | End::Reset);
}

struct Pump<S, L> {
    stream: S,
    tunnel: Tunnel,
    leave: L,
    flow: Flow,
    /// What came from the other end and is not written yet.
    waiting: VecDeque<Bytes>,
    unflushed: bool,
    shut: bool,
    /// Only while something is due.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, L: Fn()> Pump<S, L> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.turn(cx) {
            Err(end) => Poll::Ready(end),
            Ok(()) if self.flow.is_finished() => Poll::Ready(End::Finished),
            Ok(()) => Poll::Pending,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let now = Instant::now();
        self.hear(cx, now)?;
        self.flow.tick(now)?;
        self.write(cx, now)?;
        self.read(cx, now)?;
        self.send(now);
        self.watch(cx, now);
        Ok(())
    }

    /// What the other end tells.
    fn hear(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), End> {
        while let Poll::Ready(told) = self.tunnel.told.poll_recv(cx) {
            match told.ok_or(End::Gone)? {
                Told::By(tell) => self.told(tell, now)?,
                Told::Remind => self.flow.remind(),
            }
        }
        Ok(())
    }

    fn told(&mut self, tell: Tell, now: Instant) -> Result<(), End> {
        match tell {
            Tell::Data {
                offset,
                marks,
                bytes,
                ..
            } => {
                self.flow.acknowledged(marks, now)?;
                let new = self.flow.data(offset, bytes, now)?;
                self.waiting.push_back(new);
            }
            Tell::Ack { marks, .. } => self.flow.acknowledged(marks, now)?,
            Tell::Missing { marks, .. } => self.flow.missing(marks, now)?,
            Tell::Fin { offset, .. } => self.flow.ended(offset, now)?,
            Tell::Leave { .. } => (self.leave)(),
            Tell::Reset { .. } if self.flow.settle() => {}
            Tell::Reset { .. } => return Err(End::Reset),
            Tell::Abandoned { .. } => {}
        }
        Ok(())
    }

    /// Writes what came, as far as the stream takes it.
    fn write(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), End> {
        while let Some(bytes) = self.waiting.front_mut() {
            if bytes.is_empty() {
                self.waiting.pop_front();
                continue;
            }
            let Poll::Ready(wrote) = Pin::new(&mut self.stream).poll_write(cx, bytes) else {
                return Ok(());
            };
            let wrote = match wrote? {
                0 => return Err(End::Stream(io::ErrorKind::WriteZero.into())),
                wrote => wrote,
            };
            bytes.advance(wrote);
            self.flow.wrote(wrote, now);
            self.unflushed = true;
        }
        if self.unflushed
            && let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            flushed?;
            self.unflushed = false;
        }
        if self.flow.has_all()
            && !self.shut
            && let Poll::Ready(shut) = Pin::new(&mut self.stream).poll_shutdown(cx)
        {
            shut?;
            self.shut = true;
            self.flow.shut(now);
        }
        Ok(())
    }

    /// Reads what the window has room for.
    fn read(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), End> {
        for _ in 0..READS_A_TURN {
            let room = self.flow.room().min(READ);
            if room == 0 {
                return Ok(());
            }
            let mut space = [MaybeUninit::uninit(); READ];
            let mut buf = ReadBuf::uninit(&mut space[..room]);
            let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, &mut buf) else {
                return Ok(());
            };
            read?;
            if buf.filled().is_empty() {
                self.flow.end(now);
                return Ok(());
            }
            self.flow.take(buf.filled());
        }
        wake_after_others(cx);
        Ok(())
    }

    /// Tells the other end all there is to tell.
    fn send(&mut self, now: Instant) {
        while let Some((frame, marks)) = self.flow.next(now) {
            self.tunnel.tell(&framed(self.tunnel.id, frame, marks));
        }
        if let Some(answer) = self.flow.feedback(now) {
            self.tunnel.tell(&answered(self.tunnel.id, answer));
        }
    }

    /// Has the task run when something will be due.
    fn watch(&mut self, cx: &mut Context<'_>, now: Instant) {
        let Some(at) = self.flow.wake_at() else {
            self.timer = None;
            return;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        // One that fires too early finds nothing due, and is set again.
        if timer.deadline() > at || timer.deadline() <= now {
            timer.as_mut().reset(at);
        }
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

fn framed(tunnel: u64, frame: Frame, marks: Marks) -> Tell {
    match frame {
        Frame::Data(offset, bytes) => Tell::Data {
            tunnel,
            offset,
            marks,
            bytes,
        },
        Frame::Fin(offset) => Tell::Fin { tunnel, offset },
    }
}

fn answered(tunnel: u64, answer: Feedback) -> Tell {
    match answer {
        Feedback::Ack(marks) => Tell::Ack { tunnel, marks },
        Feedback::Missing(marks) => Tell::Missing { tunnel, marks },
    }
}
