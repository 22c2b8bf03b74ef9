import { EventEmitter } from "node:events";
import type { Audience } from "./selector.js";

/**
 * Which of the sessions that are attached here are in which rooms: what a Socket.IO adapter is for one process. It emits
 * `create-room`, `join-room`, `leave-room` and `delete-room` as that does.
 */
export class Mirror extends EventEmitter {
  readonly rooms = new Map<string, Set<string>>();
  readonly sids = new Map<string, Set<string>>();
  private readonly users = new Map<string, Set<string>>();

  add(session: string, rooms: Iterable<string>): void {
    const own = setOf(this.sids, session);
    for (const room of rooms) {
      if (own.has(room)) continue;
      own.add(room);
      if (!this.rooms.has(room)) {
        this.rooms.set(room, new Set());
        this.emit("create-room", room);
      }
      this.rooms.get(room)!.add(session);
      this.emit("join-room", room, session);
    }
  }

  remove(session: string, room: string): void {
    if (!this.sids.get(session)?.delete(room)) return;
    this.leave(session, room);
  }

  removeAll(session: string): void {
    for (const room of this.sids.get(session) ?? []) this.leave(session, room);
    this.sids.delete(session);
  }

  isOf(session: string, user: string): void {
    setOf(this.users, user).add(session);
  }

  isOfNobody(session: string, user: string): void {
    const sessions = this.users.get(user);
    if (sessions?.delete(session) && sessions.size === 0) this.users.delete(user);
  }

  /** The attached sessions that are selected. */
  select({ rooms, except, users }: Audience): Set<string> {
    const selected = new Set<string>();
    if (rooms.size === 0 && users.size === 0) for (const session of this.sids.keys()) selected.add(session);
    for (const room of rooms) for (const session of this.rooms.get(room) ?? []) selected.add(session);
    for (const user of users) for (const session of this.users.get(user) ?? []) selected.add(session);
    for (const room of except) for (const session of this.rooms.get(room) ?? []) selected.delete(session);
    return selected;
  }

  private leave(session: string, room: string): void {
    const members = this.rooms.get(room);
    if (!members?.delete(session)) return;
    this.emit("leave-room", room, session);
    if (members.size === 0) {
      this.rooms.delete(room);
      this.emit("delete-room", room);
    }
  }
}

function setOf(map: Map<string, Set<string>>, key: string): Set<string> {
  let set = map.get(key);
  if (!set) {
    set = new Set();
    map.set(key, set);
  }
  return set;
}
