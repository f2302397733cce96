import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import type { ApiGroup, ApiResource } from '../kubernetes/discovery.ts';
import type { Caller } from '../sources/source.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { Discovery, KNOWN_MS, MISSING_MS } from './discovery.ts';
import { Viewer } from './viewer.ts';

const GROUP: ApiGroup = { name: 'x.io', versions: ['v1'], preferred: 'v1' };
const WIDGETS: ApiResource = { plural: 'widgets', kind: 'Widget', namespaced: true, verbs: ['list', 'watch'] };

const clock = new VirtualClock();
let asked: string[];
let fails: UpstreamError | undefined;
let discovery: Discovery;

beforeEach(() => {
  asked = [];
  fails = undefined;
  discovery = new Discovery({
    clock,
    ask: async (viewer, agentId, call) => {
      const note = <T>(what: string, answer: T): Promise<T> => {
        asked.push(`${agentId} ${what} ${viewer.id === ALICE.id ? 'alice' : 'bob'}`);
        return fails === undefined ? Promise.resolve(answer) : Promise.reject(fails);
      };
      const caller: Pick<Caller, 'apiGroups' | 'apiResources'> = {
        apiGroups: () => note('groups', [GROUP]),
        apiResources: (group, version) => note(`${group}/${version}`, [WIDGETS]),
      };
      return call(caller as Caller);
    },
  });
});

function viewer(name: string): Viewer {
  return new Viewer({ kind: 'bearer', agentId: undefined, tokenType: 'pat', token: name });
}

const ALICE = viewer('alice');
const BOB = viewer('bob');

describe('Discovery', () => {
  it('asks once for everybody, however many ask at a time, with the credentials of the first', async () => {
    await Promise.all([discovery.groups(ALICE, '7'), discovery.groups(BOB, '7'), discovery.group(BOB, '7', 'x.io')]);
    await discovery.groups(BOB, '7');
    expect(asked).toEqual(['7 groups alice']);
    await discovery.groups(BOB, '8');
    expect(asked).toEqual(['7 groups alice', '8 groups bob']);
  });

  it('asks again after five minutes', async () => {
    await discovery.resources(ALICE, '7', 'x.io', 'v1');
    await clock.advance(KNOWN_MS - 1);
    await discovery.resources(ALICE, '7', 'x.io', 'v1');
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    await discovery.resources(ALICE, '7', 'x.io', 'v1');
    expect(asked).toHaveLength(2);
  });

  it('soon asks again about a version that is not served', async () => {
    fails = new UpstreamError('notFound', 'There is none.');
    expect(await discovery.resources(ALICE, '7', 'x.io', 'v1')).toBeUndefined();
    await discovery.resources(ALICE, '7', 'x.io', 'v1');
    expect(asked).toHaveLength(1);
    fails = undefined;
    await clock.advance(MISSING_MS);
    expect(await discovery.resources(ALICE, '7', 'x.io', 'v1')).toEqual([WIDGETS]);
  });

  it('remembers no failure', async () => {
    fails = new UpstreamError('unreachable', 'Nobody there.');
    await expect(discovery.groups(ALICE, '7')).rejects.toThrow('Nobody there.');
    fails = undefined;
    expect(await discovery.group(BOB, '7', 'x.io')).toEqual(GROUP);
    expect(await discovery.group(BOB, '7', 'y.io')).toBeUndefined();
  });

  it('makes nobody answer for the refusal of somebody else: they ask with their own credentials', async () => {
    fails = new UpstreamError('gitlabUnauthorized', 'Alice is out.');
    const alice = discovery.groups(ALICE, '7');
    fails = undefined;
    const others = [discovery.groups(BOB, '7'), discovery.groups(BOB, '7')];
    await expect(alice).rejects.toThrow('Alice is out.');
    expect(await Promise.all(others)).toEqual([[GROUP], [GROUP]]);
    expect(asked).toEqual(['7 groups alice', '7 groups bob']);
  });

  it('tells each their own refusal, once', async () => {
    fails = new UpstreamError('forbidden', 'Not allowed.');
    const all = [ALICE, BOB, ALICE].map((each) => discovery.resources(each, '7', 'x.io', 'v1'));
    for (const each of await Promise.allSettled(all)) expect(each).toMatchObject({ status: 'rejected' });
    expect(asked).toEqual(['7 x.io/v1 alice', '7 x.io/v1 bob']);
  });

  it('lets those who wait share a failure that has nothing to do with who asked', async () => {
    fails = new UpstreamError('unreachable', 'Nobody there.');
    const both = await Promise.allSettled([discovery.groups(ALICE, '7'), discovery.groups(BOB, '7')]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked).toEqual(['7 groups alice']);
  });
});
