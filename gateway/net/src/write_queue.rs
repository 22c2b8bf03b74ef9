//! What a connection is owed.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use sluice_util::{Bound, Full, QueuedBytes};

/// More frames than this and a queue's memory is given back when it empties.
const KEEP: usize = 64;

/// A queue of frames, bounded in bytes, that owns no memory while it is empty.
#[derive(Debug, Default)]
pub(crate) struct WriteQueue {
    /// None while it is empty, so that they take one word of an idle connection.
    frames: Option<Box<Frames>>,
    queued: QueuedBytes,
}

/// The frames of a queue that is not empty.
#[derive(Debug, PartialEq)]
struct Frames(VecDeque<Bytes>);

impl Default for Frames {
    fn default() -> Self {
        Self(VecDeque::with_capacity(4))
    }
}

impl WriteQueue {
    /// Adds a frame, if it fits as [`QueuedBytes::admit`] says.
    pub(crate) fn push(
        &mut self,
        frame: Bytes,
        bound: Bound,
        spares: &mut Spares,
    ) -> Result<(), Full> {
        self.queued.admit(frame.len(), bound)?;
        self.append(frame, spares);
        Ok(())
    }

    /// Adds frames that are of no use without each other, if together they fit as
    /// [`QueuedBytes::admit`] says.
    pub(crate) fn push_all(
        &mut self,
        frames: impl Iterator<Item = Bytes> + Clone,
        bound: Bound,
        spares: &mut Spares,
    ) -> Result<(), Full> {
        let bytes = frames.clone().map(|frame| frame.len()).sum();
        self.queued.admit(bytes, bound)?;
        for frame in frames {
            self.append(frame, spares);
        }
        Ok(())
    }

    /// Adds a frame whatever the bound: the last one of a connection, or one that was let into
    /// another queue before.
    pub(crate) fn push_always(&mut self, frame: Bytes, spares: &mut Spares) {
        self.queued.add(frame.len());
        self.append(frame, spares);
    }

    fn append(&mut self, frame: Bytes, spares: &mut Spares) {
        if self.frames.is_none() {
            self.frames = spares.take();
        }
        self.frames.get_or_insert_default().0.push_back(frame);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.queued.bytes()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_none()
    }

    /// The bytes to write next: the first frame where it is alone or long, else as many frames as
    /// fit into `scratch`, copied there, so that they leave in one write.
    pub(crate) fn gather<'a>(&'a self, scratch: &'a mut [u8]) -> &'a [u8] {
        let Some((frames, first)) = self.frames.as_ref().zip(self.front()) else {
            return &[];
        };
        if frames.0.len() == 1 || first.len() * 2 > scratch.len() {
            return first;
        }
        let mut filled = 0;
        for frame in &frames.0 {
            let Some(space) = scratch.get_mut(filled..filled + frame.len()) else {
                break;
            };
            space.copy_from_slice(frame);
            filled += frame.len();
        }
        &scratch[..filled]
    }

    /// Takes `n` written bytes off the front.
    pub(crate) fn advance(&mut self, mut n: usize, spares: &mut Spares) {
        self.queued.remove(n);
        let Some(mut frames) = self.frames.take() else {
            return;
        };
        while let Some(first) = frames.0.front_mut() {
            if n < first.len() {
                first.advance(n);
                self.frames = Some(frames);
                return;
            }
            n -= first.len();
            frames.0.pop_front();
        }
        spares.give(frames);
    }

    /// Drops all but the first frame, which may have been written in part. Returns how many
    /// frames and bytes went.
    pub(crate) fn cut(&mut self) -> (usize, usize) {
        let Some(all) = &mut self.frames else {
            return (0, 0);
        };
        let frames = all.0.len() - 1;
        all.0.truncate(1);
        let left = self.front().map_or(0, Bytes::len);
        let bytes = self.queued.bytes() - left;
        self.queued.remove(bytes);
        (frames, bytes)
    }

    /// Drops everything; returns how many bytes went.
    pub(crate) fn clear(&mut self) -> usize {
        self.frames = None;
        self.queued.clear()
    }

    fn front(&self) -> Option<&Bytes> {
        self.frames.as_ref()?.0.front()
    }
}

/// Emptied queues of a worker, handed to the next connection that has something to say.
#[derive(Debug, Default)]
pub(crate) struct Spares(Vec<Option<Box<Frames>>>);

impl Spares {
    fn take(&mut self) -> Option<Box<Frames>> {
        self.0.pop().flatten()
    }

    fn give(&mut self, frames: Box<Frames>) {
        if frames.0.capacity() <= KEEP && self.0.len() < KEEP * KEEP {
            self.0.push(Some(frames));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(frames: &[&'static str]) -> (WriteQueue, Spares) {
        let (mut queue, mut spares) = (WriteQueue::default(), Spares::default());
        for frame in frames {
            queue
                .push(
                    Bytes::from_static(frame.as_bytes()),
                    Bound::of(100),
                    &mut spares,
                )
                .unwrap();
        }
        (queue, spares)
    }

    #[test]
    fn several_frames_leave_in_one_write() {
        let (queue, _) = queued(&["ab", "cd", "e"]);
        assert_eq!(queue.gather(&mut [0; 16]), b"abcde");
    }

    #[test]
    fn a_partial_write_goes_on_where_it_stopped() {
        let (mut queue, mut spares) = queued(&["ab", "cd"]);
        queue.advance(3, &mut spares);
        assert_eq!(queue.gather(&mut [0; 16]), b"d");
        assert_eq!(queue.bytes(), 1);
    }

    #[test]
    fn an_emptied_queue_owns_no_memory() {
        let (mut queue, mut spares) = queued(&["ab"]);
        queue.advance(2, &mut spares);
        assert!(queue.is_empty());
        assert_eq!(queue.frames, None);
    }

    #[test]
    fn a_full_queue_refuses_but_an_empty_one_takes_any_frame() {
        let (mut queue, mut spares) = (WriteQueue::default(), Spares::default());
        let mut push = |frame, bound| queue.push(Bytes::from_static(frame), bound, &mut spares);
        assert_eq!(push(b"long", Bound::of(2)), Ok(()));
        assert_eq!(push(b"x", Bound::strict(2)), Err(Full));
        assert_eq!(push(b"xy", Bound::of(2)), Ok(()));
        assert_eq!(push(b"x", Bound::of(2)), Err(Full));
    }

    #[test]
    fn frames_that_belong_together_are_taken_whole_or_not_at_all() {
        let (mut queue, mut spares) = queued(&[]);
        let frames = [b"head".as_slice(), b"tail"].map(Bytes::from_static);
        let all = || frames.clone().into_iter();
        assert_eq!(
            queue.push_all(all(), Bound::of(2), &mut spares),
            Ok(()),
            "nothing waits: their size does not matter"
        );
        assert_eq!(
            (
                queue.bytes(),
                queue.frames.as_ref().map_or(0, |frames| frames.0.len())
            ),
            (8, 2)
        );
        assert_eq!(
            queue.push_all(all(), Bound::strict(15), &mut spares),
            Err(Full)
        );
        assert_eq!(
            (
                queue.bytes(),
                queue.frames.as_ref().map_or(0, |frames| frames.0.len())
            ),
            (8, 2)
        );
        assert_eq!(
            queue.push_all(all(), Bound::strict(16), &mut spares),
            Ok(())
        );
    }

    #[test]
    fn a_cut_keeps_the_frame_that_is_being_written() {
        let (mut queue, mut spares) = queued(&["ab", "cd", "ef"]);
        queue.advance(1, &mut spares);
        assert_eq!(queue.cut(), (2, 4));
        assert_eq!(queue.gather(&mut [0; 16]), b"b");
    }
}
