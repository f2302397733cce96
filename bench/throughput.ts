import { WebSocket } from 'ws';
import { Child } from './child.ts';
import { VARIABLES, podsDocument } from './pods.ts';

export type Kind = 'kascade' | 'plain' | 'raw';

export interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly subscribers: number;
  /** Pods that change in each event, of 200. */
  readonly changed: number;
  readonly shapes: number;
  readonly deflate: boolean;
  readonly events: number;
}

export interface Measured extends Round {
  /** CPU µs a delivery in each round, in order: what was measured in one round is compared with each other. */
  readonly rounds: readonly number[];
}

interface Round {
  readonly deliveriesPerSecond: number;
  readonly cpuMicros: number;
  /** The part of it that the kernel took. */
  readonly systemMicros: number;
  readonly bytes: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

const PODS = 200;

/** One server with its subscribers, ready to be measured as often as one likes. */
export class Setup {
  readonly #case: Case;
  readonly #server = new Child('./server.ts');
  readonly #load = new Child('./load.ts');
  readonly #text: string;

  private constructor(each: Case, text: string) {
    this.#case = each;
    this.#text = text;
  }

  static async start(each: Case, text: string): Promise<Setup> {
    const setup = new Setup(each, text);
    const port = await setup.#server.ask<number>('listen', each.kind);
    await setup.#server.ask('fill', PODS);
    const documents = Array.from({ length: each.shapes }, (_, shape) => podsDocument(shape));
    const asked = { port, count: each.subscribers, documents, variables: VARIABLES, deflate: each.deflate };
    await setup.#load.ask('open', asked);
    if (each.kind !== 'raw') await setup.#load.ask('subscribe', asked);
    return setup;
  }

  /** Publishes events one after the other, the next when all have the last. */
  async measure(): Promise<Round> {
    const { kind, changed, subscribers, events } = this.#case;
    if (kind !== 'raw') await this.#server.ask('prepare', changed, events);
    const before = await this.#load.ask<{ bytes: number }>('received');
    await this.#server.ask('startMeasuring');
    for (let event = 0; event < events; event += 1) {
      await this.#load.ask('expectOne');
      await (kind === 'raw' ? this.#server.ask('broadcast', this.#text) : this.#server.ask('change'));
      await this.#load.ask('arrived');
    }
    const { cpuMicros, systemMicros, wallMs, delayP99Ms, delayMaxMs } =
      await this.#server.ask<ServerMeasured>('measured');
    const after = await this.#load.ask<{ bytes: number }>('received');
    const deliveries = subscribers * events;
    return {
      deliveriesPerSecond: deliveries / (wallMs / 1_000),
      cpuMicros: cpuMicros / deliveries,
      systemMicros: systemMicros / deliveries,
      bytes: (after.bytes - before.bytes) / deliveries,
      delayP99Ms,
      delayMaxMs,
    };
  }

  stop(): void {
    this.#server.stop();
    this.#load.stop();
  }
}

export interface ServerMeasured {
  readonly cpuMicros: number;
  readonly systemMicros: number;
  readonly wallMs: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

/** The message itself, as a client gets it when so many pods change. */
export async function sampleMessage(changed: number): Promise<string> {
  const server = new Child('./server.ts');
  try {
    const port = await server.ask<number>('listen', 'kascade');
    await server.ask('fill', PODS);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws');
    const messages: string[] = [];
    const message = async (index: number) => {
      while (messages.length <= index) await new Promise((resolve) => setTimeout(resolve, 5));
      return messages[index] ?? '';
    };
    socket.on('message', (data: Buffer) => messages.push(data.toString()));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer glpat-bench' } }));
    await message(0);
    const payload = { query: podsDocument(), variables: VARIABLES };
    socket.send(JSON.stringify({ id: crypto.randomUUID(), type: 'subscribe', payload }));
    await message(1);
    await server.ask('prepare', changed, 1);
    await server.ask('change');
    return await message(2);
  } finally {
    server.stop();
  }
}

/** Takes turns, so that whatever else the machine does meets all of them; medians. */
export async function compare(cases: readonly Case[], rounds: number): Promise<Map<string, Measured>> {
  const texts = new Map<number, string>();
  for (const { changed } of cases) if (!texts.has(changed)) texts.set(changed, await sampleMessage(changed));
  const setups: { readonly name: string; readonly setup: Setup }[] = [];
  const results = new Map<string, Round[]>();
  try {
    for (const each of cases) {
      setups.push({ name: each.name, setup: await Setup.start(each, texts.get(each.changed) ?? '') });
    }
    for (let round = 0; round <= rounds; round += 1) {
      for (const { name, setup } of inTurn(setups, round)) {
        const measured = await setup.measure();
        process.stderr.write(`round ${round}: ${name}, ${measured.cpuMicros.toFixed(1)} µs\n`);
        if (round > 0) results.set(name, [...(results.get(name) ?? []), measured]); // the first warms up
      }
    }
  } finally {
    for (const { setup } of setups) setup.stop();
  }
  return new Map([...results].map(([name, all]) => [name, medians(all)]));
}

/** Another begins in each round, and every other round goes backwards: what came just before has its part in the result. */
function inTurn<Each>(all: readonly Each[], round: number): Each[] {
  const start = round % all.length;
  const rotated = [...all.slice(start), ...all.slice(0, start)];
  return round % 2 === 0 ? rotated : rotated.toReversed();
}

function medians(all: readonly Round[]): Measured {
  const of = (key: keyof Round) => median(all.map((each) => each[key]));
  return {
    rounds: all.map(({ cpuMicros }) => cpuMicros),
    deliveriesPerSecond: of('deliveriesPerSecond'),
    cpuMicros: of('cpuMicros'),
    systemMicros: of('systemMicros'),
    bytes: of('bytes'),
    delayP99Ms: of('delayP99Ms'),
    delayMaxMs: of('delayMaxMs'),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
