import type { Clock } from '../clock.ts';
import { PODS } from '../kubernetes/resources.ts';
import type { Feed } from '../pubsub/feed.ts';
import type { Hub } from '../pubsub/hub.ts';
import { isUnanswered } from '../sources/upstream-error.ts';
import { unseenConnection, connectionOf, type Connection } from './connection.ts';
import { ConnectionStream } from './connection-stream.ts';
import type { Permissions } from './permissions.ts';
import type { Viewer } from './viewer.ts';

/** How the watches of a scope are, told to each viewer as far as they may see what those carry. */
export class Connections {
  readonly #hub: Hub;
  readonly #permissions: Permissions;
  readonly #clock: Clock;

  constructor(hub: Hub, permissions: Permissions, clock: Clock) {
    this.#hub = hub;
    this.#permissions = permissions;
    this.#clock = clock;
  }

  async look(viewer: Viewer, agentId: string, namespace: string | undefined): Promise<Connection> {
    try {
      return connectionOf(agentId, namespace, await this.#visibleFeeds(viewer, agentId, namespace));
    } catch (error) {
      // That the agent or its cluster does not answer is the very thing that is being asked about.
      if (isUnanswered(error)) return unseenConnection(agentId, namespace, error.code);
      throw error;
    }
  }

  /** The same, live: at first as it is, then whenever it changes. */
  async follow(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
    release: () => void,
  ): Promise<ConnectionStream> {
    const look = () => this.look(viewer, agentId, namespace);
    const listen = (listener: () => void) => this.#hub.onScopeStatus(agentId, namespace, listener);
    return new ConnectionStream(await look(), { look, listen, clock: this.#clock }, release);
  }

  /** Tries again now what is waiting to be tried again: all of a scope, or the one of this field. */
  async retryNow(
    viewer: Viewer,
    agentId: string,
    namespace: string | undefined,
    field: string | undefined,
  ): Promise<void> {
    const feeds = await this.#visibleFeeds(viewer, agentId, namespace);
    for (const { key } of feeds) if (field === undefined || key.resource.field === field) this.#hub.retryNow(key);
  }

  async #visibleFeeds(viewer: Viewer, agentId: string, namespace: string | undefined): Promise<Feed[]> {
    const feeds = this.#hub
      .feeds(agentId, namespace)
      .filter(({ key }) => key.identity === undefined || key.identity === viewer.id);
    // Also with nothing to see: whoever GitLab does not let through to the agent learns nothing about it.
    if (feeds.length === 0) await this.#permissions.mayView(viewer, { agentId, namespace, resource: PODS });
    const visible = await Promise.all(feeds.map((feed) => this.#permissions.mayStillView(viewer, feed.key)));
    return feeds.filter((_, index) => visible[index]);
  }
}
