import { once } from 'node:events';
import { WebSocket } from 'ws';
import { makePod } from '../demo/apiserver/objects.ts';
import { tokenOf, WholeServer } from '../test/support/whole-server.ts';
import { answer } from './child.ts';
import { NAMESPACE, VARIABLES, podsDocument } from './pods.ts';

/** The product as it is deployed, on KAS's stand-in: what reaches the cluster, and how long a change takes. */

let whole: WholeServer;

answer({
  /** `env`: settings beyond the usual. */
  async start(env: Record<string, string> = {}): Promise<string> {
    whole = await WholeServer.start({ MAX_SOCKETS_PER_VIEWER: '10000', LINGER_SECONDS: '1', ...env });
    for (let index = 0; index < 50; index += 1)
      whole.store.create(makePod({ name: `pod-${index}`, namespace: NAMESPACE }));
    return whole.server.url;
  },

  /** For another replica on the same KAS. */
  kasUrl: (): string => whole.kas.url,

  /** Requests that reached KAS while so many people, each with a token of their own, looked at one namespace. */
  async upstream(viewers: number): Promise<{ list: number; watch: number; reviews: number }> {
    const namespace = `seen-by-${viewers}`;
    const before = whole.kas.counts({ resource: 'selfsubjectaccessreviews' });
    const sockets = await Promise.all(
      Array.from({ length: viewers }, async (_, index) => {
        const user = `viewer-${viewers}-${index}`;
        whole.allow(user);
        const socket = new WebSocket(`${whole.server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        await once(socket, 'open');
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${tokenOf(user)}` } }));
        await once(socket, 'message');
        const payload = { query: podsDocument(), variables: { ...VARIABLES, namespace } };
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
        await once(socket, 'message');
        return socket;
      }),
    );
    const counts = (verb: 'list' | 'watch') => whole.kas.counts({ verb, resource: 'pods', namespace });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const result = {
      list: counts('list'),
      watch: counts('watch'),
      reviews: whole.kas.counts({ resource: 'selfsubjectaccessreviews' }) - before,
    };
    for (const socket of sockets) socket.terminate();
    return result;
  },

  /** Changes a pod; its label says when. */
  change(): void {
    const labels = { at: String(performance.timeOrigin + performance.now()) };
    whole.store.patch('pods', NAMESPACE, 'pod-0', { metadata: { labels } });
  },
});
