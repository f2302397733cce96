/** Server-sent events, with the helper of client/ and nothing else: for where WebSockets do not get through. */
import { live, sse } from '../../client/index.ts';
import { LivePods } from '../../client/generated.ts';
import { agentId, namespace, show, token, url } from './target.ts';

const transport = sse({ url, headers: () => ({ Authorization: `Bearer ${token}` }) });
const pods = live(transport, LivePods, { agentId, namespace });

pods.subscribe(() => {
  const { status, value, error } = pods.get();
  if (status === 'live') show(value.items);
  else if (error) console.error(`${status}: ${error.message} ${error.remedy ?? ''}`);
});
