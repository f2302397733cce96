/** graphql-ws, with the helper of client/: reconnects, resumes where it left off, and keeps the list. */
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws'; // browsers have their own
import { live, overWebSocket } from '../../client/index.ts';
import { LivePods } from '../../client/generated.ts';
import { agentId, namespace, show, token, url } from './target.ts';

const client = createClient({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: `Bearer ${token}` }), // called for each connection: always the current token
  retryAttempts: 0, // `live` retries, and can say when
});

const pods = live(overWebSocket(client), LivePods, { agentId, namespace });

pods.subscribe(() => {
  const { status, value, error } = pods.get();
  if (status === 'live') show(value.items);
  else if (error) console.error(`${status}: ${error.message} ${error.remedy ?? ''}`);
});
