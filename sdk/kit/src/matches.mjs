/** Whether `found` has all that `wanted` says; what it has beside that does not matter. `null` says: not there. */
export function matches(wanted, found) {
  if (wanted === null) return found === undefined || found === null;
  if (Array.isArray(wanted)) return Array.isArray(found) && wanted.length === found.length && wanted.every((each, at) => matches(each, found[at]));
  if (typeof wanted !== "object") return wanted === found;
  return typeof found === "object" && found !== null && Object.entries(wanted).every(([name, each]) => matches(each, found[name]));
}
