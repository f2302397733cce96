import type { Clock, Timer } from '../../clock.ts';
import { ApiError } from '../../errors.ts';
import type { Beginning, Reflection } from '../../sources/source.ts';
import type { ReflectorStatus } from '../../sources/status.ts';
import type { Wiring } from '../broker.ts';
import type { Feed } from '../feed.ts';
import type { Acquired, Beacon, Bus, Channel, Message } from './bus.ts';
import { Candidacy } from './candidacy.ts';
import { Follower, STALE_MS } from './follower.ts';
import { LeaderSigns } from './leader-signs.ts';
import { Leadership } from './leadership.ts';
import { isRefused, OwnWatch } from './own-watch.ts';
import { alignWith } from './recorded.ts';
import type { Role } from './role.ts';
import type { ShareEvent, ShareRole } from './share-events.ts';
import type { OnStatus } from './valve.ts';

/** How often a share looks whether anything is overdue, in milliseconds. */
const TICK_MS = 1_000;
/** The longest that replicas wait for each other, at random, before they take a lease that is free, in milliseconds. */
const CONTEND_MS = 200;
/** The longest that a replica waits, at random, before it goes on alone, in milliseconds. */
const ALONE_MS = 2_000;
/** How long a watch that was opened for a handover waits for it, in milliseconds. */
const WARM_MS = 4_000;

export interface ShareOptions {
  readonly feed: Feed;
  readonly bus: Bus;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly wiring: Wiring;
  readonly onEvent: (event: ShareEvent) => void;
  readonly onFailed: (error: unknown) => void;
}

/** One feed as this replica has a share in it. */
export class Share implements Reflection {
  readonly #options: ShareOptions;
  readonly #follower: Follower;
  readonly #leader: LeaderSigns;
  readonly #candidacy: Candidacy;
  readonly #stopTurns: () => void;
  #role: Role = { kind: 'following' };
  /** The epoch that only this replica writes. */
  #ownEpoch: string;
  #deciding: Promise<void> | undefined;
  #decideAgain = false;
  /** The last fence that this replica has asked for and got. */
  #acquired = 0;
  #tick: Timer | undefined;
  #aloneSoon: Timer | undefined;

  constructor(options: ShareOptions) {
    const { feed, bus, channel, clock, onEvent, onFailed } = options;
    this.#options = options;
    this.#ownEpoch = feed.revision.epoch;
    this.#leader = new LeaderSigns(feed, clock, bus.leaseMs);
    this.#candidacy = new Candidacy(clock, options.wiring);
    const onCaughtUp = () => this.#beaconAgain();
    this.#follower = new Follower({ feed, channel, clock, onEvent, onFailed, onCaughtUp });
    this.#stopTurns = bus.onTurn(() => this.#turned());
  }

  async start(): Promise<void> {
    const { channel, onFailed } = this.#options;
    this.#scheduleTick();
    if (!this.#options.bus.isUp) this.#turned();
    await channel
      .listen({ message: (message) => this.#hear(message), interrupted: () => this.#check() })
      .catch(onFailed);
    this.#turned();
  }

  async catchUp(): Promise<void> {
    if (this.#role.kind === 'following') await this.#follower.check();
  }

  retryNow(): void {
    const watch = this.#watch;
    if (watch !== undefined) watch.retryNow();
    else this.#options.channel.send({ type: 'retry' }).catch(this.#options.onFailed);
  }

  /** Somebody new is here whose credentials may be used, or somebody has gone. */
  renew(): void {
    this.#candidacy.resume();
    const watch = this.#watch;
    if (watch !== undefined) watch.renew();
    else if (this.#leader.isSilent) this.#decide();
  }

  stop(): void {
    void this.leave();
  }

  /** Undefined when it has been left. */
  get role(): ShareRole | undefined {
    const { kind } = this.#role;
    if (kind === 'stopped') return undefined;
    return kind === 'warming' ? 'following' : kind;
  }

  /** How long this leader has had something that it could not write down, in milliseconds. */
  get unpublishedMs(): number {
    return this.#role.kind === 'leading' ? this.#role.term.unpublishedMs : 0;
  }

  /** How long this follower has heard nothing of a leader, in milliseconds. */
  get unheardMs(): number {
    return this.role === 'following' ? this.#leader.silentMs : 0;
  }

  /** Leaves the lead to others, and the feed as it is. */
  async leave(): Promise<void> {
    await this.handOver();
    this.#enter({ kind: 'stopped' });
    this.#follower.stop();
    this.#stopTurns();
    this.#tick?.cancel();
    this.#aloneSoon?.cancel();
    this.#options.channel.leave();
  }

  /** Leaves the lead to others for good, and follows. */
  async handOver(): Promise<void> {
    this.#candidacy.withdraw();
    await this.#deciding;
    if (this.#role.kind !== 'leading') return;
    const { watch, term } = this.#role;
    await term.handOver(() => watch.hold());
    this.#options.onEvent('handed over');
    if (this.#role.kind === 'leading' && this.#role.term === term) this.#follow();
  }

  // ---- what is heard

  #hear(message: Message): void {
    switch (message.type) {
      case 'batch':
        if (this.#role.kind === 'leading') return;
        this.#leader.heard();
        this.#follower.batch(message);
        return;
      case 'beacon':
        this.#beacon(message);
        return;
      case 'taken':
        this.#taken(message.leader, message.fence);
        return;
      case 'vacant':
        this.#leader.vacant();
        this.#contend();
        return;
      case 'offer':
        if (message.leader !== this.#options.bus.replica) this.#warmUp();
        return;
      case 'ready':
        if (this.#role.kind === 'leading') this.#role.term.ready(message.replica);
        return;
      case 'retry':
        this.#watch?.retryNow();
        return;
      default:
        message satisfies never;
    }
  }

  #beacon(beacon: Beacon): void {
    const { bus, feed } = this.#options;
    if (beacon.leader === bus.replica || this.#role.kind === 'leading') return;
    this.#leader.beacon(beacon);
    if (this.#role.kind === 'alone') return;
    this.#leader.tell(beacon, beacon.head === undefined ? !feed.synced : this.#follower.hasReached(beacon.head));
  }

  /** What was said of a state that this replica has only come to know now. Asks for nothing: it has just been asked. */
  #beaconAgain(): void {
    const beacon = this.#leader.lastBeacon;
    if (beacon?.head === undefined || this.#role.kind === 'alone') return;
    if (this.#follower.isLevel && this.#follower.isAt(beacon.head)) this.#leader.tell(beacon, true);
  }

  #taken(leader: string, fence: number): void {
    const isMe = leader === this.#options.bus.replica;
    if (this.#role.kind === 'leading') {
      if (!isMe && fence > this.#role.term.fence) this.#demote();
      return;
    }
    if (isMe) {
      // Given by the leader, unless it is what was asked for: as often as there were answers, there would be questions.
      if (fence > this.#acquired) this.#given(fence);
      return;
    }
    this.#leader.changed();
    if (this.#role.kind === 'warming') this.#follow();
  }

  /** The leader has gone and left the lead to this replica, however long after that was offered. */
  #given(fence: number): void {
    if (this.#candidacy.stands) this.#decide();
    else this.#options.channel.release(fence).catch(this.#options.onFailed);
  }

  // ---- who leads

  #contend(): void {
    const { clock } = this.#options;
    clock.after(clock.random() * CONTEND_MS, () => this.#decide());
  }

  #turned(): void {
    const { bus, clock } = this.#options;
    if (bus.isUp) {
      this.#aloneSoon?.cancel();
      this.#aloneSoon = undefined;
      if (this.#role.kind === 'leading') this.#role.term.resume();
      else if (this.#role.kind === 'alone') this.#contend(); // whoever led before comes first
      else this.#decide();
      return;
    }
    if (this.#role.kind === 'leading') this.#role.watch.letThrough();
    else
      this.#aloneSoon ??= clock.after(this.#options.feed.synced ? clock.random() * ALONE_MS : 0, () => this.#goAlone());
  }

  /** Asks for the lease, if it is to be had: one question at a time. */
  #decide(): void {
    this.#decideAgain = true;
    this.#deciding ??= this.#decideAll().finally(() => (this.#deciding = undefined));
  }

  async #decideAll(): Promise<void> {
    const { bus, channel, onFailed } = this.#options;
    while (this.#decideAgain) {
      this.#decideAgain = false;
      const { kind } = this.#role;
      if (kind === 'leading' || kind === 'stopped' || !bus.isUp) return;
      try {
        const acquired = this.#candidacy.stands ? await channel.acquire() : undefined;
        if (acquired?.held === true) await this.#lead(this.#noted(acquired));
        else if (this.#role.kind === 'alone') this.#follow();
        else this.#check();
      } catch (error) {
        onFailed(error);
      }
    }
  }

  /** What has been said meanwhile of who leads was said of this. */
  #noted(acquired: Acquired & { held: true }): Acquired & { held: true } {
    this.#acquired = acquired.fence;
    this.#decideAgain = false;
    return acquired;
  }

  async #lead(acquired: Acquired & { held: true }): Promise<void> {
    this.#follower.stop();
    const giveBack = await this.#reserve();
    let isLeading = false;
    try {
      isLeading = giveBack !== undefined && (await this.#takeOver(acquired, giveBack));
    } finally {
      if (!isLeading) giveBack?.();
    }
    if (!isLeading) await this.#decline(acquired.fence);
  }

  /** False when there can be no watch. */
  async #takeOver({ fence, head }: Acquired & { held: true }, giveBack: () => void): Promise<boolean> {
    const { onEvent, onFailed } = this.#options;
    const isStale = head !== undefined && head.ageMs > STALE_MS;
    const written = await alignWith(head, isStale, this.#options);
    this.#claim();
    const watch = this.#role.kind === 'stopped' ? undefined : (this.#watch ?? this.#open(isStale ? 'list' : 'watch'));
    if (watch === undefined) return false;
    const term = new Leadership({
      ...this.#options,
      fence,
      written,
      status: () => watch.status,
      onKept: () => watch.letThrough(),
      onFenced: () => this.#demote(),
      onEmptied: () => this.#startAgain(term),
      onMoved: () => onEvent('moved'),
      onFailed,
    });
    this.#enter({ kind: 'leading', watch, term, giveBack });
    watch.letThrough();
    term.start();
    onEvent('took over');
    return true;
  }

  /** A place among the agent's streams. Undefined when there is none. */
  async #reserve(): Promise<(() => void) | undefined> {
    try {
      return await this.#options.wiring.reserve();
    } catch (error) {
      this.#refused(error);
      return undefined;
    }
  }

  /** Leaves the lead to others, who may be able to, for a while. */
  async #decline(fence: number): Promise<void> {
    this.#candidacy.pause('declined');
    await this.#options.channel.release(fence);
    if (this.#role.kind !== 'stopped') this.#follow();
  }

  /** Makes the feed one that this replica writes, and nobody else. */
  #claim(): void {
    const { feed } = this.#options;
    if (feed.revision.epoch !== this.#ownEpoch) feed.fork();
    this.#ownEpoch = feed.revision.epoch;
  }

  /** Redis knows nothing any more: the same again, from what is here. */
  #startAgain(term: Leadership): void {
    if (this.#role.kind !== 'leading' || this.#role.term !== term) return;
    term.stop();
    this.#enter({ kind: 'alone', watch: this.#role.watch });
    this.#decide();
  }

  /** Another leads: what was written here and nowhere else counts no more. */
  #demote(): void {
    if (this.#role.kind !== 'leading') return;
    this.#options.onEvent('demoted');
    this.#follow();
  }

  #follow(): void {
    this.#enter({ kind: 'following' });
    this.#leader.heard();
    void this.#follower.check();
  }

  #check(): void {
    if (this.#role.kind === 'following' || this.#role.kind === 'warming') void this.#follower.check();
  }

  #goAlone(): void {
    this.#aloneSoon = undefined;
    const { bus, feed, wiring, onEvent } = this.#options;
    if (bus.isUp || this.#role.kind !== 'following' || this.#candidacy.isWithdrawn || !wiring.hasDonor()) return;
    this.#follower.stop();
    this.#claim();
    const watch = this.#open(feed.synced ? 'watch' : 'list');
    if (watch === undefined) return;
    this.#enter({ kind: 'alone', watch });
    watch.letThrough();
    onEvent('alone');
  }

  /** Opens a watch that goes on from where the leader is, so that it can leave. */
  #warmUp(): void {
    const { clock } = this.#options;
    clock.after(clock.random() * (CONTEND_MS / 2), () => {
      if (this.#role.kind !== 'following' || !this.#candidacy.stands || !this.#follower.isLevel) return;
      const watch = this.#open('watch');
      if (watch === undefined) return;
      const timer = clock.after(WARM_MS, () => this.#role.kind === 'warming' && this.#follow());
      this.#enter({ kind: 'warming', watch, timer });
    });
  }

  // ---- the watch

  get #watch(): OwnWatch | undefined {
    return 'watch' in this.#role ? this.#role.watch : undefined;
  }

  /** A watch of our own, held back until it is decided that it fills the feed. Undefined when there may be none. */
  #open(by: Beginning['by']): OwnWatch | undefined {
    const mayWrite = () => this.#mayWrite();
    const onStatus: OnStatus = (status, previous) => this.#watchSays(status, previous);
    try {
      return new OwnWatch({ ...this.#options, by, mayWrite, onStatus });
    } catch (error) {
      this.#refused(error);
      return undefined;
    }
  }

  /** Says why there is no watch. */
  #refused(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    const { feed } = this.#options;
    feed.report({ ...feed.reported, state: 'DISCONNECTED', error, final: true });
  }

  #mayWrite(): boolean {
    const role = this.#role;
    if (role.kind !== 'leading') return role.kind === 'alone';
    if (role.term.isCertain) return true;
    void role.term.renew();
    return false;
  }

  #watchSays(status: ReflectorStatus, previous: ReflectorStatus): void {
    const hasTurned = status.state !== previous.state;
    const { channel, bus, onFailed } = this.#options;
    if (this.#role.kind === 'leading' && hasTurned) void this.#role.term.renew();
    if (this.#role.kind === 'warming' && status.state === 'CONNECTED') {
      channel.send({ type: 'ready', replica: bus.replica }).catch(onFailed);
    }
    if (this.#role.kind === 'leading' && isRefused(status)) {
      // Nobody here may watch any more: others may have viewers who may.
      const { term } = this.#role;
      this.#candidacy.pause('refused');
      this.#follow();
      void term.resign();
    }
  }

  /** Changes roles, and lets go of what the last one held that the new one does not. */
  #enter(role: Role): void {
    const previous = this.#role;
    this.#role = role;
    const kept = 'watch' in role ? role.watch : undefined;
    if ('watch' in previous && previous.watch !== kept) previous.watch.stop();
    if (previous.kind === 'leading') {
      previous.term.stop();
      previous.giveBack();
    }
    if (previous.kind === 'warming') previous.timer.cancel();
  }

  #scheduleTick(): void {
    this.#tick = this.#options.clock.after(TICK_MS, () => {
      this.#follower.tick();
      if (this.#role.kind === 'following' && this.#leader.isSilent) this.#unheard();
      // Redis was there again and would not give the lease, or not answer: it is asked again.
      if (this.#role.kind === 'alone' && this.#options.bus.isUp) this.#decide();
      if (!this.#options.bus.isUp) this.#turned();
      this.#scheduleTick();
    });
  }

  #unheard(): void {
    this.#leader.tellSilence();
    this.#decide();
  }
}
