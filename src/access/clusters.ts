import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { resourceOf, type ApiResource } from '../kubernetes/discovery.ts';
import { isRefused, refuseSecrets } from '../kubernetes/refused-resources.ts';
import { apiVersion, WATCHABLE_RESOURCES, FLUX_RESOURCES, type Resource } from '../kubernetes/resources.ts';
import type { Table } from '../kubernetes/table.ts';
import type { Feed } from '../pubsub/feed.ts';
import { feedId, type FeedKey } from '../pubsub/feed-key.ts';
import type { Hub } from '../pubsub/hub.ts';
import type { KnownAgent, Source, TableOptions } from '../sources/source.ts';
import { agentState, type AgentState } from './agent-state.ts';
import { Discovery } from './discovery.ts';
import type { Entrance } from './entrance.ts';
import type { Viewer } from './viewer.ts';
import type { ViewerCalls } from './viewer-calls.ts';

export interface ClustersOptions {
  readonly hub: Hub;
  readonly source: Source;
  readonly clock: Clock;
  readonly calls: ViewerCalls;
  readonly entrance: Entrance;
  readonly sharing: 'authorized' | 'identity';
}

/** A collection that is served, and what can be done with it. */
export interface ServedResource {
  readonly resource: Resource;
  readonly verbs: readonly string[];
}

const FLUX_GROUPS: ReadonlySet<string> = new Set(FLUX_RESOURCES.map(({ group }) => group));

/** What clusters have, beyond the kinds that every cluster has, as far as viewers are let through to them. */
export class Clusters {
  readonly #options: ClustersOptions;
  readonly #discovery: Discovery;

  constructor(options: ClustersOptions) {
    const { clock, source, calls } = options;
    this.#options = options;
    this.#discovery = new Discovery({
      clock,
      ask: (viewer, agentId, call) =>
        calls.endingIfRefused(viewer, agentId, call(source.caller(agentId, viewer.credentials))),
    });
  }

  /**
   * The same collection in the version that the cluster serves: the wanted one if it does, else the one it prefers.
   * One version for everybody, so that there is one watch. Throws NOT_FOUND where it is served in none.
   */
  async served(viewer: Viewer, wanted: FeedKey): Promise<FeedKey> {
    // Rejects for those who are not let through to the agent: they learn nothing from what others have asked.
    await this.#options.entrance.mayView(viewer, wanted);
    const { agentId, resource } = wanted;
    const group = await this.#discovery.group(viewer, agentId, resource.group);
    if (group === undefined) throw missingGroup(resource.group);
    for (const version of newestFirst(resource.version, group.versions)) {
      const served = await this.#discovery.resources(viewer, agentId, resource.group, version);
      if (served?.some(({ plural }) => plural === resource.plural)) {
        return { ...wanted, resource: { ...resource, version } };
      }
    }
    throw new ApiError('NOT_FOUND', `The cluster serves no ${resource.plural}.${resource.group}.`);
  }

  /**
   * The collection that a kind is in. Undefined when it is not served, or not by us. Rejects for those who are not let
   * through to the agent.
   */
  async ofKind(viewer: Viewer, agentId: string, group: string, kind: string): Promise<Resource | undefined> {
    const known = WATCHABLE_RESOURCES.find((each) => each.group === group && each.kind === kind);
    if (known !== undefined && !FLUX_GROUPS.has(group)) return known;
    await this.#options.entrance.admit(viewer, agentId);
    const versions = group === '' ? ['v1'] : (await this.#discovery.group(viewer, agentId, group))?.versions;
    for (const version of newestFirst(known?.version, versions ?? [])) {
      const served = await this.#discovery.resources(viewer, agentId, group, version);
      const found = served?.find((each) => each.kind === kind && isWatchable(each));
      if (found === undefined) continue;
      const resource = resourceOf(group, version, found);
      return isRefused(resource) ? undefined : resource;
    }
    return undefined;
  }

  /** A collection by its name in URLs. Throws FORBIDDEN for those that are never served, NOT_FOUND for unknown ones. */
  async named(viewer: Viewer, wanted: FeedKey): Promise<ServedResource> {
    const { group, version, plural } = wanted.resource;
    refuseSecrets(wanted.resource);
    await this.#options.entrance.mayView(viewer, wanted);
    const served = await this.#discovery.resources(viewer, wanted.agentId, group, version);
    const found = served?.find((each) => each.plural === plural);
    if (found === undefined) {
      throw new ApiError('NOT_FOUND', `The cluster serves no ${plural} in ${apiVersion({ group, version })}.`, {
        remedy: 'Check apiVersion and resource: the latter is the plural name, as `kubectl api-resources` prints it.',
      });
    }
    return { resource: resourceOf(group, version, found), verbs: found.verbs };
  }

  /** Whether the viewer may list and watch. */
  mayView(viewer: Viewer, key: FeedKey): Promise<boolean> {
    return this.#options.entrance.mayView(viewer, key);
  }

  /** A page of a collection as the cluster prints it, with the viewer's own credentials. */
  table(viewer: Viewer, key: FeedKey, options: TableOptions): Promise<Table> {
    refuseSecrets(key.resource);
    return this.#options.calls.list(viewer, key, (caller) => caller.table(key, options));
  }

  /** A feed that is open and complete, if the viewer may see it. It opens nothing, and holds nothing open. */
  async peek(viewer: Viewer, wanted: FeedKey): Promise<Feed | undefined> {
    const { sharing, entrance } = this.#options;
    const key = sharing === 'identity' ? { ...wanted, identity: viewer.id } : wanted;
    if (this.#open(key) === undefined || !(await entrance.mayView(viewer, wanted))) return undefined;
    return this.#open(key);
  }

  /** What is no agent ID to the source is refused, before anybody is asked anything: BAD_USER_INPUT, NOT_FOUND. */
  checkAgentId(agentId: string): Promise<void> {
    return this.#options.source.checkAgentId(agentId);
  }

  /** The agents that the source knows of by itself, whoever asks; undefined when it does not know which there are. */
  async agents(): Promise<readonly KnownAgent[] | undefined> {
    return this.#options.source.agents?.();
  }

  /** How the agent is, and what its cluster has. */
  about(viewer: Viewer, agentId: string): Promise<AgentState> {
    const { source, clock, calls } = this.#options;
    const caller = source.caller(agentId, viewer.credentials);
    return calls.endingIfRefused(
      viewer,
      agentId,
      agentState({
        agentId,
        clock,
        serverVersion: () => caller.serverVersion(),
        groups: () => this.#discovery.groups(viewer, agentId),
        resources: (group, version) => this.#discovery.resources(viewer, agentId, group, version),
        streams: () => source.streamUsage?.(agentId),
      }),
    );
  }

  #open(key: FeedKey): Feed | undefined {
    const id = feedId(key);
    return this.#options.hub.feeds(key.agentId, key.namespace).find((feed) => feed.synced && feedId(feed.key) === id);
  }
}

function isWatchable({ verbs }: ApiResource): boolean {
  return verbs.includes('list') && verbs.includes('watch');
}

/** The version we know best, if it is served, then the cluster's order. */
function newestFirst(known: string | undefined, served: readonly string[]): readonly string[] {
  return known !== undefined && served.includes(known)
    ? [known, ...served.filter((version) => version !== known)]
    : served;
}

function missingGroup(group: string): ApiError {
  const what = FLUX_GROUPS.has(group) ? `Flux is not installed (no ${group}).` : `The cluster serves no ${group}.`;
  return new ApiError('NOT_FOUND', what, { remedy: 'Install it in the cluster, or look at another agent.' });
}
