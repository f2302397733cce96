import { median, type Case, type Measured } from './throughput.ts';

/** What one event of one pod costs the server, for so many subscribers of one shape, in µs of CPU. */
export interface EventCost {
  readonly subscribers: number;
  readonly micros: number;
  /** A raw broadcast of the same bytes to as many. */
  readonly rawMicros: number;
  /** The same in each round. */
  readonly rounds: readonly { readonly micros: number; readonly rawMicros: number }[];
}

const SUBSCRIBERS = [1, 10, 100, 1_000];

export function eventCases(): Case[] {
  return SUBSCRIBERS.flatMap((subscribers) => {
    const one = { subscribers, changed: 1, shapes: 1, deflate: false, events: Math.min(500, 60_000 / subscribers) };
    return [
      { ...one, name: `event, raw, ${subscribers}`, kind: 'raw' as const },
      { ...one, name: `event, kascade, ${subscribers}`, kind: 'kascade' as const },
    ];
  });
}

/** Of the results of those cases. */
export function eventCosts(measured: ReadonlyMap<string, Measured>): EventCost[] {
  return SUBSCRIBERS.map((subscribers) => {
    const of = (kind: string) => measured.get(`event, ${kind}, ${subscribers}`);
    const [ours, raw] = [of('kascade'), of('raw')];
    const total = (delivery = Number.NaN) => subscribers * delivery;
    return {
      subscribers,
      micros: total(ours?.cpuMicros),
      rawMicros: total(raw?.cpuMicros),
      rounds: (ours?.rounds ?? []).map((each, round) => ({
        micros: total(each),
        rawMicros: total(raw?.rounds[round]),
      })),
    };
  });
}

/** By how much an event's cost grows from the first of these to the last, against that of the broadcast. */
export function growth(costs: readonly EventCost[]): number {
  const [least, most] = [costs[0]?.rounds ?? [], costs.at(-1)?.rounds ?? []];
  const grown = least.map(({ micros, rawMicros }, round) => {
    const last = most[round];
    return last === undefined ? Number.NaN : (last.micros - micros) / (last.rawMicros - rawMicros);
  });
  return median(grown);
}
