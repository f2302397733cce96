import { isAgentAway, UpstreamError } from '../../upstream-error.ts';

export interface AcceptanceListener {
  accept(id: string): void;
  fail(id: string, error: UpstreamError): void;
}

interface Asked {
  /** The ping that was sent right behind the watch. */
  readonly ping: number;
  isRead: boolean;
  /** Answers from the cluster that are still wanted. */
  answersDue: number;
  /** It is among those that the present question is for. */
  isProbed: boolean;
}

/**
 * Decides when a watch counts as accepted, since the protocol has no word for it.
 *
 * The first message for a watch proves it, but a quiet collection has none for a minute, and an empty one must be
 * CONNECTED at once. A pong to a ping sent behind the watch proves that KAS has read it, since frames are handled in
 * order; it says nothing of what lies behind KAS. While the agent is away KAS waits for it for 20 s before it says so,
 * and CONNECTED would be a lie for as long. So after the pong a request goes to the cluster by the same way (one for
 * all watches that wait), which waits and fails like the watch. Its answer proves that the way is whole. A second one
 * gives the cluster time to open the watch, or to refuse it, and a third one a watch that its lender may well be
 * refused. What is left unproven is an API server that answers others and keeps this one watch waiting; there, silence
 * is the only sign, as with any watch that has died.
 */
export class Acceptance {
  readonly #probe: (signal: AbortSignal) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #listener: AcceptanceListener;
  readonly #asked = new Map<string, Asked>();
  #isProbing = false;

  /** `probe` rejects with an UpstreamError; after `signal` has aborted nothing happens any more. */
  constructor(probe: (signal: AbortSignal) => Promise<void>, signal: AbortSignal, listener: AcceptanceListener) {
    this.#probe = probe;
    this.#signal = signal;
    this.#listener = listener;
  }

  /** A watch was sent, and then a ping. `isDoubtful`: nobody has checked that the lender may have it. */
  asked(id: string, ping: number, isDoubtful: boolean): void {
    this.#asked.set(id, { ping, isRead: false, answersDue: isDoubtful ? 3 : 2, isProbed: false });
  }

  /** It is accepted, or over. */
  settled(id: string): void {
    this.#asked.delete(id);
  }

  pong(number: number): void {
    for (const asked of this.#asked.values()) if (asked.ping <= number) asked.isRead = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isProbing || this.#signal.aborted) return;
    const open = [...this.#asked.values()].filter(({ isRead }) => isRead);
    if (open.length === 0) return;
    this.#isProbing = true;
    for (const asked of open) asked.isProbed = true;
    const failure = await this.#ask();
    this.#isProbing = false;
    if (this.#signal.aborted) return;
    for (const [id, asked] of this.#asked) {
      if (!asked.isProbed) continue;
      asked.isProbed = false;
      asked.answersDue -= 1;
      if (failure === undefined && asked.answersDue > 0) continue;
      this.#asked.delete(id);
      if (failure === undefined) this.#listener.accept(id);
      else this.#listener.fail(id, failure);
    }
    void this.#run(); // those that came meanwhile, or want another answer
  }

  async #ask(): Promise<UpstreamError | undefined> {
    try {
      await this.#probe(this.#signal);
      return undefined;
    } catch (error) {
      if (error instanceof UpstreamError) return isPassage(error) ? undefined : error;
      return new UpstreamError('unreachable', 'The way to the cluster could not be tried.', { cause: error });
    }
  }
}

/** Whatever the cluster itself says, it has been reached. */
function isPassage(error: UpstreamError): boolean {
  if (isAgentAway(error)) return false;
  return !['timeout', 'torn', 'server', 'gitlabUnauthorized', 'noIdentity'].includes(error.failure);
}
