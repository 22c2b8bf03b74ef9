/** What a page tells of the network and of itself. Where there is no page, nothing. */
export interface Signals {
  /** The network is back, the page is seen again, or the machine is awake. */
  back(): void;
  /** The network is said to be gone. */
  gone(): void;
}

/** Listens to the page, until the returned function is called. */
export function watchPage({ back, gone }: Signals): () => void {
  const page = typeof document === "undefined" ? undefined : document;
  const scope = globalThis as Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>;
  const seen = () => page?.visibilityState === "visible" && back();
  const listeners: [Partial<EventTarget> | undefined, string, () => void][] = [
    [scope, "online", back],
    [scope, "offline", gone],
    // From the cache for going back and forth, and from a frozen tab.
    [scope, "pageshow", back],
    [page, "visibilitychange", seen],
    [page, "resume", back],
  ];
  for (const [target, name, listener] of listeners) target?.addEventListener?.(name, listener);
  return () => {
    for (const [target, name, listener] of listeners) target?.removeEventListener?.(name, listener);
  };
}
