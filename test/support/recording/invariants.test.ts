import { expect, it } from 'vitest';
import type { Write } from './cluster-history.ts';
import { violations, type Invariant } from './invariants.ts';
import { longestLag } from './lag.ts';
import type { Entry, Recording, SeenPod, Update } from './recording.ts';

/** A checker that finds nothing is worth nothing: here it is fed what it has to find. */

function pod(name: string, version: number, birth = 1): SeenPod {
  return { uid: `${name}-${birth}`, name, resourceVersion: String(version), phase: 'Running', labels: '[]' };
}

/** a and b are made, a changes, b is deleted and made again, c comes and goes: eight writes, at 10, 20, …, 80 ms. */
const HISTORY: Write[] = [
  { kind: 'written', at: 10, pod: pod('a', 101) },
  { kind: 'written', at: 20, pod: pod('b', 102) },
  { kind: 'written', at: 30, pod: pod('a', 103) },
  { kind: 'deleted', at: 40, pod: pod('b', 104) },
  { kind: 'written', at: 50, pod: pod('b', 105, 2) },
  { kind: 'written', at: 60, pod: pod('c', 106) },
  { kind: 'deleted', at: 70, pod: pod('c', 107) },
  { kind: 'written', at: 80, pod: pod('a', 108) },
];

function subscribed(at: number, resume?: string): Entry {
  return { kind: 'subscribed', at, replica: 'one', resume };
}

function snapshot(at: number, upserted: SeenPod[], more: Partial<Update> = {}): Update {
  return changes(at, { type: 'SNAPSHOT', upserted, total: upserted.length, ...more });
}

function changes(at: number, more: Partial<Update>): Update {
  const nothing = { upserted: [], removed: [], total: 2, cursor: `at ${at}`, resyncReason: null };
  return { kind: 'update', at, replica: 'one', type: 'CHANGES', ...nothing, ...more };
}

function connected(at: number): Entry {
  return { kind: 'connection', at, replica: 'one', status: 'CONNECTED', reason: null, transport: 'HTTP_STREAM' };
}

function recordingOf(...entries: Entry[]): Recording {
  return { client: 'ada', entries: [subscribed(1), ...entries] };
}

function ended(at: number): Entry {
  return { kind: 'ended', at, replica: 'one', closeCode: 1006, errors: [] };
}

const FIRST = snapshot(21, [pod('a', 101), pod('b', 102)]);
const CHANGED = changes(31, { upserted: [pod('a', 103)] });
const REMADE = changes(51, { upserted: [pod('b', 105, 2)], removed: ['b-1'] });
const LAST = changes(81, { upserted: [pod('a', 108)] });

function found(entries: Entry[], history = HISTORY, converged = true): Invariant[] {
  const recording: Recording = { client: 'ada', entries };
  return violations(recording, history, { converged, honesty: { webSocketMs: 5, httpMs: 15 } }).map(
    ({ invariant }) => invariant,
  );
}

it.each([
  ['that stays', [subscribed(1), FIRST, CHANGED, REMADE, LAST]],
  [
    'that is told much at once',
    [subscribed(1), FIRST, changes(90, { ...REMADE, at: 90, upserted: [pod('b', 105, 2), pod('a', 108)] })],
  ],
  [
    'that sees a state which comes back, before and after what was between',
    [
      subscribed(1),
      FIRST,
      changes(71, { upserted: [pod('a', 103), pod('b', 105, 2)], removed: ['b-1'] }),
      changes(72, { upserted: [pod('c', 106)], total: 3 }),
      changes(73, { removed: ['c-1'] }),
      LAST,
    ],
  ],
  [
    'that resumes',
    [
      subscribed(1),
      FIRST,
      ended(32),
      subscribed(45, 'at 21'),
      changes(52, { upserted: [pod('a', 103), pod('b', 105, 2)], removed: ['b-1'] }),
      LAST,
    ],
  ],
  [
    'that resumes and has missed nothing',
    [subscribed(1), FIRST, CHANGED, REMADE, LAST, ended(85), subscribed(90, 'at 81'), changes(91, {})],
  ],
  [
    'that gets a snapshot instead, with the reason',
    [
      subscribed(1),
      FIRST,
      ended(32),
      subscribed(82, 'at 21'),
      snapshot(83, [pod('a', 108), pod('b', 105, 2)], { resyncReason: 'HISTORY_EXPIRED' }),
    ],
  ],
  [
    'that moves to a replica whose log is another, and behind',
    [
      subscribed(1),
      FIRST,
      CHANGED,
      ended(32),
      subscribed(33, 'at 31'),
      snapshot(34, [pod('a', 101), pod('b', 102)], { resyncReason: 'CURSOR_INVALID' }),
      CHANGED,
      REMADE,
      LAST,
    ].map(late),
  ],
  [
    'that is told when the connection is lost',
    [
      subscribed(1),
      FIRST,
      connected(22),
      CHANGED,
      { ...connected(40), status: 'DISCONNECTED' } as Entry,
      changes(95, { ...LAST, at: 95, removed: ['b-1'], upserted: [pod('a', 108), pod('b', 105, 2)] }),
      connected(96),
    ],
  ],
] as [string, Entry[]][])('finds nothing in the recording of a client %s', (_, entries) => {
  expect(found(entries)).toEqual([]);
});

/** Entries in the order given, however they are dated. */
function late(entry: Entry, index: number): Entry {
  return { ...entry, at: Math.max(entry.at, 30 + index) };
}

it.each([
  ['D1: a change that never came', 'D1', [subscribed(1), FIRST, CHANGED, REMADE]],
  [
    'D2: a version that goes back',
    'D2',
    [subscribed(1), FIRST, CHANGED, changes(32, { upserted: [pod('a', 101)] }), CHANGED, REMADE, LAST],
  ],
  [
    'D2: a view that goes back, each pod for itself being right',
    'D2',
    [
      subscribed(1),
      FIRST,
      REMADE,
      changes(62, { upserted: [pod('a', 103)] }),
      changes(63, { removed: ['b-2'], total: 1 }),
      changes(64, { upserted: [pod('b', 105, 2)] }),
      LAST,
    ],
  ],
  [
    'D2: a snapshot of the same log that is older',
    'D2',
    [
      subscribed(1),
      FIRST,
      CHANGED,
      ended(32),
      subscribed(33, 'at 31'),
      snapshot(34, [pod('a', 101), pod('b', 102)], { resyncReason: 'SLOW_CONSUMER' }),
      CHANGED,
      REMADE,
      LAST,
    ],
  ],
  [
    'D3: an id that returns',
    'D3',
    [subscribed(1), FIRST, CHANGED, REMADE, changes(61, { upserted: [pod('b', 102)], total: 3 })],
  ],
  ['D4: a version that never was', 'D4', [subscribed(1), FIRST, changes(32, { upserted: [pod('a', 104)] })]],
  [
    'D4: old contents at a new version',
    'D4',
    [subscribed(1), FIRST, changes(32, { upserted: [{ ...pod('a', 103), phase: 'Pending' }] })],
  ],
  [
    'D5: a removal that was lost',
    'D5',
    [subscribed(1), FIRST, CHANGED, changes(51, { upserted: [pod('b', 105, 2)] }), LAST],
  ],
  ['D5: an object that was lost', 'D5', [subscribed(1), snapshot(21, [pod('a', 101)], { total: 2 })]],
  [
    'D6: a resume that skips',
    'D6',
    [
      subscribed(1),
      FIRST,
      ended(32),
      subscribed(45, 'at 21'),
      changes(52, { upserted: [pod('b', 105, 2)], removed: ['b-1'] }),
      LAST,
    ],
  ],
  [
    'D6: a resume that repeats',
    'D6',
    [subscribed(1), FIRST, ended(22), subscribed(23, 'at 21'), changes(24, { upserted: [pod('b', 102)] })],
  ],
  [
    'D6: a snapshot without a reason',
    'D6',
    [subscribed(1), FIRST, ended(22), subscribed(23, 'at 21'), snapshot(24, [pod('a', 101), pod('b', 102)])],
  ],
  ['D7: half a snapshot', 'D7', [subscribed(1), snapshot(65, [pod('b', 105, 2), pod('c', 106)])]],
  ['D7: a snapshot out of the blue', 'D7', [subscribed(1), FIRST, snapshot(32, [pod('a', 103), pod('b', 102)])]],
  ['D7: changes to nothing', 'D7', [subscribed(1), changes(11, { upserted: [pod('a', 101)], total: 1 })]],
  ['D8: silence where there is nothing', 'D8', [subscribed(1)], []],
  [
    'D8: silence after a resume',
    'D8',
    [subscribed(1), FIRST, CHANGED, REMADE, LAST, ended(85), subscribed(86, 'at 81')],
  ],
  [
    'D9: a lie',
    'D9',
    [
      subscribed(1),
      FIRST,
      connected(22),
      changes(95, { ...LAST, at: 95, removed: ['b-1'], upserted: [pod('a', 108), pod('b', 105, 2)] }),
    ],
  ],
] as [string, Invariant, Entry[], Write[]?][])('finds %s', (_, invariant, entries, history = HISTORY) => {
  const all = found(entries, history);
  expect(all).toContain(invariant);
  // It comes first, so that a report names the cause and not what follows from it; D4, D5 and D7 may be one thing.
  expect([invariant, 'D4', 'D5', 'D7']).toContain(all[0]);
});

it('forgives an end that has not come yet only while it has not', () => {
  const entries = [subscribed(1), FIRST, CHANGED];
  expect(found(entries, HISTORY, false)).toEqual([]);
  expect(found(entries, HISTORY, true)).toContain('D1');
});

it('lets a rewritten history begin anew, and not without saying so', () => {
  const rewritten: Write[] = [
    ...HISTORY.slice(0, 2),
    { kind: 'rewound', at: 30 },
    { kind: 'written', at: 31, pod: pod('a', 50, 9) },
  ];
  const other = [pod('a', 50, 9)];
  const told = [subscribed(1), FIRST, snapshot(35, other, { resyncReason: 'UPSTREAM_RESET' })];
  expect(found(told, rewritten)).toEqual([]);
  expect(found([subscribed(1), FIRST, snapshot(35, other)], rewritten)).toEqual(['D7']);
});

it('knows for how long a client was behind: until it shows a state that has the write, or until the end', () => {
  expect(longestLag(recordingOf(FIRST, CHANGED, REMADE, LAST), HISTORY, 25)).toBe(21); // 6, c, is first passed over at 81
  expect(longestLag(recordingOf(FIRST, CHANGED, REMADE, LAST), HISTORY, 75)).toBe(1);
  expect(longestLag(recordingOf(FIRST, CHANGED, ended(200)), HISTORY, 75)).toBe(120);
});
