/** How long a session that is to move waits for handlers to answer what they took, in ms. */
const PATIENCE = 10_000;

/** What a client asked and this instance has taken and not answered. */
export class Questions {
  private readonly open = new Set<string>();
  private whenNone: (() => void) | undefined;

  add(question: string): void {
    this.open.add(question);
  }

  /** It is answered. */
  close(question: string): void {
    this.open.delete(question);
    if (this.open.size === 0) this.whenNone?.();
  }

  /** Calls back once all are answered, or when that takes too long. */
  whenAnswered(then: () => void): void {
    const end = () => {
      this.whenNone = undefined;
      clearTimeout(timer);
      then();
    };
    const timer = setTimeout(end, PATIENCE);
    if (this.open.size === 0) end();
    else this.whenNone = end;
  }
}
