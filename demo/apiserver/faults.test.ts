import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pause } from '../../test/support/eventually.ts';
import { startWithAda } from '../test-client.ts';
import * as effects from './effects.ts';
import { makePod } from './objects.ts';

const PODS = '/api/v1/namespaces/prod/pods';
let fixture: Awaited<ReturnType<typeof startWithAda>>;

beforeEach(async () => {
  fixture = await startWithAda();
  fixture.store.create(makePod({ name: 'a', namespace: 'prod', labels: { city: 'Zürich-東京' } }));
});

afterEach(() => fixture.kas.close());

function watchPods(query = '') {
  return fixture.ada.watch(`${PODS}?resourceVersion=${fixture.store.revision}${query}`);
}

describe('fault orders', () => {
  it('strike matching requests as often as ordered, after as many as they let pass', async () => {
    const { faults, ada } = fixture;
    const fault = faults.add({
      match: { verb: 'list', resource: 'pods', namespace: 'prod', user: 'ada' },
      skip: 1,
      times: 2,
      effect: effects.unavailable,
    });
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await ada.send(PODS)).status);
    expect(statuses).toEqual([200, 503, 503, 200]);
    expect((await ada.send('/api/v1/pods')).status).toBe(200);
    expect(fault.hits).toBe(2);
  });

  it.each([
    ['401', effects.unauthorized],
    ['403', effects.forbidden],
    ['404', effects.notFound],
    ['410', effects.gone],
    ['422', effects.unprocessable],
    ['429', effects.tooManyRequests(7)],
    ['500', effects.internalError],
    ['502', effects.badGateway],
    ['503', effects.unavailable],
    ['504', effects.tooLargeResourceVersion(3)],
  ])('answer with %s', async (status, effect) => {
    fixture.faults.add({ match: {}, effect });
    expect((await fixture.ada.send(PODS)).status).toBe(Number(status));
  });

  it('say when to come back, in the form of the real refusals', async () => {
    const { faults, ada } = fixture;
    faults.add({ match: {}, times: 1, effect: effects.tooManyRequests(7) });
    const busy = await ada.send(PODS);
    expect([busy.headers['retry-after'], busy.headers['content-type']]).toEqual(['7', 'text/plain; charset=utf-8']);
    faults.add({ match: {}, times: 1, effect: effects.tooLargeResourceVersion(3) });
    const causes = [{ reason: 'ResourceVersionTooLarge' }];
    expect((await ada.send(PODS)).body).toMatchObject({ details: { retryAfterSeconds: 3, causes } });
  });

  it('end a watch at once, or after some events, or with an error inside', async () => {
    const { faults, store } = fixture;
    faults.add({ match: { verb: 'watch' }, times: 1, effect: { endAtOnce: true } });
    faults.add({ match: { verb: 'watch' }, skip: 1, times: 1, effect: effects.goneInStream });
    faults.add({ match: { verb: 'watch' }, skip: 2, times: 1, effect: { endAfterEvents: 1 } });
    const [empty, expired, short] = [await watchPods(), await watchPods(), await watchPods()];
    store.patch('pods', 'prod', 'a', { status: { n: 1 } });
    store.patch('pods', 'prod', 'a', { status: { n: 2 } });
    expect([await empty.ended, await expired.ended, await short.ended]).toEqual(['end', 'end', 'end']);
    expect([empty.types, expired.types, short.types]).toEqual([[], ['ERROR'], ['MODIFIED']]);
  });

  it('cut a body in the middle of a document', async () => {
    fixture.faults.add({ match: { verb: 'list' }, effect: { cutAfterBytes: 100 } });
    const response = await fixture.ada.open(PODS);
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => {
      response.once('error', resolve);
    });
    expect(Buffer.concat(chunks)).toHaveLength(100);
  });

  it('repeat what a resumed watch has seen before', async () => {
    const { faults, store } = fixture;
    store.patch('pods', 'prod', 'a', { status: { n: 1 } });
    faults.add({ match: { verb: 'watch' }, effect: { repeatChanges: 2 } });
    const watch = await watchPods();
    await watch.take(2);
    expect(watch.types).toEqual(['ADDED', 'MODIFIED']);
  });

  it('swallow requests', async () => {
    const { faults, ada, kas } = fixture;
    faults.add({ match: { verb: 'list' }, times: 1, effect: { blackHole: true } });
    const answered = ada.send(PODS).then(
      () => true,
      () => false,
    );
    expect(await Promise.race([answered, pause(60)])).toBeUndefined();
    expect(kas.openStreams(1)).toBe(1);
  });

  it('reset before an answer', async () => {
    fixture.faults.add({ match: { verb: 'list' }, effect: { reset: true } });
    await expect(fixture.ada.send(PODS)).rejects.toThrow('ECONNRESET');
  });

  it('hold headers back without losing what follows', async () => {
    const { faults, store } = fixture;
    faults.add({ match: { verb: 'watch' }, effect: { delayHeadersMs: 60 } });
    const started = Date.now();
    const opening = watchPods();
    await expect.poll(() => faults.openWatches().length).toBe(1);
    store.patch('pods', 'prod', 'a', { status: { n: 1 } });
    const watch = await opening;
    expect(Date.now() - started).toBeGreaterThan(50);
    await watch.take(1);
  });

  it('send byte by byte, pretty-printed, with CRLF, and still the same document', async () => {
    const { faults, ada } = fixture;
    const plain = (await ada.send(PODS)).body;
    faults.add({
      match: {},
      effect: { splitBytes: 1, pretty: true, crlf: true, contentType: 'application/json;charset=utf-8' },
    });
    const answer = await ada.send(PODS);
    expect(answer.body).toEqual(plain);
    expect(answer.text).toContain('\r\n  "items"');
    expect(answer.headers['content-type']).toBe('application/json;charset=utf-8');
  });

  it('tear characters of a watch apart', async () => {
    const { faults, store } = fixture;
    faults.add({ match: { verb: 'watch' }, effect: { splitBytes: 1 } });
    const watch = await watchPods();
    store.patch('pods', 'prod', 'a', { status: { n: 1 } });
    await watch.take(1);
    expect(watch.chunks.some((chunk) => chunk.toString().includes('\u{FFFD}'))).toBe(true);
    expect(watch.events[0]?.object.metadata.labels?.['city']).toBe('Zürich-東京');
  });

  it('put a malformed line or a huge event into a watch', async () => {
    const { faults, store } = fixture;
    faults.add({ match: { verb: 'watch' }, times: 1, effect: effects.malformedLine(1) });
    const watch = await watchPods();
    store.patch('pods', 'prod', 'a', { status: { n: 1 } });
    await watch.take(1);
    await expect.poll(() => Buffer.concat(watch.chunks).toString()).toContain(',,}');
    faults.add({ match: { verb: 'watch' }, times: 1, effect: effects.hugeEvent() });
    const huge = await watchPods();
    await huge.take(1);
    expect(Buffer.concat(huge.chunks).length).toBeGreaterThan(20_000_000);
  });

  it('act like an old or a lagging server', async () => {
    const { faults, ada, store } = fixture;
    const old = store.revision;
    store.create(makePod({ name: 'b', namespace: 'prod' }));
    faults.add({ match: { verb: 'list', continued: false }, times: 1, effect: { staleRevision: old } });
    expect((await ada.send(PODS)).body).toMatchObject({ metadata: { resourceVersion: old }, items: [{}] });
    faults.add({ match: { verb: 'list', continued: true }, times: 1, effect: { expireContinue: true } });
    const first = (await ada.send(`${PODS}?limit=1`)).body as { metadata: { continue: string } };
    const second = await ada.send(`${PODS}?limit=1&continue=${first.metadata.continue}`);
    expect(second.body).toMatchObject({ code: 410, metadata: { continue: expect.any(String) as string } });
    const query = '&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    faults.add({ match: { verb: 'watch' }, times: 1, effect: { initialEvents: 'ignore', noBookmarks: true } });
    const ignored = await watchPods(query);
    faults.add({ match: { verb: 'watch' }, times: 1, effect: { initialEvents: 'refuse' } });
    expect((await watchPods(query)).response.statusCode).toBe(422);
    expect(ignored.events).toEqual([]);
  });
});
