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

type IsAny<Type> = 0 extends 1 & Type ? true : false;
type AnyFunction = (...args: any[]) => any;
type Last<List extends any[]> = List extends [] ? undefined : List extends [...any[], infer Item] ? Item : any;
type AllButLast<List extends any[]> = List extends [...infer Items, any] ? Items : any[];
type LastParam<Events extends EventsMap, Name extends EventNames<Events>> = Last<EventParams<Events, Name>>;

/** The names of events whose last argument is an acknowledgement's function. */
export type EventNamesWithAck<Events extends EventsMap> = {
  [Name in EventNames<Events>]: IsAny<LastParam<Events, Name>> extends true
    ? Name
    : LastParam<Events, Name> extends AnyFunction
      ? Name
      : never;
}[EventNames<Events>];

/** The names of events that need no acknowledgement: without a time, many are not asked for one. */
export type EventNamesWithoutAck<Events extends EventsMap> = {
  [Name in EventNames<Events>]: IsAny<LastParam<Events, Name>> extends true
    ? Name
    : LastParam<Events, Name> extends AnyFunction
      ? never
      : Name;
}[EventNames<Events>];

/** The names of events whose acknowledgement may bring an error, since it has a time. */
export type EventNamesWithError<Events extends EventsMap> = {
  [Name in EventNamesWithAck<Events>]: IsAny<LastParam<Events, Name>> extends true
    ? Name
    : LastParam<Events, Name> extends (...args: infer Args) => any
      ? Args extends [infer First, ...any[]]
        ? First extends Error
          ? Name
          : never
        : never
      : never;
}[EventNamesWithAck<Events>];

/** The arguments before the acknowledgement's function. */
export type ParamsBeforeAck<Events extends EventsMap, Name extends EventNames<Events>> = AllButLast<
  EventParams<Events, Name>
>;

/** What an acknowledgement brings: the first argument of its function that is no error. */
export type AckOf<Events extends EventsMap, Name extends EventNames<Events>> =
  LastParam<Events, Name> extends (...args: infer Args) => any ? FirstResult<Args> : any;

type FirstResult<Args extends any[]> =
  IsAny<Args[0]> extends true
    ? any
    : Args extends [Error, infer Second, ...any[]]
      ? Second
      : Args extends [Error] | []
        ? undefined
        : Args[0];

/** The same events with an error before what their acknowledgements bring: what a `timeout` makes of them. */
export type WithTimeout<Events extends EventsMap> = {
  [Name in keyof Events]: WithAck<Events[Name], "timed">;
};

/** The same events, whose acknowledgements bring the answers of all: what a broadcast makes of them. */
export type ToMany<Events extends EventsMap> = {
  [Name in keyof Events]: WithAck<Events[Name], "many">;
};

type WithAck<Emit, How extends "timed" | "many"> = Emit extends (...args: infer Params) => infer Result
  ? Params extends [...infer Before, infer Ack]
    ? Ack extends (...args: infer Args) => infer AckResult
      ? (...args: [...Before, (...args: How extends "timed" ? Timed<Args> : Many<Args>) => AckResult]) => Result
      : Emit
    : Emit
  : Emit;

type Timed<Args extends any[]> =
  IsAny<Args[0]> extends true ? Args : Args extends [Error, ...any[]] ? Args : [err: Error, ...Args];

type Many<Args extends any[]> =
  IsAny<Args[0]> extends true
    ? Args
    : Args extends [Error, infer Second, ...any[]]
      ? [err: Error, responses: Second[]]
      : Args extends [Error] | []
        ? Args
        : Args extends [infer First, ...any[]]
          ? [responses: First[]]
          : any[];

/** Not all have answered in time. */
export interface BroadcastError extends Error {
  /** The answers that there are. */
  responses?: any[];
  /** The ids of the sessions that did not answer, as far as their gateways have said. */
  missing?: string[];
}
