import type { Stage, StageOptions } from '../stage.ts';

/** One row of the fault matrix, or one variant of it. */
export interface Row {
  /** "U1" */
  readonly id: string;
  /** "http"; rows that differ in nothing else have one each. */
  readonly variant?: string;
  readonly fault: string;
  readonly expected: string;
  /** What `run` may answer at most, in seconds; undefined: no time is part of the row. */
  readonly boundSeconds: number | undefined;
  readonly stage?: StageOptions;
  /** A few seconds long, and part of `npm test`. */
  readonly isQuick?: boolean;
  /** It needs minutes, and next to nothing of the machine. */
  readonly mostlyWaits?: boolean;
  /** False: viewers are refused in the end, and show what they had. */
  readonly endsConverged?: boolean;
  /**
   * Does it, to a stage where everybody is live, and checks what is expected beyond the invariants. Answers how long
   * it took, in seconds: from the fault (or its end) until every viewer shows what the cluster holds, unless the row
   * is about something else.
   */
  run(stage: Stage): Promise<number | undefined>;
}

export function nameOf({ id, variant }: Pick<Row, 'id' | 'variant'>): string {
  return variant === undefined ? id : `${id} ${variant}`;
}

/** The row once over KAS's aggregated WebSocket, and once over HTTP streams. */
export function overBothTransports(row: Row, bounds: { webSocket?: number; http?: number } = {}): Row[] {
  const over = (variant: 'websocket' | 'http', boundSeconds = row.boundSeconds): Row => {
    const env = { ...row.stage?.env, WATCH_TRANSPORT: variant };
    return { ...row, variant, boundSeconds, stage: { ...row.stage, env } };
  };
  return [over('websocket', bounds.webSocket), over('http', bounds.http)];
}

/** Throws what was expected and what was seen instead. */
export function expectThat(what: string, holds: boolean, seen?: unknown): asserts holds {
  if (!holds) throw new Error(`expected: ${what}${seen === undefined ? '' : `; seen: ${JSON.stringify(seen)}`}`);
}

/** One snapshot each: nobody had to start over. */
export function expectNoReset(stage: Stage): void {
  const resets = stage.clients.filter(({ snapshots }) => snapshots.length !== 1).map(({ name }) => name);
  expectThat('nobody had to start over', resets.length === 0, resets);
}

/** No subscription has ended: sockets stay, whatever happens behind them. */
export function expectNobodyCut(stage: Stage): void {
  const cut = stage.clients.filter(({ recording }) => recording.entries.some(({ kind }) => kind === 'ended'));
  expectThat(
    'no socket is dropped',
    cut.length === 0,
    cut.map(({ name }) => name),
  );
}

export function secondsSince(mark: number): number {
  return (performance.now() - mark) / 1_000;
}
