import { createHash } from 'node:crypto';
import type { Client } from './clients.ts';

export type ScriptArgument = string | number | Buffer;

/** Runs scripts by their digest, and hands Redis the text when it does not know one yet. */
export class Scripts {
  readonly #client: Client;
  readonly #digests = new Map<string, string>();

  constructor(client: Client) {
    this.#client = client;
  }

  get client(): Client {
    return this.#client;
  }

  async run(script: string, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(this.#digest(script), keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#client.eval(script, keys.length, ...keys, ...args);
    }
  }

  #digest(script: string): string {
    const known = this.#digests.get(script);
    if (known !== undefined) return known;
    const digest = createHash('sha1').update(script).digest('hex');
    this.#digests.set(script, digest);
    return digest;
  }
}
