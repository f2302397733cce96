import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../../test/support/scripted-upstream.ts';
import { settled } from '../../../../test/support/virtual-clock.ts';
import type { UpstreamFailure } from '../../upstream-error.ts';
import { Acceptance } from './acceptance.ts';

let told: string[];
let probes: { resolve(): void; reject(error: unknown): void }[];
let life: AbortController;
let acceptance: Acceptance;

beforeEach(() => {
  told = [];
  probes = [];
  life = new AbortController();
  const probe = () => new Promise<void>((resolve, reject) => probes.push({ resolve, reject }));
  acceptance = new Acceptance(probe, life.signal, {
    accept: (id) => told.push(id),
    fail: (id, error) => told.push(`${id}: ${error.failure}`),
  });
});

async function answer(index: number): Promise<void> {
  probes[index]?.resolve();
  await settled();
}

describe('a watch', () => {
  it('is accepted when KAS has read it and then the cluster has answered twice', async () => {
    acceptance.asked('a', 1, false);
    expect(probes).toHaveLength(0);
    acceptance.pong(1);
    await answer(0);
    expect(told).toEqual([]);
    await answer(1);
    expect(told).toEqual(['a']);
    expect(probes).toHaveLength(2);
  });

  it('is not accepted by a pong or an answer to a question from before it was sent', async () => {
    acceptance.asked('a', 1, false);
    acceptance.pong(1);
    acceptance.asked('b', 2, false);
    await answer(0);
    acceptance.pong(2);
    acceptance.asked('c', 3, false);
    await answer(1);
    expect(told).toEqual(['a']);
    await answer(2);
    await answer(3);
    expect(told).toEqual(['a', 'b']);
    expect(probes).toHaveLength(4);
  });

  it('that may be refused wants one answer more', async () => {
    acceptance.asked('a', 1, true);
    acceptance.pong(1);
    await answer(0);
    await answer(1);
    expect(told).toEqual([]);
    await answer(2);
    expect(told).toEqual(['a']);
  });

  it('shares its questions with others', async () => {
    for (let index = 0; index < 10; index += 1) acceptance.asked(`w${index}`, index, false);
    acceptance.pong(9);
    await answer(0);
    await answer(1);
    expect(told).toHaveLength(10);
    expect(probes).toHaveLength(2);
  });

  it('is not asked about once it is settled', async () => {
    acceptance.asked('a', 1, false);
    acceptance.settled('a');
    acceptance.pong(1);
    expect(probes).toHaveLength(0);
    acceptance.asked('b', 2, false);
    acceptance.pong(2);
    acceptance.settled('b');
    await answer(0);
    expect(told).toEqual([]);
  });

  it.each<[UpstreamFailure]>([
    ['agentNotConnected'],
    ['unreachable'],
    ['timeout'],
    ['torn'],
    ['server'],
    ['gitlabUnauthorized'],
  ])('fails when the cluster was not reached: %s', async (kind) => {
    acceptance.asked('a', 1, false);
    await settled();
    acceptance.pong(1);
    probes[0]?.reject(failure(kind));
    await settled();
    expect(told).toEqual([`a: ${kind}`]);
  });

  it.each<[UpstreamFailure]>([['forbidden'], ['unauthorized'], ['notFound'], ['throttled'], ['malformed']])(
    'is accepted whatever else the cluster says to the question: %s',
    async (kind) => {
      acceptance.asked('a', 1, false);
      await settled();
      acceptance.pong(1);
      probes[0]?.reject(failure(kind));
      await settled();
      await answer(1);
      expect(told).toEqual(['a']);
    },
  );

  it('is nobody’s business after the end', async () => {
    acceptance.asked('a', 1, false);
    await settled();
    acceptance.pong(1);
    life.abort();
    probes[0]?.reject(new Error('aborted'));
    await settled();
    expect(told).toEqual([]);
  });
});
