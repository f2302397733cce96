import { expect, it } from 'vitest';
import { totalLoad } from './load.ts';

it('adds up what agents carry, and tells the fullest of them and the quietest watch that is connected', () => {
  const agents = [
    { used: 3, budget: 10 },
    { used: 4, budget: 5 },
  ];
  const watches = [
    { state: 'CONNECTED', quietMs: 20 },
    { state: 'CONNECTED', quietMs: 70 },
    { state: 'DISCONNECTED', quietMs: 900 },
  ] as const;
  expect(totalLoad(agents, watches, { websocket: 3, http: 2 })).toEqual({
    agents: 2,
    streams: 7,
    connections: { websocket: 3, http: 2 },
    fullest: 0.8,
    watches: { CONNECTING: 0, CONNECTED: 2, DISCONNECTED: 1 },
    stalestMs: 70,
  });
});

it('takes each connected watch for one HTTP stream when nothing else carries them', () => {
  const load = totalLoad(
    [],
    [
      { state: 'CONNECTED', quietMs: 1 },
      { state: 'CONNECTING', quietMs: 1 },
    ],
  );
  expect(load.connections).toEqual({ websocket: 0, http: 1 });
});

it('is nothing when there is nothing', () => {
  expect(totalLoad([], [])).toMatchObject({ agents: 0, fullest: 0, stalestMs: 0 });
});
