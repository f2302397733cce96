import { ApiError } from '../../src/errors.ts';
import { checkAgentId } from '../../src/kubernetes/names.ts';
import type { Credentials } from '../../src/sources/credentials.ts';
import type { AccessAttributes, Caller, Donors, Reflection, Source, WatchTarget } from '../../src/sources/source.ts';
import type { LogFollowing, LogSink, LogTarget } from '../../src/sources/logs/log-source.ts';
import type { Sink } from '../../src/sources/sink.ts';

/** A reflection that does nothing by itself; the test plays its part. */
export interface FakeReflection {
  readonly target: WatchTarget;
  readonly donors: Donors;
  readonly sink: Sink;
  renewals: number;
  retries: number;
  stops: number;
}

/** A follow of a log that reads nothing by itself. */
export interface FakeFollow {
  readonly target: LogTarget;
  readonly tailLines: number;
  readonly donors: Donors;
  readonly sink: LogSink;
  renewals: number;
  stops: number;
}

/** A source that opens nothing, and answers reviews as it is told. */
export class FakeSource implements Source {
  readonly reflections: FakeReflection[] = [];
  readonly follows: FakeFollow[] = [];
  readonly reviews: { agentId: string; credentials: Credentials; attributes: AccessAttributes }[] = [];
  budget = Number.POSITIVE_INFINITY;
  answer: (attributes: AccessAttributes) => Promise<boolean> = () => Promise.resolve(true);

  async checkAgentId(agentId: string): Promise<void> {
    checkAgentId(agentId);
  }

  reflect(target: WatchTarget, donors: Donors, sink: Sink): Reflection {
    if (this.open.length >= this.budget) throw new ApiError('LIMIT_EXCEEDED', 'No stream is left.');
    const reflection: FakeReflection = { target, donors, sink, renewals: 0, retries: 0, stops: 0 };
    this.reflections.push(reflection);
    return {
      renew: () => (reflection.renewals += 1),
      retryNow: () => (reflection.retries += 1),
      stop: () => (reflection.stops += 1),
    };
  }

  followLog(target: LogTarget, tailLines: number, donors: Donors, sink: LogSink): LogFollowing {
    const follow: FakeFollow = { target, tailLines, donors, sink, renewals: 0, stops: 0 };
    this.follows.push(follow);
    return { renew: () => (follow.renewals += 1), stop: () => (follow.stops += 1) };
  }

  get open(): FakeReflection[] {
    return this.reflections.filter(({ stops }) => stops === 0);
  }

  caller(agentId: string, credentials: Credentials): Caller {
    return {
      get actions(): never {
        throw new Error('not asked for');
      },
      get: () => Promise.reject(new Error('not asked for')),
      delete: () => Promise.reject(new Error('not asked for')),
      mayList: () => Promise.reject(new Error('not asked for')),
      whoAmI: () => Promise.reject(new Error('not asked for')),
      serverVersion: () => Promise.reject(new Error('not asked for')),
      apiGroups: () => Promise.reject(new Error('not asked for')),
      apiResources: () => Promise.reject(new Error('not asked for')),
      table: () => Promise.reject(new Error('not asked for')),
      review: async (attributes) => {
        this.reviews.push({ agentId, credentials, attributes });
        return { allowed: await this.answer(attributes) };
      },
    };
  }

  async close(): Promise<void> {}
}
