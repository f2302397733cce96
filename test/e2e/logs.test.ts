import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grant, makePod, makeService, revoke } from '../../demo/apiserver/objects.ts';
import { eventually, pause } from '../support/eventually.ts';
import { follow } from '../support/live.ts';
import { WholeServer } from '../support/whole-server.ts';

/** Containers' logs over a whole server. */

interface Batch {
  readonly lines: { number: number; content: string; timestamp: string | null; truncated: boolean }[];
  readonly skipped: number;
  readonly ended: boolean;
  readonly error: string | null;
}

const FIELDS = '{ lines { number content timestamp truncated } skipped ended error }';
const FOLLOW = `subscription ($pod: String!, $container: String, $tail: Int, $times: Boolean, $previous: Boolean, $since: Int) {
  k8sLogs(agentId: "1", namespace: "logs", podName: $pod, containerName: $container, tailLines: $tail, timestamps: $times,
    previous: $previous, sinceSeconds: $since) ${FIELDS}
}`;
const READ = FOLLOW.replace('subscription', 'query');

let whole: WholeServer;

beforeAll(async () => {
  whole = await WholeServer.start({ ACCESS_ALLOW_SECONDS: '1', ACCESS_DENY_SECONDS: '0' });
  whole.allow('eve');
  whole.kas.user('joe', { token: 'glpat-joe' });
});

afterAll(() => whole.stop());

function pod(name: string, containers = [{ name: 'app' }], initContainers: { name: string }[] = []) {
  return whole.store.create(makePod({ name, namespace: 'logs', containers, initContainers }));
}

function print(name: string, ...lines: string[]): void {
  for (const line of lines) whole.kas.agent(1).api.logs.append('logs', name, 'app', line);
}

const logRequests = (name: string) => whole.kas.counts({ resource: 'pods', subresource: 'log', name });
const follows = (name: string) => whole.kas.inFlight({ resource: 'pods', subresource: 'log', name }).length;
const text = (batches: readonly Batch[]) => batches.flatMap(({ lines }) => lines.map(({ content }) => content));

function live(name: string, variables: Record<string, unknown> = {}, user = 'ada') {
  return follow<Batch>(whole, FOLLOW, { user, variables: { pod: name, tail: 500, ...variables } });
}

describe('k8sLogs, the query', () => {
  it('gives the tail, with times when asked for', async () => {
    pod('read');
    print('read', 'one', 'zwei 🚀', 'three');
    const { data } = await whole.ask<{ k8sLogs: Batch }>(READ, { pod: 'read', tail: 2, times: true });
    expect(data?.k8sLogs).toMatchObject({ skipped: 0, ended: true, error: null });
    expect(data?.k8sLogs.lines).toMatchObject([
      { number: 1, content: 'zwei 🚀', truncated: false },
      { number: 2, content: 'three' },
    ]);
    expect(Date.parse(data?.k8sLogs.lines[0]?.timestamp ?? '')).toBeGreaterThan(0);
    const bare = await whole.ask<{ k8sLogs: Batch }>(READ, { pod: 'read', tail: 1 });
    expect(bare.data?.k8sLogs.lines).toMatchObject([{ content: 'three', timestamp: null }]);
  });

  it('gives the run before this one, and says when there is none', async () => {
    pod('again');
    print('again', 'before');
    const none = await whole.ask(READ, { pod: 'again', previous: true });
    expect(none.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND', retryable: true } }]);
    whole.kas.agent(1).api.logs.restart('logs', 'again', 'app');
    print('again', 'after');
    const { data } = await whole.ask<{ k8sLogs: Batch }>(READ, { pod: 'again', previous: true });
    expect(text([data?.k8sLogs as Batch])).toEqual(['before']);
  });

  it('lists the containers when several could be meant, init containers too', async () => {
    pod('several', [{ name: 'app' }, { name: 'proxy' }], [{ name: 'setup' }]);
    const { errors } = await whole.ask(READ, { pod: 'several' });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0]?.message).toContain('setup (init), app (regular), proxy (regular)');
    whole.kas.agent(1).api.logs.append('logs', 'several', 'setup', 'from init');
    const { data } = await whole.ask<{ k8sLogs: Batch }>(READ, { pod: 'several', container: 'setup' });
    expect(text([data?.k8sLogs as Batch])).toEqual(['from init']);
  });

  it.each([
    [{ tail: -1 }, 'tailLines'],
    [{ tail: 10_001 }, 'tailLines'],
    [{ since: 0 }, 'sinceSeconds'],
    [{ container: '../x' }, 'containerName'],
    [{ pod: '..' }, 'podName'],
  ])('refuses %j, and asks nothing', async (variables, argument) => {
    const before = whole.kas.requests.length;
    const { errors } = await whole.ask(READ, { pod: 'read', container: 'app', ...variables });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0]?.message).toContain(argument);
    expect(whole.kas.requests.length).toBe(before);
  });

  it('is for those who may get pods/log', async () => {
    grant(whole.store, 'joe', 'logs', ['get', 'list', 'watch'], ['pods']);
    const headers = { authorization: 'Bearer glpat-joe' };
    const { errors } = await whole.ask(READ, { pod: 'read', container: 'app' }, headers);
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(errors?.[0]?.message).toContain('get pods/log "read"');
    const gone = await whole.ask(READ, { pod: 'never', container: 'app' });
    expect(gone.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});

describe('k8sLogs, the subscription', () => {
  it('goes on from the tail', async () => {
    pod('live');
    print('live', 'a', 'b', 'c');
    const seen = live('live', { tail: 2 });
    await eventually('the tail', () => text(seen.messages).length === 2, 5_000);
    print('live', 'd');
    await eventually('the next line', () => text(seen.messages).length === 3, 5_000);
    expect(text(seen.messages)).toEqual(['b', 'c', 'd']);
    expect(seen.messages.flatMap(({ lines }) => lines.map(({ number }) => number))).toEqual([1, 2, 3]);
    seen.stop();
    await eventually('the end of the follow', () => follows('live') === 0, 5_000);
  });

  it('says at once that there is nothing yet', async () => {
    pod('quiet');
    const seen = live('quiet');
    await eventually('an answer', () => seen.messages.length === 1, 5_000);
    expect(seen.messages[0]).toEqual({ lines: [], skipped: 0, ended: false, error: null });
    seen.stop();
  });

  it('shares one stream, and serves latecomers from what is kept', async () => {
    pod('shared');
    print('shared', ...Array.from({ length: 20 }, (_, index) => `line ${index}`));
    const first = live('shared', { tail: 10 });
    await eventually('the tail', () => text(first.messages).length === 10, 5_000);
    const second = live('shared', { tail: 5 }, 'eve');
    await eventually('the shorter tail', () => text(second.messages).length === 5, 5_000);
    expect(text(second.messages)).toEqual(['line 15', 'line 16', 'line 17', 'line 18', 'line 19']);
    expect(logRequests('shared')).toBe(1);
    const third = live('shared', { tail: 15 }, 'eve');
    await eventually('the longer tail', () => text(third.messages).length === 15, 5_000);
    expect(logRequests('shared')).toBe(2); // a reading of its own, before what is shared
    print('shared', 'new');
    for (const each of [first, second, third]) {
      await eventually('the new line', () => text(each.messages).at(-1) === 'new', 5_000);
    }
    expect(text(third.messages)).toEqual([...Array.from({ length: 15 }, (_, index) => `line ${index + 5}`), 'new']);
    expect(follows('shared')).toBe(1);
    for (const each of [first, second, third]) each.stop();
  });

  it('survives a torn connection without a gap or a double line', async () => {
    pod('torn');
    print('torn', 'a', 'b');
    const fault = whole.kas
      .agent(1)
      .api.faults.add({ match: { subresource: 'log', name: 'torn' }, times: 1, effect: { cutAfterBytes: 70 } });
    const seen = live('torn');
    await eventually(
      'both lines',
      () => text(seen.messages).length >= 2,
      10_000,
      () => seen.messages,
    );
    print('torn', 'c');
    await eventually('the third', () => text(seen.messages).at(-1) === 'c', 10_000);
    expect(text(seen.messages)).toEqual(['a', 'b', 'c']);
    expect(fault.hits).toBe(1);
    seen.stop();
  });

  it('reads characters torn between chunks, and completes with the last unfinished line', async () => {
    pod('bytes');
    const bytes = Buffer.from('2026-03-01T12:00:00Z Grüße 🚀\n2026-03-01T12:00:01Z das Ende, ohne Zeilenende: ü');
    function* single() {
      for (const byte of bytes) yield Buffer.from([byte]);
    }
    whole.kas.agent(1).api.faults.add({ match: { subresource: 'log', name: 'bytes' }, effect: { logBytes: single } });
    const seen = live('bytes');
    await eventually('the end', () => seen.completed, 5_000);
    expect(text(seen.messages)).toEqual(['Grüße 🚀', 'das Ende, ohne Zeilenende: ü']);
    expect(seen.messages.at(-1)).toMatchObject({ ended: true, error: null });
  });

  it('tells when the pod is gone', async () => {
    const seen = live('nowhere', { container: 'app' });
    await eventually('the end', () => seen.completed || seen.errors.length > 0, 5_000);
    expect(seen.messages.at(-1)).toMatchObject({ ended: true, error: expect.stringContaining('nowhere') as string });
  });

  it('tells a reader who is too slow how much was left out', async () => {
    pod('fast');
    const lines = 60_000;
    function* flood() {
      for (let start = 0; start < lines; start += 1_000) {
        const part = Array.from(
          { length: 1_000 },
          (_, index) => `2026-03-01T12:00:00.${String(start + index).padStart(9, '0')}Z line ${start + index}\n`,
        );
        yield Buffer.from(part.join(''));
      }
    }
    whole.kas.agent(1).api.faults.add({ match: { subresource: 'log', name: 'fast' }, effect: { logBytes: flood } });
    const seen = live('fast');
    await eventually(
      'the end',
      () => seen.completed,
      20_000,
      () => seen.messages.length,
    );
    const skipped = seen.messages.reduce((sum, message) => sum + message.skipped, 0);
    expect(skipped).toBeGreaterThan(0);
    expect(skipped + text(seen.messages).length).toBe(lines);
    expect(seen.messages.flatMap((message) => message.lines).at(-1)).toMatchObject({
      number: lines,
      content: `line ${lines - 1}`,
    });
  });
});

describe('rights', () => {
  it('ends the log of those who lose the right, and goes on for the others, whoever opened it', async () => {
    pod('guarded');
    print('guarded', 'a');
    grant(whole.store, 'joe', 'logs', ['get'], ['pods', 'pods/log']);
    const joe = live('guarded', { container: 'app' }, 'joe');
    await eventually(
      'the line',
      () => text(joe.messages).length === 1,
      5_000,
      () => joe.errors,
    );
    const ada = live('guarded', { container: 'app' });
    await eventually('the same line', () => text(ada.messages).length === 1, 5_000);
    expect(follows('guarded')).toBe(1);
    revoke(whole.store, 'joe', 'logs');
    await eventually('the end', () => joe.errors.length > 0, 10_000);
    expect(joe.errors[0]).toMatchObject({ extensions: { code: 'ACCESS_REVOKED' } });
    print('guarded', 'b');
    await eventually('the next line', () => text(ada.messages).at(-1) === 'b', 10_000);
    expect(text(ada.messages)).toEqual(['a', 'b']);
    expect(text(joe.messages)).toEqual(['a']);
    ada.stop();
  });

  it('refuses those who may not, though the stream is open', async () => {
    pod('closed');
    const ada = live('closed', { container: 'app' });
    await eventually('the stream', () => follows('closed') === 1, 5_000);
    const joe = live('closed', { container: 'app' }, 'joe');
    await eventually('the refusal', () => joe.errors.length > 0, 5_000);
    expect(joe.errors[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } });
    ada.stop();
  });
});

describe('k8sWorkloadLogs', () => {
  interface Merged {
    readonly lines: { pod: string; container: string; content: string }[];
    readonly sources: { pod: string }[];
  }
  const MERGED = `subscription ($target: K8sObjectRef!, $tail: Int) {
    k8sWorkloadLogs(agentId: "1", target: $target, tailLines: $tail) {
      lines { number pod container content timestamp truncated } skipped sources { pod container } error
    }
  }`;

  it('merges the logs of all pods, which come and go', async () => {
    const labels = { app: 'web' };
    const make = (name: string) =>
      whole.store.create(makePod({ name, namespace: 'logs', labels, containers: [{ name: 'app' }] }));
    whole.store.create(makeService({ name: 'web', namespace: 'logs', selector: labels }));
    make('web-1');
    make('web-2');
    pod('other');
    print('other', 'not mine');
    print('web-1', 'one');
    await pause(5);
    print('web-2', 'two');
    await pause(5);
    print('web-1', 'three');
    const target = { kind: 'Service', namespace: 'logs', name: 'web' };
    const seen = follow<Merged>(whole, MERGED, { variables: { target, tail: 100 } });
    const lines = () =>
      seen.messages.flatMap((message) => message.lines.map(({ pod: from, content }) => `${from} ${content}`));
    await eventually(
      'three lines',
      () => lines().length === 3,
      5_000,
      () => [seen.messages, seen.errors],
    );
    expect(lines()).toEqual(['web-1 one', 'web-2 two', 'web-1 three']);
    make('web-3');
    print('web-3', 'four');
    await eventually('the new pod', () => lines().at(-1) === 'web-3 four', 5_000);
    expect(seen.messages.at(-1)?.sources).toHaveLength(3);
    whole.store.delete('pods', 'logs', 'web-1');
    await eventually(
      'its going',
      () => seen.messages.at(-1)?.sources.length === 2,
      5_000,
      () => seen.messages.at(-1),
    );
    seen.stop();
    await eventually('the end of the follows', () => follows('web-2') + follows('web-3') === 0, 5_000);
  });

  it('answers when there are no pods, and refuses what has none', async () => {
    whole.store.create(makeService({ name: 'lonely', namespace: 'logs', selector: { app: 'lonely' } }));
    const target = { kind: 'Service', namespace: 'logs', name: 'lonely' };
    const seen = follow<Merged>(whole, MERGED, { variables: { target } });
    await eventually('an answer', () => seen.messages.length === 1, 5_000);
    expect(seen.messages[0]).toMatchObject({ lines: [], sources: [], error: null });
    seen.stop();
    const wrong = follow<Merged>(whole, MERGED, { variables: { target: { ...target, kind: 'Node' } } });
    await eventually('the refusal', () => wrong.errors.length === 1, 5_000);
    expect(wrong.errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  });
});
