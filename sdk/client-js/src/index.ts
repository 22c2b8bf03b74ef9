/**
 * Rooms, history, presence and an outbox over Sluice.
 *
 * @packageDocumentation
 */
export { type AskOptions, Client, type ClientEvents, type ClientState } from "./client.js";
export type { Clock } from "./clock.js";
export type { PublishOptions } from "./core.js";
export type { TokenReason } from "./core/connection.js";
export type { RoomPhase } from "./core/membership.js";
export type { Item, OutboxLimits, Scope } from "./core/outbox.js";
export type { Answer, Data, Failure, Frame, Message, Meta, Push, Request } from "./core/wire.js";
export type { Off } from "./emitter.js";
export { SluiceError, UnauthorizedError } from "./errors.js";
export type { HistoryOptions } from "./history.js";
export type { ClientOptions } from "./options.js";
export type { Presence } from "./presence.js";
export type { Room, RoomState } from "./room.js";
export type { OutboxStore, Receipt, Settled } from "./sender.js";
export type { GetToken } from "./tokens.js";
export type { Link, Listener, Transport } from "./transport/transport.js";
export type { WebSocketClass, WebSocketLike } from "./transport/websocket.js";
