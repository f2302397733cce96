import { ApiError } from '../errors.ts';

/** What is counted over all replicas. */
export type Counted = 'streams' | 'sockets' | 'subscriptions' | 'feeds';

/** Counts what somebody, or an agent, holds on all replicas together. Each replica's own limits are kept by itself. */
export interface Tally {
  /**
   * Counts one more. Resolves with how to give it back, or with undefined when that would be more than `limit`. While
   * the others cannot be asked, what this replica holds is all that counts.
   */
  take(what: Counted, owner: string, limit: number): Promise<(() => void) | undefined>;
}

/** A place among an agent's streams. Throws LIMIT_EXCEEDED. */
export async function reserveStream(tally: Tally, agentId: string, budget: number): Promise<() => void> {
  const giveBack = await tally.take('streams', agentId, budget);
  if (giveBack !== undefined) return giveBack;
  throw new ApiError('LIMIT_EXCEEDED', `Agent ${agentId} already carries ${budget} streams (AGENT_STREAM_BUDGET).`, {
    retryable: true,
  });
}

/** There are no others. */
export class LocalTally implements Tally {
  take(): Promise<() => void> {
    return Promise.resolve(() => undefined);
  }
}
