import type { Listed } from "../core/list.js";
import type { EventNames, EventParams, EventsMap, WithTimeout } from "../events/types.js";
import type { BroadcastOperator, Room } from "./broadcast-operator.js";
import { type Handshake, handshakeOf } from "./handshake.js";

/** A session that is attached to another instance, as it was when it was asked for. */
export class RemoteSocket<Emit extends EventsMap, SocketData> {
  readonly id: string;
  readonly handshake: Handshake;
  readonly rooms: Set<Room>;
  /** The session's data as it was then. */
  readonly data: SocketData;
  /** The subject of its token, where it has one. */
  readonly user: string | undefined;
  /** About how much of memory this is. */
  readonly bytes: number;
  private readonly operator: BroadcastOperator<Emit, SocketData>;

  constructor(one: (session: string) => BroadcastOperator<Emit, SocketData>, listed: Listed) {
    this.id = listed.session;
    this.handshake = handshakeOf(listed);
    this.rooms = new Set([listed.session, ...listed.rooms]);
    this.data = listed.data as SocketData;
    this.user = listed.user;
    this.bytes = 500 + 2 * JSON.stringify(listed).length;
    this.operator = one(listed.session);
  }

  /** How long an acknowledgement is waited for, in ms. */
  timeout(timeout: number): BroadcastOperator<WithTimeout<Emit>, SocketData> {
    return this.operator.timeout(timeout);
  }

  emit<Name extends EventNames<Emit>>(name: Name, ...args: EventParams<Emit, Name>): boolean {
    return this.operator.emit(name, ...args);
  }

  join(room: Room | Room[]): void {
    this.operator.socketsJoin(room);
  }

  leave(room: Room): void {
    this.operator.socketsLeave(room);
  }

  /** Disconnects it from the namespace; with `close`, its connection as a whole. */
  disconnect(close = false): this {
    this.operator.disconnectSockets(close);
    return this;
  }
}
