//! How long something is done before others run.

use std::{cell::Cell, future::Future as _, pin::pin, task::Context, time::Duration};

use tokio::{sync::Mutex, task::yield_now};

/// How long it is done at a time.
const SLICE: Duration = Duration::from_micros(500);

/// Something that clients can have a worker do as often as they like, such as checks of signatures.
///
/// It is done in slices of half a millisecond, in the order in which it was asked for. Between two of
/// them whatever else is ready has its turn, so that others wait for one slice, however much was asked
/// for by however many.
#[derive(Debug, Default)]
pub struct Slices {
    line: Mutex<()>,
    /// How much of the current slice is spent.
    spent: Cell<Duration>,
}

impl Slices {
    /// Waits for a turn: not at all, unless the slice is spent or others wait for the next one.
    /// Whoever has it is to do its part before it waits for anything, and to say how long that took.
    pub async fn turn(&self) {
        let _first = match self.line.try_lock() {
            Ok(first) => first,
            Err(_) => self.line.lock().await,
        };
        if self.spent.get() >= SLICE {
            yield_now().await;
            self.spent.set(Duration::ZERO);
        }
    }

    /// So much of the slice was spent.
    pub fn spend(&self, time: Duration) {
        self.spent.set(self.spent.get() + time);
    }
}

/// Has the current task run again once others have. Where it woke itself it would run dozens of times
/// before the runtime looks whose sockets have become ready.
pub fn wake_after_others(cx: &mut Context<'_>) {
    let _ = pin!(yield_now()).poll(cx);
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, rc::Rc, task::Poll};

    use futures_util::FutureExt as _;
    use tokio::{net::UnixStream, runtime};

    use super::*;

    #[test]
    fn others_run_between_slices() {
        let builder = &mut runtime::Builder::new_current_thread();
        let runtime = builder.build_local(runtime::LocalOptions::default());
        runtime.unwrap().block_on(async {
            let (slices, done) = (Rc::new(Slices::default()), Rc::new(Cell::new(0)));
            for _ in 0..20 {
                let (slices, done) = (Rc::clone(&slices), Rc::clone(&done));
                tokio::task::spawn_local(async move {
                    slices.turn().await;
                    slices.spend(SLICE);
                    done.set(done.get() + 1);
                });
            }
            let mut seen = 0;
            while seen < 20 {
                yield_now().await;
                assert!(done.get() <= seen + 2, "{} after {seen}", done.get());
                seen = done.get();
            }
        });
    }

    #[test]
    fn a_task_that_goes_on_runs_a_few_times_until_a_socket_is_looked_at() {
        let builder = &mut runtime::Builder::new_current_thread();
        let builder = builder.enable_io();
        let runtime = builder.build_local(runtime::LocalOptions::default());
        runtime.unwrap().block_on(async {
            let runs = Rc::new(Cell::new(0));
            let counted = Rc::clone(&runs);
            let busy = tokio::task::spawn_local(poll_fn(move |cx| {
                counted.set(counted.get() + 1);
                wake_after_others(cx);
                Poll::<()>::Pending
            }));
            let (one, other) = UnixStream::pair().unwrap();
            for _ in 0..10 {
                one.writable().await.unwrap();
                let before = runs.get();
                one.try_write(b"x").unwrap();
                while other.try_read(&mut [0; 8]).is_err() {
                    other.readable().await.unwrap();
                }
                assert!(runs.get() <= before + 5, "{} after {before}", runs.get());
                yield_now().await;
            }
            busy.abort();
        });
    }

    #[test]
    fn nobody_waits_while_the_slice_lasts() {
        let slices = Slices::default();
        for _ in 0..5 {
            assert!(slices.turn().now_or_never().is_some());
            slices.spend(SLICE / 5);
        }
        assert!(slices.turn().now_or_never().is_none());
    }
}
