import { readFileSync } from "node:fs";

const PAGE = new URL("../../../README.md", import.meta.url);

/** The documents that README.md has its readers give to kubectl: those of `first.yaml`, with the RealtimeCluster of the fleet. */
export function firstFleet() {
  const [single, fleet] = [...readFileSync(PAGE, "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);
  const rest = single.split(/^---$/m).filter((document) => !document.includes("kind: RealtimeCluster"));
  return [fleet, ...rest].join("---\n");
}
