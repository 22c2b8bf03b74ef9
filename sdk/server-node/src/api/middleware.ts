/** An error of a middleware; its `data` reaches the client too. */
export interface ExtendedError extends Error {
  data?: any;
}

/** Runs middlewares one after the other, until one ends with an error or all are through. */
export function runAll<Args extends any[]>(
  middlewares: readonly ((...args: [...Args, (error?: any) => void]) => unknown)[],
  args: Args,
  then: (error: ExtendedError | null) => void,
): void {
  const step = (index: number) => {
    const middleware = middlewares[index];
    if (!middleware) return then(null);
    middleware(...args, (error?: ExtendedError) => (error ? then(error) : step(index + 1)));
  };
  step(0);
}
