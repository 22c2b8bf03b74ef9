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
use sluice_codec::peer::Tell;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Tunnel,
    flow::{Broken, Flow},
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
    #[error("nothing was heard of the other gateway")]
    Silent,
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the stream failed: {0}")]
    Stream(#[from] io::Error),
}

/// Passes bytes on until either end is closed; `leftover` was read from the stream already.
/// `leave` is called when the gateway at the other end wants its client to move.
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
    pump.send(leftover, Instant::now());
    let end = poll_fn(|cx| pump.poll(cx)).await;
    if let End::Silent | End::Broken(_) = end {
        pump.tunnel.fleet.counters.broken.add();
    }
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
            Ok(()) if self.shut && self.flow.has_ended_here() => Poll::Ready(End::Finished),
            Ok(()) => Poll::Pending,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let now = Instant::now();
        self.hear(cx, now)?;
        self.write(cx, now)?;
        self.read(cx, now)?;
        if let Some(marks) = self.flow.answer(now) {
            let tunnel = self.tunnel.id;
            self.tunnel.tell(&Tell::Ack { tunnel, marks });
        }
        self.watch(cx, now)
    }

    /// What the other end tells.
    fn hear(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), End> {
        while let Poll::Ready(tell) = self.tunnel.told.poll_recv(cx) {
            match tell.ok_or(End::Silent)? {
                Tell::Data {
                    offset,
                    marks,
                    bytes,
                    ..
                } => {
                    self.flow.acknowledged(marks, now)?;
                    self.flow.data(offset, bytes.len(), now)?;
                    self.waiting.push_back(bytes);
                }
                Tell::Ack { marks, .. } => self.flow.acknowledged(marks, now)?,
                Tell::Fin { offset, .. } => self.flow.ended(offset, now)?,
                Tell::Leave { .. } => (self.leave)(),
                Tell::Reset { .. } => return Err(End::Reset),
                Tell::Abandoned { .. } | Tell::Beat => {}
            }
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
                let (tunnel, offset) = (self.tunnel.id, self.flow.end(now));
                self.tunnel.tell(&Tell::Fin { tunnel, offset });
                return Ok(());
            }
            self.send(buf.filled(), now);
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn send(&mut self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        let (offset, marks) = self.flow.send(bytes.len(), now);
        self.tunnel.tell(&Tell::Data {
            tunnel: self.tunnel.id,
            offset,
            marks,
            bytes: Bytes::copy_from_slice(bytes),
        });
    }

    /// Ends what is overdue, and has the task run when something will be due.
    fn watch(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), End> {
        if let Some(broken) = self.flow.overdue(now) {
            return Err(broken.into());
        }
        let Some(at) = self.flow.wake_at() else {
            self.timer = None;
            return Ok(());
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Ok(())
    }
}
