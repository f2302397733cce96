import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiError } from '../errors.ts';
import { AgentBudget } from './agent-budget.ts';

function budgetOf(streams: number) {
  const warnings: number[] = [];
  return { budget: new AgentBudget('1', streams, (used) => warnings.push(used)), warnings };
}

/** LIMIT_EXCEEDED, or undefined when there was one. */
function refusal(budget: AgentBudget, scope: string): ApiError | undefined {
  try {
    budget.take(scope);
    return undefined;
  } catch (error) {
    return error as ApiError;
  }
}

function takeAll(budget: AgentBudget, scope: string): number {
  for (let taken = 0; ; taken += 1) if (refusal(budget, scope) !== undefined) return taken;
}

describe('the streams of an agent', () => {
  it('are limited', () => {
    const { budget } = budgetOf(2);
    expect(takeAll(budget, 'a')).toBe(2);
    expect(refusal(budget, 'b')).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      retryable: true,
      message: 'Agent 1 already carries 2 streams (AGENT_STREAM_BUDGET).',
    });
    budget.giveBack('a');
    budget.take('b');
    expect(budget.used).toBe(2);
  });

  it('are never all for one scope: the last tenth is for those who come later', () => {
    const { budget } = budgetOf(100);
    expect(takeAll(budget, 'a')).toBe(90);
    expect(takeAll(budget, 'b')).toBe(10);
    expect(takeAll(budget, 'c')).toBe(0);
  });

  it('are announced as nearly used up when they reach 80 %, each time anew', () => {
    const { budget, warnings } = budgetOf(10);
    for (let index = 0; index < 9; index += 1) budget.take(`${index}`);
    expect(warnings).toEqual([8]);
    budget.giveBack('0');
    budget.giveBack('1');
    budget.take('9');
    expect(warnings).toEqual([8, 8]);
  });

  it('are counted right, and a newcomer finds a place unless all are taken', () => {
    const move = fc.record({ scope: fc.constantFrom('a', 'b', 'c', 'd'), take: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(move, { maxLength: 200 }), (streams, moves) => {
        const { budget } = budgetOf(streams);
        const held = new Map<string, number>();
        for (const { scope, take } of moves) {
          const count = held.get(scope) ?? 0;
          if (!take) {
            if (count === 0) continue;
            budget.giveBack(scope);
            held.set(scope, count - 1);
            continue;
          }
          const mustHaveRoom = budget.used < streams && count === 0;
          const isRefused = refusal(budget, scope) !== undefined;
          if (!isRefused) held.set(scope, count + 1);
          expect(isRefused && mustHaveRoom).toBe(false);
        }
        expect(budget.used).toBe([...held.values()].reduce((sum, count) => sum + count, 0));
        expect(budget.used).toBeLessThanOrEqual(streams);
      }),
    );
  });
});
