import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "../../client/support/ports.mjs";
import { Program } from "../../client/support/process.mjs";
import { until } from "../../client/support/wait.mjs";
import { program } from "../../support/programs.mjs";

const run = promisify(execFile);
const TOKEN = "an-administrator-of-tests-only";
/** How long the API server may take to start, in milliseconds. */
const START = 120_000;

/** A real API server with its etcd, and no nodes: what is applied is checked and kept, and nothing runs. */
export class ApiServer {
  static async start() {
    const server = new ApiServer();
    server.folder = await mkdtemp(join(tmpdir(), "sluice-apiserver-"));
    await server.#start().catch((error) => server.stop().then(() => Promise.reject(error)));
    return server;
  }

  /** Runs kubectl or helm; resolves to what it prints, and rejects with what it says if it fails. */
  async run(name, args, input) {
    const running = run(program(name), args, { env: this.#env(), maxBuffer: 64 << 20 });
    if (input !== undefined) running.child.stdin.end(input);
    try {
      return (await running).stdout;
    } catch (error) {
      throw new Error(`${name} ${args.join(" ")}: ${error.stderr || error.message}`);
    }
  }

  kubectl(args, input) {
    return this.run("kubectl", args, input);
  }

  helm(...args) {
    return this.run("helm", args);
  }

  /** Whether a ServiceAccount may do something in a namespace, or in all without one, as the API server judges it. */
  async can(account, verb, what, namespace) {
    const [resource, subresource] = what.split("/");
    const [plural, ...group] = resource.split(".");
    const attributes = { verb, resource: plural, group: group.join("."), subresource, namespace };
    const [, , of] = account.split(":");
    const groups = ["system:authenticated", "system:serviceaccounts", `system:serviceaccounts:${of}`];
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user: account, groups, resourceAttributes: attributes },
    };
    const answer = await this.kubectl(["create", "-f", "-", "-o", "json"], JSON.stringify(review));
    return JSON.parse(answer).status.allowed;
  }

  async stop() {
    await this.server?.stop();
    await this.etcd?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #env() {
    const folders = ["cache", "config", "data"].map((name) => [`HELM_${name.toUpperCase()}_HOME`, join(this.folder, name)]);
    return { ...process.env, KUBECONFIG: join(this.folder, "kubeconfig"), HOME: this.folder, ...Object.fromEntries(folders) };
  }

  async #start() {
    const [clients, peers, secure] = await freePorts(3);
    const file = (name) => join(this.folder, name);
    this.etcd = new Program(program("etcd"), [
      "--data-dir", file("etcd"), "--unsafe-no-fsync",
      "--listen-client-urls", `http://127.0.0.1:${clients}`, "--advertise-client-urls", `http://127.0.0.1:${clients}`,
      "--listen-peer-urls", `http://127.0.0.1:${peers}`, "--initial-advertise-peer-urls", `http://127.0.0.1:${peers}`,
      "--initial-cluster", `default=http://127.0.0.1:${peers}`,
    ]);
    execFileSync("openssl", ["genrsa", "-out", file("accounts.key"), "2048"], { stdio: "pipe" });
    await writeFile(file("tokens.csv"), `${TOKEN},admin,admin,system:masters\n`);
    await writeFile(file("kubeconfig"), kubeconfig(secure));
    this.server = new Program(program("kube-apiserver"), [
      `--etcd-servers=http://127.0.0.1:${clients}`, `--secure-port=${secure}`, "--bind-address=127.0.0.1", `--cert-dir=${file("certificates")}`,
      `--service-account-key-file=${file("accounts.key")}`, `--service-account-signing-key-file=${file("accounts.key")}`,
      "--service-account-issuer=https://localhost", `--token-auth-file=${file("tokens.csv")}`, "--authorization-mode=RBAC",
      "--service-cluster-ip-range=10.96.0.0/16",
    ]);
    await until(() => `the API server\n${this.server.output.slice(-2000)}`, async () => {
      for (const one of [this.etcd, this.server]) if (!one.running) throw new Error(`it ended:\n${one.output.slice(-4000)}`);
      return this.kubectl(["get", "--raw", "/readyz"]).catch(() => undefined);
    }, START);
  }
}

function kubeconfig(port) {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    clusters: [{ name: "test", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "admin", user: { token: TOKEN } }],
  });
}
