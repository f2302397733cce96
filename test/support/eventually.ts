/** Resolves as soon as `condition` holds; after `withinMs` it rejects, saying what was awaited and what was seen. */
export async function eventually(
  what: string,
  condition: () => boolean,
  withinMs: number,
  seen: () => unknown = () => undefined,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) {
      throw new Error(`not within ${withinMs} ms: ${what}; seen: ${JSON.stringify(seen())}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
