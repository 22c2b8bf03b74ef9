/** Faults that are described, of each kind: the first say enough. */
const DESCRIBED = 5;

/**
 * What the records of a crowd show: `members` are those of `Ledger`, `publishers` those of
 * `Publisher`. Pure.
 *
 * | figure | |
 * | --- | --- |
 * | `lost` | deliveries of acknowledged messages that a member never got; what a client was told to be gone (`gaps`) is not among them |
 * | `repeated` | deliveries of a message that the member had had already, by its position or by its number |
 * | `disordered` | deliveries behind a later one of the same room or publisher |
 * | `misplaced` | acknowledgements with another offset than the message has |
 * | `told` | returns with `recovered: false` |
 * | `gaps` | joins that could not make good what was missed |
 * | `disconnects`, `moves` | connections lost, in all and by the client that lost most |
 * | `reasons` | how often which kind of client lost its connection for which reason, or was refused with which code |
 * | `back` | p50, p99 and max of the time from a loss until the client is in all its rooms, in ms |
 * | `slowest` | a sentence about each of those that took longest to be back |
 * | `leftOut` | clients that are not back in the end |
 * | `acked`, `refused`, `longest` | of the publishers: messages, refusals and missing answers by code, and the slowest acknowledgement in ms |
 * | `faults` | sentences about the first of each kind |
 */
export function judge({ members, publishers }) {
  const faults = new Faults();
  const messages = acknowledged(publishers);
  for (const member of members) {
    judgeDeliveries(member, messages, faults);
    if (member.away) faults.add("leftOut", () => `${member.name} is not back: ${JSON.stringify(member.events.slice(-3))}`);
  }
  const events = members.flatMap((member) => member.events);
  const losses = members.map((member) => member.events.filter(({ type }) => type === "lost").length);
  return {
    clients: members.length,
    delivered: members.reduce((sum, member) => sum + member.messages.length, 0),
    ...faults.counts,
    told: events.filter(({ type, recovered }) => type === "back" && !recovered).length,
    gaps: events.filter(({ type }) => type === "gap").length,
    disconnects: losses.reduce((sum, count) => sum + count, 0),
    moves: Math.max(0, ...losses),
    reasons: reasonsOf(members),
    back: quantiles(members.flatMap(absences)),
    slowest: slowest(members),
    ...published(publishers),
    faults: faults.sentences,
  };
}

/** Counts faults by kind and describes the first of each. */
class Faults {
  counts = { lost: 0, repeated: 0, disordered: 0, misplaced: 0, leftOut: 0 };
  sentences = [];

  add(kind, describe) {
    this.counts[kind] += 1;
    if (this.counts[kind] <= DESCRIBED) this.sentences.push(`${kind}: ${describe()}`);
  }
}

/** The offsets of acknowledged messages, by room and by `publisher:n`. */
function acknowledged(publishers) {
  const rooms = new Map();
  for (const { name, acked } of publishers) {
    for (const [room, n, offset] of acked) {
      if (!rooms.has(room)) rooms.set(room, new Map());
      rooms.get(room).set(`${name}:${n}`, offset);
    }
  }
  return rooms;
}

function judgeDeliveries(member, messages, faults) {
  const gaps = new Set(member.events.filter(({ type }) => type === "gap").map(({ room }) => room));
  for (const room of member.rooms) {
    const deliveries = member.messages.filter(([of]) => of === room);
    judgeOrder(member, room, deliveries, faults);
    const offsets = new Map(deliveries.map(([, by, n, offset]) => [`${by}:${n}`, offset]));
    for (const [key, offset] of messages.get(room) ?? []) {
      const got = offsets.get(key);
      if (got === undefined && !gaps.has(room)) faults.add("lost", () => describeLoss(member, room, key, offset, deliveries));
      if (got !== undefined && got !== offset) faults.add("misplaced", () => `${key} of ${room} was acknowledged at ${offset}, and ${member.name} got it at ${got}`);
    }
  }
}

/** What was lost, between what the member got before and after it, and what became of its connection. */
function describeLoss(member, room, key, offset, deliveries) {
  const before = deliveries.filter((delivery) => delivery[3] < offset).at(-1);
  const after = deliveries.find((delivery) => delivery[3] > offset);
  const at = (delivery) => (delivery ? `${delivery[3]} at ${delivery[4]}` : "nothing");
  return `${member.name} never got ${key} of ${room} at ${offset}, but ${at(before)} and then ${at(after)}; ${JSON.stringify(member.events)}`;
}

/** One pass over a room's deliveries: positions and each publisher's numbers have to grow. */
function judgeOrder(member, room, deliveries, faults) {
  const seen = new Set();
  const newest = new Map();
  for (const [, by, n, offset] of deliveries) {
    const what = () => `${member.name} got ${by}:${n} of ${room} at ${offset} after ${JSON.stringify([...newest])}; ${JSON.stringify(member.events)}`;
    if (seen.has(offset) || seen.has(`${by}:${n}`)) faults.add("repeated", what);
    else if (offset < (newest.get("offset") ?? 0) || n < (newest.get(by) ?? 0)) faults.add("disordered", what);
    seen.add(offset).add(`${by}:${n}`);
    newest.set("offset", Math.max(offset, newest.get("offset") ?? 0));
    newest.set(by, Math.max(n, newest.get(by) ?? 0));
  }
}

function reasonsOf(members) {
  const counts = {};
  for (const { kind, events } of members) {
    for (const { type, reason, code } of events.filter((event) => ["lost", "refused"].includes(event.type))) {
      const what = `${kind} ${type}: ${reason ?? code}`;
      counts[what] = (counts[what] ?? 0) + 1;
    }
  }
  return counts;
}

/** How long a client was away each time, from the first loss until it was back in all its rooms. */
function absences({ events }) {
  const times = [];
  let since;
  for (const { at, type } of events) {
    if (type === "lost") since ??= at;
    if (type !== "back" || since === undefined) continue;
    times.push(at - since);
    since = undefined;
  }
  return times;
}

/** Who was away longest, and what happened meanwhile. */
function slowest(members) {
  const longest = members.map((member) => [Math.max(0, ...absences(member)), member]).filter(([away]) => away > 0);
  longest.sort(([a], [b]) => b - a);
  return longest.slice(0, DESCRIBED).map(([away, { name, kind, events }]) => `${name} (${kind}) was away for ${away} ms: ${JSON.stringify(events)}`);
}

/** The 50th and 99th percentile (the nearest rank) and the largest of `values`. */
function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}

function published(publishers) {
  const refused = {};
  for (const [code, count] of publishers.flatMap((one) => Object.entries(one.refused))) {
    refused[code] = (refused[code] ?? 0) + count;
  }
  return {
    acked: publishers.reduce((sum, { acked }) => sum + acked.length, 0),
    open: publishers.reduce((sum, { open }) => sum + open.length, 0),
    refused,
    longest: Math.max(0, ...publishers.map(({ longest }) => longest)),
  };
}
