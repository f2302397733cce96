import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type { ApiGroup, ApiResource } from '../kubernetes/discovery.ts';
import type { StreamUsage } from '../sources/source.ts';
import { isWayBroken, UpstreamError } from '../sources/upstream-error.ts';

/** How an agent is reached, and what its cluster has. */
export interface AgentState {
  readonly agentId: string;
  readonly connected: boolean;
  /** Why it is not. */
  readonly reason: ErrorCode | undefined;
  readonly message: string | undefined;
  readonly serverVersion: string | undefined;
  /** What the cluster serves; undefined when it could not be asked. */
  readonly groups: readonly ApiGroup[] | undefined;
  /** Whether Applications of kubernetes-sigs/application are served. */
  readonly hasApplications: boolean;
  readonly streams: StreamUsage | undefined;
  /** How long the cluster's version took to come, in milliseconds. */
  readonly latencyMs: number | undefined;
}

export interface AgentQuestions {
  readonly agentId: string;
  readonly clock: Clock;
  readonly serverVersion: () => Promise<string | undefined>;
  readonly groups: () => Promise<readonly ApiGroup[]>;
  readonly resources: (group: string, version: string) => Promise<readonly ApiResource[] | undefined>;
  readonly streams: () => StreamUsage | undefined;
}

/** That there is no way to the agent is an answer; that the viewer is not let through to it is an error. */
export async function agentState(questions: AgentQuestions): Promise<AgentState> {
  const { agentId, clock } = questions;
  const start = clock.monotonic();
  try {
    const serverVersion = await unlessForbidden(questions.serverVersion());
    const latencyMs = clock.monotonic() - start;
    const groups = await unlessForbidden(questions.groups());
    const hasApplications = await servesApplications(groups, questions);
    const answer = { serverVersion, groups, hasApplications, latencyMs };
    return { agentId, connected: true, reason: undefined, message: undefined, ...answer, streams: questions.streams() };
  } catch (error) {
    if (!isWayBroken(error)) throw error;
    return {
      agentId,
      connected: false,
      reason: error.code,
      message: error.message,
      serverVersion: undefined,
      groups: undefined,
      hasApplications: false,
      streams: questions.streams(),
      latencyMs: undefined,
    };
  }
}

/** Everybody who is authenticated may discover, unless somebody took that away. It is no reason to call it away. */
async function unlessForbidden<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'forbidden') return undefined;
    throw error;
  }
}

async function servesApplications(
  groups: readonly ApiGroup[] | undefined,
  { resources }: AgentQuestions,
): Promise<boolean> {
  const group = groups?.find(({ name }) => name === 'app.k8s.io');
  if (group === undefined) return false;
  const served = await unlessForbidden(resources(group.name, group.preferred));
  return served?.some(({ plural }) => plural === 'applications') ?? false;
}
