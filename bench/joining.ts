import { Child } from './child.ts';
import { VARIABLES, podsDocument } from './pods.ts';
import { median } from './throughput.ts';
import type { ServerMeasured } from './throughput.ts';

export interface Joining {
  readonly subscribers: number;
  readonly pods: number;
  /** Milliseconds from their first message until the last of them has its snapshot. */
  readonly ms: number;
  /** The longest that the server's event loop was held up meanwhile. */
  readonly delayMaxMs: number;
}

/** So many subscribe at once to so many pods, on a server that has done nothing before; medians. */
export async function joining(each: { subscribers: number; pods: number; times: number }): Promise<Joining> {
  const { subscribers, pods, times } = each;
  const took: number[] = [];
  const delays: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const [server, load] = [new Child('./server.ts'), new Child('./load.ts')];
    try {
      const port = await server.ask<number>('listen', 'kascade');
      await server.ask('fill', pods);
      const asked = { port, count: subscribers, documents: [podsDocument()], variables: VARIABLES, deflate: false };
      await load.ask('open', asked);
      await server.ask('startMeasuring');
      took.push(await load.ask<number>('subscribe', asked));
      delays.push((await server.ask<ServerMeasured>('measured')).delayMaxMs);
    } finally {
      server.stop();
      load.stop();
    }
  }
  return { subscribers, pods, ms: median(took), delayMaxMs: median(delays) };
}
