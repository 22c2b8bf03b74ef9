import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../client/support/ports.mjs";
import { Program } from "../../client/support/process.mjs";
import { until } from "../../client/support/wait.mjs";
import { program } from "../../support/programs.mjs";

/** What promtool says of a file of rules; rejects with it if it finds a fault. */
export function checkRules(path) {
  return execFileSync(program("promtool"), ["check", "rules", "--lint=all", path], { encoding: "utf8", stdio: "pipe" });
}

/** A Prometheus that scrapes every second and evaluates rules. */
export class Prometheus {
  /** `targets` are `{address, labels}`, `rules` the path of a file. */
  static async start(targets, rules) {
    const prometheus = new Prometheus();
    prometheus.folder = await mkdtemp(join(tmpdir(), "sluice-prometheus-"));
    const [port] = await freePorts(1);
    prometheus.url = `http://127.0.0.1:${port}`;
    const config = join(prometheus.folder, "prometheus.yml");
    await writeFile(config, JSON.stringify({
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "5s" },
      rule_files: [rules],
      scrape_configs: [{ job_name: "sluice", static_configs: targets.map(({ address, labels }) => ({ targets: [address], labels })) }],
    }));
    prometheus.program = new Program(program("prometheus"), [
      `--config.file=${config}`, `--storage.tsdb.path=${join(prometheus.folder, "data")}`, `--web.listen-address=127.0.0.1:${port}`,
    ]);
    await until("Prometheus to be ready", async () => {
      if (!prometheus.program.running) throw new Error(`Prometheus ended:\n${prometheus.program.output}`);
      return fetch(`${prometheus.url}/-/ready`).then((answer) => answer.ok, () => false);
    });
    return prometheus;
  }

  /** The series that a query gives now, as `{metric, value}`; rejects if it cannot be understood. */
  async query(query) {
    const { result } = await this.#ask(`/api/v1/query?query=${encodeURIComponent(query)}`);
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The values of a label of the series that `match` picks. */
  labelValues(label, match) {
    return this.#ask(`/api/v1/label/${label}/values?match[]=${encodeURIComponent(match)}`);
  }

  /** The alerts that it has loaded, as `{name, query, labels, annotations}`. */
  async alerts() {
    const { groups } = await this.#ask("/api/v1/rules?type=alert");
    return groups.flatMap(({ rules }) => rules);
  }

  /** The targets, as `{labels, health, lastError}`. */
  async targets() {
    return (await this.#ask("/api/v1/targets?state=active")).activeTargets;
  }

  async stop() {
    await this.program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #ask(path) {
    const answer = await (await fetch(this.url + path)).json();
    if (answer.status !== "success") throw new Error(`Prometheus refused ${decodeURIComponent(path)}: ${answer.error}`);
    return answer.data;
  }
}
