/** The text of a module with all that it imports, for a worker thread: see `scripts/build.mjs`. */
declare module "*?text" {
  const text: string;
  export default text;
}
