import { join } from 'node:path';
import { LeashedProcess } from './leashed-process.ts';

export interface EtcdOptions {
  readonly program: string;
  readonly folder: string;
  readonly port: number;
  readonly peerPort: number;
}

/** One member of etcd, on loopback, with its data in a folder. */
export class Etcd {
  readonly url: string;
  readonly #options: EtcdOptions;
  #process: LeashedProcess | undefined;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  start(): LeashedProcess {
    const { program, folder, peerPort } = this.#options;
    const peer = `http://127.0.0.1:${peerPort}`;
    const flags = {
      'data-dir': join(folder, 'etcd'),
      'listen-client-urls': this.url,
      'advertise-client-urls': this.url,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `default=${peer}`,
      // Nothing here is worth a disk's wait.
      'unsafe-no-fsync': 'true',
    };
    this.#process = new LeashedProcess(program, flagList(flags), join(folder, 'etcd.log'));
    return this.#process;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Throws the history before the present revision away; answers that revision. */
  async compact(): Promise<string> {
    const { header } = (await this.#call('kv/range', { key: Buffer.from('compact').toString('base64') })) as {
      header: { revision: string };
    };
    await this.#call('kv/compaction', { revision: header.revision, physical: true });
    return header.revision;
  }

  /** etcd's JSON gateway. */
  async #call(method: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}/v3/${method}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd answered ${response.status} to ${method}: ${await response.text()}`);
    return response.json();
  }
}

export function flagList(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
