//! What comes from instances: beats, and the frames of their streams.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use sluice_contract::application::{Frame, FrameKind, InstanceBeat, Read};
use sluice_util::lock;

use super::Application;
use crate::{Arrival, Cast, Instance, counters::add, handle::worker_of, sorted::Sorted};

impl Application {
    pub(super) fn heard(&self, payload: &[u8], now: Instant) {
        let Some(beat) = InstanceBeat::decode(payload) else {
            return add(&self.counters.malformed);
        };
        let (id, leaving) = (beat.instance.clone(), beat.leaving);
        let mut state = lock(&self.state);
        let (took, left) = (state.roster.takes(&id), state.roster.leaves(&id));
        let fate = state.roster.heard(beat, now);
        let open = state
            .instances
            .get(&id)
            .filter(|it| it.ends().greeted)
            .cloned();
        drop(state);
        match (fate, open) {
            (Some(fate), _) => self.end_of(&id, fate),
            (None, Some(instance)) if leaving && !left => {
                self.deliver_to_all(&Arrival::Leaving(instance));
            }
            (None, Some(_)) if !leaving && !took => self.present(),
            // A gateway that a new instance does not know yet says at once that it is there.
            (None, None) if !took && !left => self.beat(false),
            (None, _) => {}
        }
    }

    pub(super) fn framed(&self, message: &Bytes, now: Instant) {
        let Some(frame) = Frame::decode(message) else {
            return add(&self.counters.malformed);
        };
        let Some(instance) = self.of_frame(&frame) else {
            if frame.kind != FrameKind::Reset {
                add(&self.counters.strays);
                let line = Frame::line(FrameKind::Reset, &self.gateway, (frame.stream, 0, 0));
                self.publish(&self.names.to(frame.sender), line.as_bytes());
            }
            return;
        };
        if frame.kind == FrameKind::Reset {
            return self.end_stream(&instance, "it does not know the stream any more");
        }
        let mut ends = instance.ends();
        let taken = ends.stream.take(&frame, now);
        drop(ends);
        if let Some(piece) = taken {
            self.take(&instance, &piece, now);
        }
        instance.send_soon();
    }

    /// Whose stream a frame belongs to, one that it opens among them.
    fn of_frame(&self, frame: &Frame<'_>) -> Option<Arc<Instance>> {
        let known = lock(&self.state).instances.get(frame.sender).cloned();
        let opens = frame.kind == FrameKind::Data && frame.seq == 1;
        match known {
            Some(known) if known.number() == frame.stream => Some(known),
            Some(known) if known.number() > frame.stream || !opens => None,
            None if !opens => None,
            known => {
                if let Some(known) = known {
                    self.end_stream(&known, "it has opened another one");
                }
                let key = (frame.sender, frame.stream);
                let subject = self.names.to(frame.sender);
                let instance = Instance::new(key, &self.name, subject, &self.wake, &self.counters);
                let mut state = lock(&self.state);
                state
                    .instances
                    .insert(frame.sender.into(), Arc::clone(&instance));
                Some(instance)
            }
        }
    }

    fn take(&self, instance: &Arc<Instance>, piece: &[u8], now: Instant) {
        instance.ends().entries.put(piece);
        let mut arrivals = Sorted::new(self.sockets.count());
        loop {
            let next = instance.ends().entries.next();
            let fine = match next {
                Ok(None) => break,
                Ok(Some(entry)) => self.entry(instance, entry, &mut arrivals, now),
                Err(_) => false,
            };
            if !fine {
                add(&self.counters.malformed);
                arrivals.deliver(&*self.sockets);
                return self.end_stream(instance, "what it says cannot be read");
            }
        }
        arrivals.deliver(&*self.sockets);
    }

    /// Whether the stream can go on behind this entry.
    fn entry(
        &self,
        instance: &Arc<Instance>,
        entry: Read,
        arrivals: &mut Sorted,
        now: Instant,
    ) -> bool {
        add(&self.counters.heard);
        let greeted = instance.ends().greeted;
        match entry.kind() {
            "hello" if !greeted => return self.greet(instance, &entry),
            _ if !greeted => return false,
            "accept" | "refuse" | "ack" | "emit" | "join" | "leave" | "data" | "close"
            | "released" => {
                let Some(handle) = entry.number(0) else {
                    return false;
                };
                let (seq, mark) = self.log_said(handle, &entry, now);
                arrivals.add(worker_of(handle), || Arrival::Said {
                    instance: Arc::clone(instance),
                    handle,
                    entry,
                    seq,
                    mark,
                });
            }
            "cast" | "joins" | "leaves" | "closes" | "list" => {
                let Some(cast) = Cast::of(instance, &entry) else {
                    return false;
                };
                let cast = self.log_cast(cast, now);
                arrivals.add_to_all(&Arrival::Cast(cast));
            }
            _ => add(&self.counters.newer),
        }
        true
    }
}
