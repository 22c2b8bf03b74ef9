import { hostname } from "node:os";

/** How NATS is reached. All of it can be given to a worker thread. */
export interface NatsOptions {
  /** One or more addresses of NATS, such as `nats://nats:4222`. Else `SLUICE_SERVERS`, with commas between them. */
  servers?: string | string[];
  /** A file of credentials as `nsc` makes them, or what is in one. Else `SLUICE_CREDENTIALS`. */
  credentials?: string;
  /** A user and password. Else `SLUICE_USER` and `SLUICE_PASSWORD`, else those of the first address (`nats://user:password@nats`). */
  user?: string;
  password?: string;
  /** A token. Else `SLUICE_TOKEN`. */
  token?: string;
  /** Files of certificates, where NATS speaks TLS with some of its own. */
  tls?: { caFile?: string; certFile?: string; keyFile?: string };
}

/** Which application of which cluster this process is an instance of. */
export interface LinkOptions extends NatsOptions {
  /** The RealtimeCluster's name. Else `SLUICE_CLUSTER`. */
  cluster?: string;
  /** The Kubernetes namespace that the RealtimeCluster is in. Else `SLUICE_KUBERNETES_NAMESPACE`, else `default`. */
  kubernetesNamespace?: string;
  /** A name of `spec.applications` of the RealtimeCluster. Else `SLUICE_APPLICATION`. */
  application?: string;
  /** The process's name for people. Else `SLUICE_NAME`, else the host's, which is the pod's on Kubernetes. */
  name?: string;
  /** The zone that the process is in: gateways prefer instances of their own. Else `SLUICE_ZONE`. */
  zone?: string;
}

/** The options with what the environment says of the rest. */
export interface Place extends NatsOptions {
  readonly servers: string[];
  readonly cluster: string;
  readonly kubernetesNamespace: string;
  readonly application: string;
  readonly name: string;
  readonly zone: string | undefined;
}

export function placeOf(options: LinkOptions, environment = process.env): Place {
  const { credentials, user, password, token, tls } = options;
  const servers = options.servers ?? environment.SLUICE_SERVERS ?? "nats://127.0.0.1:4222";
  const addresses = typeof servers === "string" ? servers.split(",").map((server) => server.trim()) : servers;
  const login = loginOf(addresses);
  return {
    servers: addresses.map((address) => address.replace(/^([a-z]+:\/\/)?[^@/]*@/, "$1")),
    credentials: credentials ?? environment.SLUICE_CREDENTIALS,
    user: user ?? environment.SLUICE_USER ?? login?.user,
    password: password ?? environment.SLUICE_PASSWORD ?? login?.password,
    token: token ?? environment.SLUICE_TOKEN,
    tls,
    cluster: needed("cluster", "SLUICE_CLUSTER", options.cluster ?? environment.SLUICE_CLUSTER),
    kubernetesNamespace: options.kubernetesNamespace ?? environment.SLUICE_KUBERNETES_NAMESPACE ?? "default",
    application: needed("application", "SLUICE_APPLICATION", options.application ?? environment.SLUICE_APPLICATION),
    name: options.name ?? environment.SLUICE_NAME ?? hostname(),
    zone: options.zone ?? environment.SLUICE_ZONE,
  };
}

/** The user and password that addresses name. */
function loginOf(addresses: readonly string[]): { user: string; password: string } | undefined {
  for (const address of addresses) {
    const match = /^(?:[a-z]+:\/\/)?([^:@/]+):([^@/]*)@/.exec(address);
    if (match) return { user: decodeURIComponent(match[1]!), password: decodeURIComponent(match[2]!) };
  }
  return undefined;
}

function needed(option: string, variable: string, value: string | undefined): string {
  if (value) return value;
  const what = option === "cluster" ? "the name of the RealtimeCluster" : "a name in its spec.applications";
  throw new Error(`The Server does not know its ${option}: give ${what} as the option ${option}, or as ${variable}.`);
}
