import { THROUGH_KAS } from '../../../src/sources/status.ts';
import { ApiError } from '../../../src/errors.ts';
import { checkAgentId } from '../../../src/kubernetes/names.ts';
import { AgentAdmission } from '../../../src/sources/admission.ts';
import type { Credentials } from '../../../src/sources/credentials.ts';
import { Reflector } from '../../../src/sources/reflector/reflector.ts';
import type { Sink } from '../../../src/sources/sink.ts';
import { Slots } from '../../../src/sources/slots.ts';
import type { Beginning, Caller, Donors, Reflection, Source, WatchTarget } from '../../../src/sources/source.ts';
import { failure } from '../../support/scripted-upstream.ts';
import { tokenOf } from './token.ts';
import { ClusterUpstream, type ClusterLink } from './upstream.ts';

/** A cluster as one replica reaches it: with the real reflector, over simulated requests and streams. */
export class ClusterSource implements Source {
  readonly defects: unknown[] = [];
  /** No stream is left for this replica. */
  isFull = false;
  readonly #link: ClusterLink;
  readonly #admission: AgentAdmission;
  readonly #listSlots = new Slots(5);
  readonly #open = new Set<ClusterUpstream>();

  constructor(link: ClusterLink) {
    this.#link = link;
    this.#admission = new AgentAdmission(link.process);
  }

  /** Watches that are kept, whatever state they are in. */
  get reflections(): number {
    return this.#open.size;
  }

  /** Streams that are held or being opened. */
  get streams(): number {
    return [...this.#open].reduce((sum, { streams }) => sum + streams, 0);
  }

  async checkAgentId(agentId: string): Promise<void> {
    checkAgentId(agentId);
  }

  reflect(_target: WatchTarget, donors: Donors, sink: Sink, from?: Beginning): Reflection {
    if (this.isFull) throw new ApiError('LIMIT_EXCEEDED', 'No stream is left.');
    if (from !== undefined) this.#link.noted(`goes on by ${from.by}`);
    const upstream = new ClusterUpstream(this.#link, donors);
    const reflector = new Reflector({
      upstream,
      sink,
      clock: this.#link.process,
      admission: this.#admission,
      way: THROUGH_KAS,
      listSlots: this.#listSlots,
      from,
      onStep: ({ why }) => this.#link.noted(why),
      onDefect: (error) => this.defects.push(error),
    });
    this.#open.add(upstream);
    reflector.start();
    return {
      retryNow: () => reflector.retryNow(),
      renew: () => reflector.renew(),
      stop: () => {
        reflector.stop();
        this.#open.delete(upstream);
      },
    };
  }

  caller(_agentId: string, credentials: Credentials): Caller {
    const { cluster } = this.#link;
    const token = tokenOf(credentials);
    return {
      get actions(): never {
        throw new Error('not asked for');
      },
      get: notAskedFor,
      delete: notAskedFor,
      mayList: notAskedFor,
      serverVersion: notAskedFor,
      apiGroups: notAskedFor,
      apiResources: notAskedFor,
      table: notAskedFor,
      whoAmI: () => this.#link.request(() => ({ username: token, groups: [] })),
      review: () => this.#link.request(() => ({ allowed: cluster.mayView(token) })),
    };
  }

  followLog(): never {
    throw failure('notFound');
  }

  async close(): Promise<void> {}
}

function notAskedFor(): Promise<never> {
  return Promise.reject(new Error('not asked for'));
}
