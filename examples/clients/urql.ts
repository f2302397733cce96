/** urql. Its subscriptionExchange takes any transport; here graphql-ws, which comes back by itself and resumes. */
import { Client, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws'; // browsers have their own
import { applyUpdate, emptyList } from '../../client/index.ts';
import { LivePods, type LivePodsData, type LivePodsVariables, type PodRow } from '../../client/generated.ts';
import { agentId, namespace, show, token, url } from './target.ts';

let pods = emptyList<PodRow>();

const webSocket = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: `Bearer ${token}` }),
  retryAttempts: Infinity,
});

const client = new Client({
  url,
  preferGetMethod: false,
  exchanges: [
    subscriptionExchange({
      forwardSubscription: ({ query = '', variables }) => ({
        subscribe: (sink) => {
          const payload = {
            query,
            // Read again at every reconnect.
            get variables() {
              return { ...variables, ...(pods.cursor !== undefined && { resume: pods.cursor }) };
            },
          };
          const unsubscribe = webSocket.subscribe(payload, {
            next: ({ data = null, errors }) => sink.next({ data, ...(errors && { errors: [...errors] }) }),
            error: (error) => sink.error(error),
            complete: () => sink.complete(),
          });
          return { unsubscribe };
        },
      }),
    }),
  ],
});

// In React: useSubscription({ query: LivePods, variables }, (pods = emptyList(), { k8sPods }) => applyUpdate(pods, k8sPods))
client.subscription<LivePodsData, LivePodsVariables>(LivePods, { agentId, namespace }).subscribe(({ data, error }) => {
  if (error) console.error(error.message);
  if (!data) return;
  pods = applyUpdate(pods, data.k8sPods);
  show(pods.items);
});
