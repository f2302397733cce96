import type { PastStates } from './past-states.ts';
import type { ConnectionStatus, Recording } from './recording.ts';

/** How long an upstream that has fallen silent may pass for connected, in milliseconds, by transport. */
export interface Honesty {
  readonly webSocketMs: number;
  readonly httpMs: number;
}

/** What the product promises: pings over WebSocket, suspicion of bookmarks that stay out over HTTP. */
export const PROMISED: Honesty = { webSocketMs: 35_000, httpMs: 135_000 };

interface Claim {
  /** Index of the entry that said CONNECTED. */
  readonly entry: number;
  readonly from: number;
  readonly to: number;
  readonly boundMs: number;
}

/** How far a view has come, when: after how many writes the cluster looked like that. */
export interface Reached {
  readonly at: number;
  readonly write: number;
}

/** Claims to be connected during which a change stayed unseen for longer than the bound. */
export function dishonesty(
  recording: Recording,
  states: PastStates,
  reached: readonly Reached[],
  honesty: Honesty = PROMISED,
): { readonly entry: number; readonly text: string }[] {
  return claims(recording, honesty).flatMap((claim) => {
    const write = firstUnseen(claim, states, reached);
    if (write === undefined) return [];
    const text = `CONNECTED is said, and write ${write} stays unseen for more than ${claim.boundMs} ms`;
    return [{ entry: claim.entry, text }];
  });
}

function claims({ entries }: Recording, honesty: Honesty): Claim[] {
  const found: Claim[] = [];
  let open: { readonly entry: number; readonly status: ConnectionStatus } | undefined;
  const end = (to: number) => {
    if (open === undefined) return;
    const boundMs = open.status.transport === 'WEBSOCKET' ? honesty.webSocketMs : honesty.httpMs;
    found.push({ entry: open.entry, from: open.status.at, to, boundMs });
    open = undefined;
  };
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'update') continue;
    if (entry.kind !== 'connection') end(entry.at);
    else if (entry.status !== 'CONNECTED') end(entry.at);
    else if (open?.status.transport !== entry.transport) {
      end(entry.at);
      open = { entry: index, status: entry };
    }
  }
  end(entries.at(-1)?.at ?? 0);
  return found;
}

function firstUnseen(
  { from, to, boundMs }: Claim,
  states: PastStates,
  reached: readonly Reached[],
): number | undefined {
  let seen = 0;
  let next = 0;
  for (let write = 1; write <= states.length; write += 1) {
    const due = Math.max(from, states.timeOf(write)) + boundMs;
    if (due >= to) return undefined; // the claim ended before it had to be true of this one
    for (; next < reached.length && (reached[next]?.at ?? 0) <= due; next += 1) seen = reached[next]?.write ?? seen;
    if (seen < write) return write;
  }
  return undefined;
}
