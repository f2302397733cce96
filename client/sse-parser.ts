export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** Cuts a text that comes in pieces into events. Comments, which are pings, are dropped. */
export class SseParser {
  #rest = '';

  push(text: string): ServerSentEvent[] {
    const blocks = (this.#rest + text).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? '';
    return blocks.map(parse).filter(({ event, data }) => event !== 'message' || data !== '');
  }
}

function parse(block: string): ServerSentEvent {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field = '', value = ''] = /^(event|data): ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return { event, data: data.join('\n') };
}
