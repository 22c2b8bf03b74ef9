import { readFileSync } from "node:fs";

const PAGE = new URL("../../../README.md", import.meta.url);

/** The YAML that README.md has its readers apply to a Kubernetes cluster: the block that names managed NATS. */
export function firstFleet() {
  const blocks = [...readFileSync(PAGE, "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);
  const found = blocks.find((text) => text.includes("managed:"));
  if (!found) throw new Error("README.md has no RealtimeCluster over managed NATS");
  return found;
}
