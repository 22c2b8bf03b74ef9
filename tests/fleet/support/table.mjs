/** The columns of a verdict's row: title, width, value. */
const COLUMNS = [
  ["clients", 7, ({ clients }) => clients],
  ["acked", 6, ({ acked }) => acked],
  ["refused", 7, ({ refused }) => Object.values(refused).reduce((sum, count) => sum + count, 0)],
  ["ack max", 8, ({ longest }) => `${longest} ms`],
  ["delivered", 9, ({ delivered }) => delivered],
  ["lost", 4, ({ lost }) => lost],
  ["twice", 5, ({ repeated }) => repeated],
  ["order", 5, ({ disordered, misplaced }) => disordered + misplaced],
  ["disconnects", 11, ({ disconnects }) => disconnects],
  ["moves", 5, ({ moves }) => moves],
  ["told", 4, ({ told }) => told],
  ["gaps", 4, ({ gaps }) => gaps],
  ["left out", 8, ({ leftOut }) => leftOut],
  ["back p50/p99/max", 20, ({ back }) => (back.count ? `${back.p50}/${back.p99}/${back.max} ms` : "-")],
];
const NAME = 44;

/** A line of the table for a scenario's verdict; without one, the table's head. */
export function row(name = "scenario", verdict) {
  const cells = COLUMNS.map(([title, width, value]) => String(verdict ? value(verdict) : title).padStart(width));
  return [name.padEnd(NAME), ...cells].join("  ");
}
