import type { Case, Measured } from './throughput.ts';

/** What one event of one pod costs the server, for so many subscribers of one shape, in µs of CPU. */
export interface EventCost {
  readonly subscribers: number;
  readonly micros: number;
  /** A raw broadcast of the same bytes to as many. */
  readonly rawMicros: number;
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
    const micros = (kind: string) =>
      subscribers * (measured.get(`event, ${kind}, ${subscribers}`)?.cpuMicros ?? Number.NaN);
    return { subscribers, micros: micros('kascade'), rawMicros: micros('raw') };
  });
}

/** By how much an event's cost grows from the first of these to the last, against that of the broadcast. */
export function growth(costs: readonly EventCost[]): number {
  const [least, most] = [costs[0], costs.at(-1)];
  if (least === undefined || most === undefined) return Number.NaN;
  return (most.micros - least.micros) / (most.rawMicros - least.rawMicros);
}
