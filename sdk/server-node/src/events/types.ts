/** The events of one direction: their names, and the listeners that take them. */
export interface EventsMap {
  [event: string]: any;
}

/** Any events with any arguments, where a program names none. */
export interface DefaultEventsMap {
  [event: string]: (...args: any[]) => void;
}

export type EventNames<Events extends EventsMap> = keyof Events & (string | symbol);

/** The arguments that an event is emitted with. */
export type EventParams<Events extends EventsMap, Name extends EventNames<Events>> = Parameters<Events[Name]>;

/** The listener of an event: that of the library's own events before that of the program's. */
export type EventListener<Own extends EventsMap, Events extends EventsMap, Name extends string | symbol> =
  Name extends EventNames<Own>
    ? Own[Name]
    : Name extends EventNames<Events>
      ? Events[Name] extends (...args: any[]) => void
        ? Events[Name]
        : (...args: any[]) => void | Promise<void>
      : never;

type Last<List extends any[]> = List extends [...any[], infer Item] ? Item : any;
type AllButLast<List extends any[]> = List extends [...infer Items, any] ? Items : any[];

/** The names of events whose last argument is an acknowledgement's function. */
export type EventNamesWithAck<Events extends EventsMap> = {
  [Name in EventNames<Events>]: Last<EventParams<Events, Name>> extends (...args: any[]) => any ? Name : never;
}[EventNames<Events>];

/** The arguments before the acknowledgement's function. */
export type ParamsBeforeAck<Events extends EventsMap, Name extends EventNames<Events>> = AllButLast<
  EventParams<Events, Name>
>;

/** What an acknowledgement brings: the first argument of its function. */
export type AckOf<Events extends EventsMap, Name extends EventNames<Events>> =
  Last<EventParams<Events, Name>> extends (...args: infer Args) => any
    ? Args extends [infer First, ...any[]]
      ? First
      : any
    : any;

/** The same events with an error before what their acknowledgements bring: what a `timeout` makes of them. */
export type WithTimeout<Events extends EventsMap> = {
  [Name in keyof Events]: Events[Name] extends (...args: infer Params) => infer Result
    ? (...args: TimedParams<Params>) => Result
    : Events[Name];
};

type TimedParams<Params extends any[]> = Params extends [...infer Before, infer Ack]
  ? Ack extends (...args: infer Args) => infer Result
    ? [...Before, (err: Error, ...args: Args) => Result]
    : Params
  : Params;

/** The same events, whose acknowledgements bring an error or the answers of all: what a broadcast makes of them. */
export type ToMany<Events extends EventsMap> = {
  [Name in keyof Events]: Events[Name] extends (...args: infer Params) => infer Result
    ? (...args: ParamsToMany<Params>) => Result
    : Events[Name];
};

type ParamsToMany<Params extends any[]> = Params extends [...infer Before, infer Ack]
  ? Ack extends (...args: infer Args) => infer Result
    ? [...Before, (err: BroadcastError, responses: Args extends [infer First, ...any[]] ? First[] : any[]) => Result]
    : Params
  : Params;

/** Not all have answered in time. */
export interface BroadcastError extends Error {
  /** The answers that there are. */
  responses?: any[];
  /** The ids of the sessions that did not answer, as far as their gateways have said. */
  missing?: string[];
}
