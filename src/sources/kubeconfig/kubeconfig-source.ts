import { ApiError } from '../../errors.ts';
import { AgentStreams, type AgentStreamsOptions } from '../agent-streams.ts';
import { ApiCaller } from '../apiserver/caller.ts';
import { ApiClient } from '../apiserver/client.ts';
import type { HttpTools } from '../apiserver/http.ts';
import { HttpUpstream } from '../apiserver/http-upstream.ts';
import type { SourceLoad } from '../load.ts';
import type { LogFollowing, LogSink, LogTarget } from '../logs/log-source.ts';
import type { Sink } from '../sink.ts';
import type { Beginning, Caller, Donors, KnownAgent, Reflection, Source, StreamUsage, WatchTarget } from '../source.ts';
import { DIRECT } from '../status.ts';
import { ContextAccess, unusable } from './context-access.ts';
import type { Context } from './kubeconfig.ts';
import { KubeconfigFile } from './kubeconfig-file.ts';

export { KubeconfigError } from './kubeconfig.ts';

export interface KubeconfigSourceOptions extends AgentStreamsOptions, HttpTools {
  /** Of the file; `~` is the home directory. */
  readonly path: string;
  /** Told, without secrets, when the file cannot be read any more. */
  readonly onProblem: (problem: string) => void;
}

/** The clusters of a kubeconfig, its contexts as agents. Its credentials serve everybody, whoever asks. */
export class KubeconfigSource implements Source {
  readonly #options: KubeconfigSourceOptions;
  readonly #file: KubeconfigFile;
  readonly #streams: AgentStreams;
  readonly #accesses = new Map<string, ContextAccess>();

  /** Rejects with KubeconfigError, whose message completes "The file …". */
  static async open(options: KubeconfigSourceOptions): Promise<KubeconfigSource> {
    return new KubeconfigSource(options, await KubeconfigFile.open(options.path, options.onProblem));
  }

  private constructor(options: KubeconfigSourceOptions, file: KubeconfigFile) {
    this.#options = options;
    this.#file = file;
    this.#streams = new AgentStreams(options, DIRECT);
  }

  async agents(): Promise<readonly KnownAgent[]> {
    const contexts = await this.#file.all();
    return contexts.map(({ name, namespace, isCurrent }) => ({ agentId: name, namespace, isCurrent }));
  }

  /** The ID of an agent is the name of its context. */
  async checkAgentId(agentId: string): Promise<void> {
    checkUsable(agentId, await this.#file.current(agentId));
  }

  reflect(target: WatchTarget, donors: Donors, sink: Sink, from?: Beginning): Reflection {
    const client = this.#client(target.agentId);
    return this.#streams.reflect(target, sink, from, () => ({
      upstream: new HttpUpstream({ target, donors, clientOf: () => client }),
    }));
  }

  followLog(target: LogTarget, tailLines: number, donors: Donors, sink: LogSink): LogFollowing {
    const { actions } = this.caller(target.agentId);
    return this.#streams.followLog(target, {
      donors,
      sink,
      tailLines,
      open: (_donor, request, listener) => actions.openLog(target, request, listener),
    });
  }

  caller(agentId: string): Caller {
    return new ApiCaller(this.#client(agentId), agentId);
  }

  streamUsage(agentId: string): StreamUsage {
    return this.#streams.usage(agentId);
  }

  /** Everything that is carried, for metrics. */
  get totalLoad(): SourceLoad {
    return this.#streams.load();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#accesses.values()].map((access) => access.close()));
  }

  /** Throws NOT_FOUND for what is no agent, so that nothing is held for names that anybody can think up. */
  #client(agentId: string): ApiClient {
    checkUsable(agentId, this.#file.known(agentId));
    const access = this.#accesses.get(agentId) ?? new ContextAccess(agentId, this.#file, this.#options);
    this.#accesses.set(agentId, access);
    return new ApiClient(access);
  }
}

function checkUsable(agentId: string, context: Context | undefined): void {
  if (context !== undefined && context.problem === undefined) return;
  throw new ApiError('NOT_FOUND', unusable(agentId, context), {
    remedy: 'Ask for k8sAgents: it lists the contexts, whose names are what agentId takes.',
  });
}
