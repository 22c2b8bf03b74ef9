let count = 0;

/** A name that no other test of this process uses: `kept-7` for the prefix `kept`. */
export function fresh(prefix) {
  count += 1;
  return `${prefix}-${count}`;
}
