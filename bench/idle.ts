import { Child } from './child.ts';
import { VARIABLES, podsDocument } from './pods.ts';

export interface Idle {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly subscribers: number;
}

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
}

/** What a subscriber takes who waits for something to happen: the process's memory with many, less with few. */
export async function idleMemory(subscribers: number, deflate: boolean): Promise<Idle> {
  const server = new Child('./server.ts');
  const [few, many] = [new Child('./load.ts'), new Child('./load.ts')];
  try {
    const port = await server.ask<number>('listen', 'kascade');
    await server.ask('fill', 200);
    const asked = { port, documents: [podsDocument()], variables: VARIABLES, deflate };
    await few.ask('open', { ...asked, count: 300 });
    await few.ask('subscribe', asked);
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // until the snapshot is forgotten
    const before = await server.ask<Memory>('memory');
    await many.ask('open', { ...asked, count: subscribers });
    await many.ask('subscribe', asked);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const after = await server.ask<Memory>('memory');
    return {
      subscribers,
      rssBytes: (after.rss - before.rss) / subscribers,
      heapBytes: (after.heapUsed - before.heapUsed) / subscribers,
    };
  } finally {
    for (const child of [server, few, many]) child.stop();
  }
}
