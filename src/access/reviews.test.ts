import { describe, expect, it } from 'vitest';
import { FakeSource } from '../../test/support/fake-source.ts';
import { failure } from '../../test/support/scripted-upstream.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { Counters } from '../counters.ts';
import { Reviews } from './reviews.ts';
import { Viewer } from './viewer.ts';

const LIST_PODS = { verb: 'list', group: '', resource: 'pods', namespace: 'shop' };
const ALICE = viewer('alice');
const BOB = viewer('bob');

describe('Reviews', () => {
  it('asks once for a hundred who wait, and answers all of them', async () => {
    const { reviews, source } = made();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    source.answer = () => promise;
    const waiting = Array.from({ length: 100 }, () => reviews.allowed(ALICE, '7', LIST_PODS));
    await Promise.resolve();
    waiting.push(...Array.from({ length: 100 }, () => reviews.allowed(viewer('alice'), '7', LIST_PODS)));
    resolve(true);
    expect(await Promise.all(waiting)).toEqual(Array<boolean>(200).fill(true));
    expect(source.reviews).toHaveLength(1);
  });

  it('asks for each viewer, with the credentials of that viewer', async () => {
    const { reviews, source } = made();
    await Promise.all([reviews.allowed(ALICE, '7', LIST_PODS), reviews.allowed(BOB, '7', LIST_PODS)]);
    expect(source.reviews.map(({ credentials }) => credentials)).toEqual([ALICE.credentials, BOB.credentials]);
  });

  it('takes no answer for one to another question', async () => {
    const { reviews, source } = made();
    const questions = [
      LIST_PODS,
      { ...LIST_PODS, verb: 'watch' },
      { ...LIST_PODS, group: 'apps' },
      { ...LIST_PODS, resource: 'services' },
      { ...LIST_PODS, namespace: 'other' },
      { ...LIST_PODS, namespace: undefined },
      { ...LIST_PODS, name: 'web' },
      { ...LIST_PODS, subresource: 'log' },
    ];
    for (const question of questions) await reviews.allowed(ALICE, '7', question);
    await reviews.allowed(ALICE, '8', LIST_PODS);
    expect(source.reviews).toHaveLength(questions.length + 1);
    expect(source.reviews.at(-1)?.agentId).toBe('8');
  });

  it('uses an answer again, until it is old or forgotten', async () => {
    const { reviews, source, clock } = made();
    const ask = () => reviews.allowed(ALICE, '7', LIST_PODS);
    await ask();
    await clock.advance(48_000 - 1);
    await ask();
    expect(source.reviews).toHaveLength(1);
    await clock.advance(24_001);
    await ask();
    expect(source.reviews).toHaveLength(2);
    reviews.forget(ALICE, '7', LIST_PODS);
    await ask();
    expect(source.reviews).toHaveLength(3);
  });

  it('lets no question that cannot be answered take others with it, and asks it again', async () => {
    const { reviews, source } = made();
    let isAway = true;
    source.answer = async ({ resource }) => {
      if (resource === 'pods' && isAway) throw failure('unreachable');
      return resource !== 'secrets';
    };
    const ask = (resource: string) => reviews.allowed(ALICE, '7', { ...LIST_PODS, resource });
    const answers = await Promise.allSettled([ask('services'), ask('pods'), ask('secrets'), ask('pods')]);
    expect(answers).toMatchObject([
      { status: 'fulfilled', value: true },
      { status: 'rejected', reason: { failure: 'unreachable' } },
      { status: 'fulfilled', value: false },
      { status: 'rejected', reason: { failure: 'unreachable' } },
    ]);
    expect(source.reviews).toHaveLength(3);
    isAway = false;
    expect(await ask('pods')).toBe(true);
  });

  it('takes nothing but an answer for permission', async () => {
    const { reviews, source } = made();
    // oxlint-disable-next-line promise/prefer-await-to-callbacks, typescript/prefer-promise-reject-errors -- as a careless library might
    source.answer = () => Promise.reject('no error object');
    await expect(reviews.allowed(ALICE, '7', LIST_PODS)).rejects.toThrow(Error);
  });

  it('survives a source that throws', async () => {
    const { reviews, source } = made();
    const caller = source.caller.bind(source);
    source.caller = (agentId, credentials) => {
      if (agentId === 'bad') throw new Error('defect');
      return caller(agentId, credentials);
    };
    const answers = await Promise.allSettled([
      reviews.allowed(ALICE, 'bad', LIST_PODS),
      reviews.allowed(ALICE, '7', LIST_PODS),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });
});

function made() {
  const source = new FakeSource();
  const clock = new VirtualClock();
  return { source, clock, reviews: new Reviews(source, clock, { allowMs: 60_000, denyMs: 10_000 }, new Counters()) };
}

function viewer(token: string): Viewer {
  return new Viewer({ kind: 'bearer', agentId: undefined, tokenType: 'pat', token });
}
