import { ApiError } from '../../errors.ts';
import { checkAgentId } from '../../kubernetes/names.ts';
import { WATCHABLE_RESOURCES, type Resource } from '../../kubernetes/resources.ts';
import type { Table } from '../../kubernetes/table.ts';
import type { Feed } from '../../pubsub/feed.ts';
import type { FeedKey } from '../../pubsub/feed-key.ts';
import type { Door } from '../context.ts';
import type { FakeGate } from './fake-gate.ts';

/** Clusters that serve what is known anyway. */
export class FakeClusters implements Pick<
  Door['clusters'],
  'checkAgentId' | 'served' | 'ofKind' | 'named' | 'mayView' | 'table' | 'peek' | 'about'
> {
  /** Kinds that `peek` finds open. */
  open: readonly string[] = [];
  readonly #gate: FakeGate;

  constructor(gate: FakeGate) {
    this.#gate = gate;
  }

  /** As behind KAS. */
  async checkAgentId(agentId: string): Promise<void> {
    checkAgentId(agentId);
  }

  async served(_viewer: unknown, wanted: FeedKey): Promise<FeedKey> {
    return wanted;
  }

  async ofKind(_viewer: unknown, _agentId: string, group: string, kind: string): Promise<Resource | undefined> {
    return WATCHABLE_RESOURCES.find((each) => each.group === group && each.kind === kind);
  }

  async named(_viewer: unknown, { resource }: FeedKey): Promise<{ resource: Resource; verbs: readonly string[] }> {
    const found = WATCHABLE_RESOURCES.find((each) => each.group === resource.group && each.plural === resource.plural);
    if (found === undefined) throw new ApiError('NOT_FOUND', `There are no ${resource.plural}.`);
    return { resource: found, verbs: ['list', 'watch'] };
  }

  async mayView(): Promise<boolean> {
    return true;
  }

  async table(): Promise<Table> {
    return { columns: [], cells: new Map(), objects: [], continueToken: undefined };
  }

  async peek(viewer: unknown, key: FeedKey): Promise<Feed | undefined> {
    if (!this.open.includes(key.resource.kind)) return undefined;
    return (await this.#gate.attach(viewer, key)).feed;
  }

  async about(): Promise<never> {
    throw new Error('not asked for');
  }
}
