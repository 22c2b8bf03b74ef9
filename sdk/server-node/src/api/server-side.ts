import type { Link } from "../link/link.js";

/** How long other instances may take to answer, in ms, as Socket.IO's adapters have it. */
const PATIENCE = 5000;

const RESERVED: ReadonlySet<unknown> = new Set(["connect", "connection", "new_namespace"]);

interface Question {
  readonly missing: Set<string>;
  readonly responses: unknown[];
  readonly then: (error: Error | null, responses: unknown[]) => void;
  readonly timer: NodeJS.Timeout;
}

type Deliver = (namespace: string, event: [string, ...unknown[]]) => void;

/** What instances of an application emit to each other. NATS may lose some of it. */
export class ServerSideEmitter {
  private readonly open = new Map<number, Question>();
  private last = 0;

  constructor(
    private readonly link: () => Link,
    private readonly deliver: Deliver,
  ) {}

  /** Emits to all other instances. With a function as the last argument, those that are there are to answer. */
  emit(namespace: string, event: unknown[]): void {
    if (RESERVED.has(event[0])) throw new Error(`"${event[0]}" is a reserved event name`);
    const asks = typeof event.at(-1) === "function";
    const then = asks ? (event.pop() as Question["then"]) : undefined;
    const call = then && this.ask(then);
    if (then && call === undefined) return;
    this.link().tellPeers({ kind: "event", namespace, event, ...(call !== undefined && { call }) });
  }

  /** Takes what another instance says. */
  hear(message: Record<string, unknown>): void {
    const { kind, from, call, namespace, event, response } = message;
    if (typeof from !== "string") return;
    if (kind === "event" && typeof namespace === "string" && Array.isArray(event)) {
      const args = typeof call === "number" ? [...event, this.answerTo(from, call)] : event;
      this.deliver(namespace, args as [string, ...unknown[]]);
    }
    if (kind === "answer" && typeof call === "number") this.answered(call, from, response);
  }

  /** Opens a question, unless nobody is there to answer it. */
  private ask(then: Question["then"]): number | undefined {
    const missing = new Set(this.link().otherInstances());
    if (missing.size === 0) {
      process.nextTick(then, null, []);
      return undefined;
    }
    const call = ++this.last;
    const asked = missing.size;
    const timer = setTimeout(() => {
      this.open.delete(call);
      const { responses } = question;
      const some = `only ${responses.length} responses received out of ${asked}`;
      then(new Error(`timeout reached: ${some}`), responses);
    }, PATIENCE);
    const question: Question = { missing, responses: [], then, timer };
    this.open.set(call, question);
    return call;
  }

  private answered(call: number, from: string, response: unknown): void {
    const question = this.open.get(call);
    if (!question?.missing.delete(from)) return;
    question.responses.push(response);
    if (question.missing.size > 0) return;
    clearTimeout(question.timer);
    this.open.delete(call);
    question.then(null, question.responses);
  }

  private answerTo(instance: string, call: number): (response: unknown) => void {
    let answered = false;
    return (response) => {
      if (answered) return;
      answered = true;
      this.link().tellPeers({ kind: "answer", call, response }, instance);
    };
  }
}
